//go:build unix

package server_test

import (
	"net/http"
	"path/filepath"
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
