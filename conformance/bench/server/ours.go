package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/plugboard/plugboard/server"
	"github.com/plugboard/plugboard/server/config"
)

const provisioning = `apiVersion: 1
datasources:
- {name: Bench, uid: bench, type: bench-datasource, url: "http://127.0.0.1:1", jsonData: {a: 1}, secureJsonData: {token: secret}}
`

const adminPassword = "bench-admin-password"

// runOurs runs our server as it is delivered: with its store, and asking who
// asks. It prints its address.
func runOurs(ctx context.Context, s setup) error {
	files := filepath.Join(s.data, "provisioning")
	if err := writeFile(filepath.Join(files, "bench.yaml"), []byte(provisioning)); err != nil {
		return err
	}
	running, err := server.New(ctx, server.Config{Config: config.Config{
		Listen: "127.0.0.1:0", Data: filepath.Join(s.data, "store"), PluginDirs: []string{s.plugins},
		Provisioning: files, AllowUnsigned: []string{"*"}, AdminPassword: adminPassword,
	}})
	if err != nil {
		return err
	}
	fmt.Println(running.Addr())
	return running.Run(ctx)
}

func writeFile(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

// makeToken makes a service account that may ask, and returns its token.
func makeToken(ctx context.Context, address string) (string, error) {
	var account struct{ ID int64 }
	if err := asAdmin(ctx, address, "/api/serviceaccounts", `{"name":"bench","role":"Viewer"}`, &account); err != nil {
		return "", err
	}
	var token struct{ Key string }
	err := asAdmin(ctx, address, fmt.Sprintf("/api/serviceaccounts/%d/tokens", account.ID), `{"name":"bench"}`, &token)
	return token.Key, err
}

func asAdmin(ctx context.Context, address, path, body string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	req.SetBasicAuth("admin", adminPassword)
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		return fmt.Errorf("POST %s answers %d %s: %w", path, response.StatusCode, text, err)
	}
	return json.Unmarshal(text, into)
}
