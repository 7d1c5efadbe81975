//go:build unix

package server_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/server/config"
)

// patience is what a test has with a process.
const patience = time.Minute

// wantMetric waits for a line among the test plugin's metrics.
func (r *running) wantMetric(line string) {
	r.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		text := r.want(200, "", http.MethodGet, "/api/plugins/test-datasource/metrics", "")
		if strings.Contains(text, "\n"+line+"\n") {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("no %q among the plugin's metrics", line)
		}
		<-time.After(10 * time.Millisecond)
	}
}

// TestDeletedDataSource: the plugin closes what it held open for a data source
// that somebody deletes, or takes out of a provisioning file.
func TestDeletedDataSource(t *testing.T) {
	files := t.TempDir()
	provision(t, files, "one", "two")
	r := start(t, config.Config{Provisioning: files})
	r.want(200, "added", "POST", "/api/datasources", `{"uid":"three","name":"three","type":"test-datasource"}`)
	for _, uid := range []string{"one", "two", "three"} {
		r.query(200, `"name":"pid"`, uid, "")
	}
	r.wantMetric("plugins_active_instances 3")
	r.want(200, "deleted", "DELETE", "/api/datasources/uid/three", "")
	r.wantMetric("plugins_active_instances 2")
	write(t, filepath.Join(files, "datasources", "sources.yaml"),
		"apiVersion: 1\ndeleteDatasources: [{name: one}]\n", 0o644)
	r.Reload(t.Context())
	r.wantMetric("plugins_active_instances 1")
}

const resources = "/api/datasources/uid/one/resources"

// TestResourceInPieces: what a handler flushes is with the client while the
// handler still waits, through plugin, host and gateway.
func TestResourceInPieces(t *testing.T) {
	files := t.TempDir()
	provision(t, files, "one")
	r := start(t, config.Config{Provisioning: files})
	slow := r.ask(t.Context(), "GET", resources+"/slow", "")
	defer slow.Body.Close()
	first := make([]byte, len("first"))
	if _, err := io.ReadFull(slow.Body, first); err != nil || string(first) != "first" {
		t.Fatalf("%q, %v", first, err)
	}
	r.want(200, "", "POST", resources+"/go", "")
	if rest, err := io.ReadAll(slow.Body); err != nil || string(rest) != "second" {
		t.Errorf("%q, %v", rest, err)
	}

	aborted := r.ask(t.Context(), "GET", resources+"/abort", "")
	defer aborted.Body.Close()
	if body, err := io.ReadAll(aborted.Body); err == nil || string(body) != "half" {
		t.Errorf("an aborted answer: %q, %v", body, err)
	}
}

// TestResourceFiles asks a file server in a plugin as browsers do.
func TestResourceFiles(t *testing.T) {
	files := t.TempDir()
	provision(t, files, "one")
	r := start(t, config.Config{Provisioning: files})
	for name, test := range map[string]struct {
		method, header, value string
		code                  int
		body                  string
		length                int64
	}{
		"whole":    {"GET", "", "", 200, "0123456789", 10},
		"head":     {"HEAD", "", "", 200, "", 10},
		"range":    {"GET", "Range", "bytes=2-4", 206, "234", 3},
		"same tag": {"GET", "If-None-Match", `"v1"`, 304, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), test.method, "http://"+r.Addr()+resources+"/file", nil)
			if err != nil {
				t.Fatal(err)
			}
			request.SetBasicAuth("admin", r.password)
			if test.header != "" {
				request.Header.Set(test.header, test.value)
			}
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			if err != nil || answer.StatusCode != test.code || string(body) != test.body || max(answer.ContentLength, 0) != test.length {
				t.Errorf("%d %q of length %d, %v", answer.StatusCode, body, answer.ContentLength, err)
			}
			if vary := answer.Header["Vary"]; answer.Header.Get("ETag") != `"v1"` || len(vary) != 2 {
				t.Errorf("headers: %v", answer.Header)
			}
		})
	}
}

// TestDebuggedPlugin serves the plugin from a process of its own, as in a
// debugger, more often than a plugin may crash: the server goes there and comes
// back.
func TestDebuggedPlugin(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "plugin.json"), fmt.Sprintf(manifest, "debugged-datasource"), 0o600)
	executable := filepath.Join(dir, "gpx_test_"+runtime.GOOS+"_"+runtime.GOARCH)
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(executable, self, 0o700); err != nil {
		t.Fatal(err)
	}
	r := start(t, config.Config{PluginDirs: []string{dir}, AllowUnsigned: []string{"*"}})
	r.want(200, "added", "POST", "/api/datasources", `{"uid":"one","name":"one","type":"debugged-datasource"}`)
	for range 2 {
		debugged := exec.CommandContext(t.Context(), executable)
		debugged.Env = append(os.Environ(), "PLUGBOARD_STANDALONE=1")
		debugged.Stderr = t.Output()
		if err := debugged.Start(); err != nil {
			t.Fatal(err)
		}
		pid := fmt.Sprintf(`"values":[[%d]]`, debugged.Process.Pid)
		r.eventuallyAnswers(pid, true)
		if err := debugged.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if err := debugged.Wait(); err != nil {
			t.Error(err)
		}
		r.eventuallyAnswers(pid, false)
	}
}

// eventuallyAnswers waits until queries are answered, with a part or without.
func (r *running) eventuallyAnswers(part string, with bool) {
	r.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		answer := r.ask(r.t.Context(), "POST", "/api/ds/query", `{"queries":[{"datasource":{"uid":"one"}}]}`)
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err == nil && answer.StatusCode == http.StatusOK && strings.Contains(string(body), part) == with {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("answers %d %s, want …%s…: %t", answer.StatusCode, body, part, with)
		}
		<-time.After(20 * time.Millisecond)
	}
}
