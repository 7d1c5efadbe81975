package telemetry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plugboard/plugboard/server/telemetry"
)

func scrape(t *testing.T, metrics *telemetry.Telemetry) string {
	t.Helper()
	w := httptest.NewRecorder()
	metrics.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text, err := io.ReadAll(w.Body)
	if err != nil || w.Code != 200 {
		t.Fatalf("scrape: %d, %v: %s", w.Code, err, text)
	}
	return string(text)
}

func TestTelemetry(t *testing.T) {
	metrics, err := telemetry.New(prometheus.NewRegistry(), "1.2.3", func() []telemetry.Plugin {
		return []telemetry.Plugin{{ID: "a", Up: true, Restarts: 2, Exits: map[string]int{"out of memory": 3}, PeakRSS: 1 << 20}, {ID: "b"}}
	})
	if err != nil {
		t.Fatal(err)
	}
	metrics.Called("a", "one", "query", 30*time.Millisecond, nil)
	metrics.Called("a", "one", "query", 30*time.Millisecond, errors.New("boom"))
	metrics.Called("a", "", "health", time.Second, fmt.Errorf("wait: %w", context.Canceled))
	metrics.Counting(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("MADE-UP", "/", nil))
	metrics.Called("a", "", "restart", time.Second, errors.New("boom"))
	if calls := metrics.Calls(); len(calls) != 1 || calls["a"] != (telemetry.Calls{Made: 3, Failed: 1}) {
		t.Errorf("calls %v", calls)
	}
	text := scrape(t, metrics)
	for _, want := range []string{
		`plugboard_build_info{version="1.2.3"} 1`,
		`plugboard_plugin_up{plugin="a"} 1`,
		`plugboard_plugin_up{plugin="b"} 0`,
		`plugboard_plugin_restarts_total{plugin="a"} 2`,
		`plugboard_plugin_exits_total{how="out of memory",plugin="a"} 3`,
		`plugboard_plugin_exit_peak_rss_bytes{plugin="a"} 1.048576e+06`,
		`plugboard_plugin_calls_total{endpoint="query",plugin="a",source="one",status="ok"} 1`,
		`plugboard_plugin_calls_total{endpoint="query",plugin="a",source="one",status="error"} 1`,
		`plugboard_plugin_calls_total{endpoint="health",plugin="a",source="",status="cancelled"} 1`,
		`plugboard_plugin_call_duration_seconds_bucket{endpoint="query",plugin="a",source="one",le="0.025"} 0`,
		`plugboard_plugin_call_duration_seconds_bucket{endpoint="query",plugin="a",source="one",le="0.05"} 2`,
		`plugboard_http_requests_total{code="404",method="unknown"} 1`,
		"go_goroutines ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

// TestTooManySources: the metrics stay bounded, and no call is lost.
func TestTooManySources(t *testing.T) {
	metrics, err := telemetry.New(prometheus.NewRegistry(), "", func() []telemetry.Plugin { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1010 {
		metrics.Called("a", fmt.Sprint("source", i), "query", time.Second, nil)
	}
	text := scrape(t, metrics)
	if got := strings.Count(text, "plugboard_plugin_calls_total{"); got != 1001 {
		t.Errorf("%d series", got)
	}
	if !strings.Contains(text, `source="other",status="ok"} 10`) {
		t.Error("calls of further data sources are not counted")
	}
}

func TestRegisteredTwice(t *testing.T) {
	registry := prometheus.NewRegistry()
	for i, fails := range []bool{false, true} {
		if _, err := telemetry.New(registry, "", func() []telemetry.Plugin { return nil }); (err != nil) != fails {
			t.Errorf("time %d: %v", i, err)
		}
	}
}
