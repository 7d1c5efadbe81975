package prometheus

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/frametest"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

// prometheusBinary finds the program of Debian's package prometheus. Without
// it the test is skipped, or fails where PLUGBOARD_REQUIRE asks for it.
func prometheusBinary(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("prometheus")
	if err == nil {
		return path
	}
	required := os.Getenv("PLUGBOARD_REQUIRE")
	if required == "all" || strings.Contains(required, "prometheus") {
		t.Fatalf("PLUGBOARD_REQUIRE=%s: %v", required, err)
	}
	t.Skipf("needs Prometheus (apt-get install prometheus): %v", err)
	return ""
}

// target exposes a counter with an exemplar for Prometheus to scrape.
func target(t *testing.T) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
		fmt.Fprintf(w, "# TYPE calls counter\ncalls_total{path=\"/a\"} 7 # {traceID=\"t1\"} 0.5 %.3f\n# EOF\n", float64(time.Now().UnixMilli())/1e3)
	}))
	t.Cleanup(server.Close)
	return server
}

// startPrometheus runs a Prometheus with a password, that scrapes itself and
// the target every 200 ms, until the test ends. It returns its URL.
func startPrometheus(t *testing.T) string {
	t.Helper()
	binary, dir := prometheusBinary(t), t.TempDir()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	hash, err := bcrypt.GenerateFromPassword([]byte("pw"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`
global: {scrape_interval: 200ms, scrape_timeout: 200ms}
scrape_configs:
- {job_name: prometheus, basic_auth: {username: ada, password: pw}, static_configs: [{targets: [%q]}]}
- {job_name: target, static_configs: [{targets: [%q]}]}
`, address, strings.TrimPrefix(target(t).URL, "http://"))
	for name, text := range map[string]string{"prometheus.yml": config, "web.yml": fmt.Sprintf("basic_auth_users: {ada: %q}\n", hash)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var log bytes.Buffer
	command := exec.Command(binary, "--config.file=prometheus.yml", "--web.config.file=web.yml", "--storage.tsdb.path=data",
		"--web.listen-address="+address, "--enable-feature=exemplar-storage", "--log.level=warn")
	command.Dir, command.Stdout, command.Stderr = dir, &log, &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return "http://" + address
}

// eventually asks until the answer is what is wanted, for Prometheus needs to
// start and to scrape.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !happened() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not within half a minute: %s", what)
		}
	}
}

// TestRealPrometheus asks a real one all that there is to ask.
func TestRealPrometheus(t *testing.T) {
	source := sourceAt(startPrometheus(t), `{"timeInterval": "1s"}`)
	source.DataSource.BasicAuth, source.DataSource.BasicAuthUser = true, "ada"
	source.DataSource.Secrets = plugin.Secrets{"basicAuthPassword": "pw"}
	client := plugintest.Start(t, Plugin())
	now := func(model string) plugin.DataQuery {
		q := dataQuery(model)
		q.TimeRange = plugin.TimeRange{From: time.Now().Add(-time.Minute), To: time.Now()}
		return q
	}

	var frames frame.Frames
	eventually(t, "both targets are up", func() bool {
		var answer plugin.Response
		frames, answer = query(t, client, source, now(`{"expr": "up == 1", "instant": true, "format": "table"}`))
		return answer.Error == "" && frames[0].Rows() == 2
	})
	if job := frames[0].Field("job"); job == nil || job.At(0) == job.At(1) {
		t.Errorf("the table has not both jobs:\n%s", frametest.Text(frames[0]))
	}

	var answer plugin.Response
	eventually(t, "the range has points", func() bool {
		frames, answer = query(t, client, source, now(`{"expr": "calls_total", "legendFormat": "{{job}} of {{path}}"}`))
		return answer.Error == "" && frames[0].Rows() > 0
	})
	if len(frames) != 1 || frames[0].Fields[1].Config.DisplayNameFromDS != "target of /a" {
		t.Fatalf("range: %s", frametest.Text(frames[0]))
	}
	last := frames[0].Rows() - 1
	if value := frames[0].Fields[1].At(last); value != 7.0 {
		t.Errorf("calls_total is %v", value)
	}

	eventually(t, "there is an exemplar", func() bool {
		frames, answer = query(t, client, source, now(`{"expr": "calls_total", "exemplar": true}`))
		return answer.Error == "" && len(frames) == 2
	})
	if trace := frames[1].Field("traceID"); frames[1].Name != "exemplar" || trace == nil || trace.At(0) != "t1" {
		t.Errorf("exemplars %s", frametest.Text(frames[1]))
	}

	_, answer = query(t, client, source, now(`{"expr": "calls_total{"}`))
	if answer.Status != 400 || answer.ErrorSource != plugin.SourceDownstream || !strings.Contains(answer.Error, "bad_data: ") {
		t.Errorf("bad PromQL: %d %s %q", answer.Status, answer.ErrorSource, answer.Error)
	}

	health, err := client.CheckHealth(t.Context(), &plugin.HealthRequest{Context: source})
	if err != nil || health.Status != plugin.HealthOK || !strings.Contains(string(health.Details), `"application":"Prometheus"`) {
		t.Errorf("health %+v, %s, %v", health, health.Details, err)
	}
	for path, want := range map[string]string{
		"api/v1/labels":                "path",
		"api/v1/label/job/values":      "target",
		"api/v1/metadata":              "calls",
		"api/v1/series?match[]=up":     "up",
		"api/v1/query?query=vector(1)": "vector",
	} {
		if got := resource(t, client, source, path); !strings.Contains(got, want) {
			t.Errorf("%s: %s", path, got)
		}
	}

	source.DataSource.UID, source.DataSource.Secrets = "wrong", plugin.Secrets{"basicAuthPassword": "s3cret"}
	_, answer = query(t, client, source, now(`{"expr": "up"}`))
	if answer.Status != 502 || !strings.Contains(answer.Error, "401 Unauthorized") || strings.Contains(answer.Error, "s3cret") {
		t.Errorf("wrong password: %d %q", answer.Status, answer.Error)
	}
	health, err = client.CheckHealth(t.Context(), &plugin.HealthRequest{Context: source})
	if err != nil || health.Status != plugin.HealthError || !strings.Contains(health.Message, "401 Unauthorized") {
		t.Errorf("health with a wrong password: %+v, %v", health, err)
	}
}

func resource(t *testing.T, client *plugin.Client, source plugin.Context, url string) string {
	t.Helper()
	var body bytes.Buffer
	path, _, _ := strings.Cut(url, "?")
	err := client.CallResource(t.Context(), &plugin.ResourceRequest{Context: source, Method: "GET", Path: path, URL: url},
		func(r plugin.ResourceResponse) error { body.Write(r.Body); return nil })
	if err != nil || !json.Valid(body.Bytes()) {
		t.Errorf("%s: %v", url, err)
	}
	return body.String()
}
