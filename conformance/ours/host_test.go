package ours

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/useragent"
	"github.com/grafana/grafana-plugin-sdk-go/config"

	"github.com/plugboard/plugboard/conformance/official"
)

func start(t *testing.T, cmd *exec.Cmd) *official.Client {
	t.Helper()
	h, err := official.Launch(cmd, false, io.Discard)
	t.Cleanup(h.Process.Kill)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func startEverything(t *testing.T) *official.Client { return start(t, exec.Command(os.Args[0])) }

func seattle() backend.PluginContext {
	agent, err := useragent.New("12.1.0", "linux", "amd64")
	if err != nil {
		panic(err)
	}
	return backend.PluginContext{
		PluginID:      "everything",
		Namespace:     "default",
		User:          &backend.User{Login: "ada", Role: "Viewer"},
		UserAgent:     agent,
		GrafanaConfig: config.NewGrafanaCfg(map[string]string{"GF_APP_URL": "http://here"}),
		DataSourceInstanceSettings: &backend.DataSourceInstanceSettings{
			ID: 3, UID: "rain", Name: "Rain", URL: "http://rain", BasicAuthEnabled: true,
			JSONData:                []byte(`{"city":"Seattle"}`),
			DecryptedSecureJSONData: map[string]string{"apiKey": "sesame"},
			Updated:                 time.UnixMilli(1700000000123),
		},
	}
}

func with(jsonData string) backend.PluginContext {
	c := seattle()
	c.DataSourceInstanceSettings.JSONData = []byte(jsonData)
	return c
}

func buildHello(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "gpx_hello")
	build := exec.Command("go", "build", "-o", binary, "./hello")
	build.Dir = "../../examples"
	build.Env = append(os.Environ(), "GOWORK=off")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return binary
}
