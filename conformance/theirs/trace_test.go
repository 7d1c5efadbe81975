package theirs

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/plugboard/plugboard/conformance/collector"
	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/trace"
)

// TestTrace checks that a plugin on the official SDK continues the trace that
// it is asked in, to the web API behind it, and sends its spans to where our
// host says.
func TestTrace(t *testing.T) {
	to := collector.Start(t)
	h, stop := runWith(t, host.Config{OTLPAddress: to.Address})
	parent := trace.Parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "vendor=1")
	ctx := trace.WithParent(t.Context(), parent)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("traceparent")+" "+r.Header.Get("tracestate"))
	}))
	defer api.Close()
	c := dataSource("{}")
	c.DataSource.URL = api.URL

	if _, err := h.Query(ctx, &plugin.QueryRequest{Context: c, Queries: []plugin.DataQuery{{RefID: "A", JSON: []byte(`{}`)}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.CheckHealth(ctx, &plugin.HealthRequest{Context: c}); err != nil {
		t.Fatal(err)
	}
	var seen string
	err := h.CallResource(ctx, &plugin.ResourceRequest{Context: c, Method: "GET", Path: "fetch", URL: "fetch"}, func(r plugin.ResourceResponse) error {
		seen += string(r.Body)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	stop() // what is left is sent then

	all := to.All()
	for _, name := range []string{"sdk.queryData", "sdk.checkHealth", "sdk.callResource"} {
		spans := to.Spans(name)
		if len(spans) != 1 {
			t.Errorf("%d spans %s", len(spans), name)
			continue
		}
		call := all[spans[0].Parent()] // otelgrpc's
		if spans[0].Trace() != parent.Trace.String() || call.Parent() != parent.Span.String() || spans[0].Service != dataSourceID {
			t.Errorf("%s of %s is in trace %s, under %s", name, spans[0].Service, spans[0].Trace(), call.Parent())
		}
	}
	if p := trace.Parse(seen[:55], seen[56:]); p.Trace != parent.Trace || p.State != "vendor=1" || all[p.Span.String()].Name != "HTTP Outgoing Request" {
		t.Errorf("the web API was asked in %q", seen)
	}
}
