package telemetry_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/plugboard/plugboard/server/telemetry"
	"github.com/plugboard/plugboard/trace"
)

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// kept is a Tracer that keeps what it gets.
type kept struct{ spans []trace.Record }

func (k *kept) Sample(trace.TraceID) bool     { return true }
func (k *kept) Take(r trace.Record)           { k.spans = append(k.spans, r) }
func (k *kept) Run(ctx context.Context) error { <-ctx.Done(); return nil }

func TestTracing(t *testing.T) {
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).Flush(); r.URL.Path == "/flush" && err != nil {
			t.Error(err)
		}
		if r.URL.Path == "/broken" {
			w.WriteHeader(http.StatusBadGateway)
		}
		_, _ = io.WriteString(w, trace.From(r.Context()).String())
	})
	ask := func(h http.Handler, path, parent string) string {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil)
		if parent != "" {
			r.Header.Set("traceparent", parent)
			r.Header.Set("tracestate", "vendor=1")
		}
		h.ServeHTTP(w, r)
		return w.Body.String()
	}
	if got := ask(telemetry.Tracing(answer, nil, "1"), "/api", traceparent); got != traceparent {
		t.Errorf("without a tracer: %s", got)
	}
	to := &kept{}
	h := telemetry.Tracing(answer, to, "1.2.3")
	ask(h, "/metrics", "")
	if len(to.spans) != 0 {
		t.Errorf("a scrape is traced: %+v", to.spans)
	}
	for path, want := range map[string]string{
		"/api?key=secret": "[http.method=GET http.target=/api http.status_code=200] false ",
		"/flush":          "[http.method=GET http.target=/flush http.status_code=200] false ",
		"/broken":         "[http.method=GET http.target=/broken http.status_code=502] true 502 Bad Gateway",
	} {
		for _, parent := range []string{"", traceparent} {
			to.spans = nil
			inside := ask(h, path, parent)
			span := to.spans[0]
			if got := fmt.Sprint(span.Attrs, " ", span.Failed, " ", span.Error); got != want || inside != span.String() || span.Name != "HTTP GET" {
				t.Errorf("%s: %s, in %s", path, got, inside)
			}
			if p := trace.Parse(parent, ""); parent != "" && (span.Trace != p.Trace || span.Caller != p.Span) {
				t.Errorf("%s does not continue the trace: %+v", path, span)
			}
		}
	}
}
