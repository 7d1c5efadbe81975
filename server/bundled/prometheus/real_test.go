package prometheus

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/frametest"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
	"github.com/plugboard/plugboard/server/dbtest"
)

// target exposes a counter with an exemplar for Prometheus to scrape.
func target(t *testing.T) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
		fmt.Fprintf(w, "# TYPE calls counter\ncalls_total{path=\"/a\"} 7 # {traceID=\"t1\"} 0.5 %.3f\n# EOF\n", float64(time.Now().UnixMilli())/1e3)
	}))
	t.Cleanup(server.Close)
	return server
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
	source := sourceAt(dbtest.Prometheus(t, target(t).URL), `{"timeInterval": "1s"}`)
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
		"api/v1/labels":                               "path",
		"api/v1/label/job/values":                     "target",
		"api/v1/metadata":                             "calls",
		"api/v1/series?match[]=up":                    "up",
		"api/v1/query?query=vector(1)":                "vector",
		"completions?before=rate(":                    "calls_total",
		"completions?before=calls_total%7Bpath%3D%22": "/a",
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
