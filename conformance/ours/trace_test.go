package ours

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"

	"github.com/plugboard/plugboard/conformance/collector"
	"github.com/plugboard/plugboard/conformance/official"
)

// tracing makes the official client side trace as Grafana's does.
func tracing(provider trace.TracerProvider) grpc.DialOption {
	return grpc.WithStatsHandler(otelgrpc.NewClientHandler(
		otelgrpc.WithTracerProvider(provider), otelgrpc.WithPropagators(propagation.TraceContext{})))
}

// traced starts the plugin with Grafana's variables for tracing.
func traced(t *testing.T, address string) (*official.Client, trace.Tracer) {
	t.Helper()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.AlwaysSample()))
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "GF_INSTANCE_OTLP_ADDRESS="+address, "GF_INSTANCE_OTLP_PROPAGATION=w3c",
		"GF_INSTANCE_OTLP_SAMPLER_TYPE=probabilistic", "GF_INSTANCE_OTLP_SAMPLER_PARAM=0.000000")
	h, err := official.Launch(cmd, false, io.Discard, tracing(provider))
	t.Cleanup(h.Process.Kill)
	if err != nil {
		t.Fatal(err)
	}
	return h, provider.Tracer("grafana")
}

// webAPI answers with the trace that it is asked in.
func webAPI(t *testing.T, status int) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, r.Header.Get("traceparent"))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func fetchFrom(url string) backend.PluginContext {
	c := seattle()
	c.PluginVersion = "1.2.3"
	c.DataSourceInstanceSettings.URL = url
	return c
}

// TestTrace follows a trace that Grafana began through the plugin to the web
// API behind it, by what arrives at a collector.
func TestTrace(t *testing.T) {
	to := collector.Start(t)
	h, tracer := traced(t, to.Address)
	ctx, span := tracer.Start(t.Context(), "dashboard")
	ask := func(url string) backend.DataResponse {
		answer, err := h.Data.QueryData(ctx, backend.ToProto().QueryDataRequest(&backend.QueryDataRequest{
			PluginContext: fetchFrom(url), Queries: []backend.DataQuery{query("A", `{"do":"fetch"}`)},
		}))
		if err != nil {
			t.Fatal(err)
		}
		response, err := backend.FromProto().QueryDataResponse(answer)
		if err != nil {
			t.Fatal(err)
		}
		return response.Responses["A"]
	}
	seen := column(ask(webAPI(t, 200)).Frames[0])
	if refused := ask(webAPI(t, 404)); refused.Error == nil || refused.ErrorSource != backend.ErrorSourceDownstream {
		t.Errorf("refused: %+v", refused)
	}
	untraced := query("A", `{"do":"fetch"}`)
	if r := queryData(t, h, &backend.QueryDataRequest{PluginContext: fetchFrom(webAPI(t, 200)), Queries: []backend.DataQuery{untraced}}); r["A"].Error != nil {
		t.Error(r["A"].Error)
	}
	span.End()
	h.Process.Kill() // what is left is sent then

	id := span.SpanContext().TraceID().String()
	all := to.All()
	requests := 0
	for _, request := range to.Spans("HTTP Outgoing Request") {
		author := all[request.Parent()]
		call := all[author.Parent()]
		if author.Name != "fetch" || call.Name != "sdk.queryData" || call.Parent() == "" {
			t.Fatalf("%s is in %q, in %q", request.Name, author.Name, call.Name)
		}
		if request.Trace() != id {
			continue // otelgrpc's own, of the call outside the dashboard
		}
		requests++
		if author.Trace() != id || call.Trace() != id || call.Service != "everything" || call.Version != "1.2.3" {
			t.Errorf("the call: %+v", call)
		}
		if request.Kind != tracepb.Span_SPAN_KIND_CLIENT || call.Kind != tracepb.Span_SPAN_KIND_SERVER || author.Kind != tracepb.Span_SPAN_KIND_INTERNAL {
			t.Errorf("kinds %v, %v, %v", request.Kind, author.Kind, call.Kind)
		}
		if author.Attrs["tries"] != int64(1) || request.EndTimeUnixNano < request.StartTimeUnixNano || request.StartTimeUnixNano < call.StartTimeUnixNano {
			t.Errorf("the author's %v, the request's %v to %v", author.Attrs, request.StartTimeUnixNano, request.EndTimeUnixNano)
		}
		status, source, code := "ok", "plugin", tracepb.Status_STATUS_CODE_UNSET
		if request.Attrs["http.status_code"] == int64(404) {
			status, source, code = "error", "downstream", tracepb.Status_STATUS_CODE_ERROR
		} else if seen != "00-"+id+"-"+request.ID()+"-01" {
			t.Errorf("the web API was asked in %q", seen)
		}
		if call.Attrs["request_status"] != status || call.Attrs["status_source"] != source || call.Status.GetCode() != code || request.Status.GetCode() != code {
			t.Errorf("the call: %v %v, the request: %v", call.Attrs, call.Status, request.Status)
		}
		if call.Attrs["datasource_uid"] != "rain" || call.Attrs["datasource_name"] != "Rain" || call.Attrs["plugin_id"] != "everything" {
			t.Errorf("the call's attributes: %v", call.Attrs)
		}
	}
	if requests != 2 {
		t.Errorf("%d requests in the trace", requests)
	}
}

// TestTraceIsPassedOn asks a plugin that is told of no collector.
func TestTraceIsPassedOn(t *testing.T) {
	h, tracer := traced(t, "")
	ctx, span := tracer.Start(t.Context(), "dashboard")
	answer, err := h.Data.QueryData(ctx, backend.ToProto().QueryDataRequest(&backend.QueryDataRequest{
		PluginContext: fetchFrom(webAPI(t, 200)), Queries: []backend.DataQuery{query("A", `{"do":"fetch"}`)},
	}))
	if err != nil {
		t.Fatal(err)
	}
	response, err := backend.FromProto().QueryDataResponse(answer)
	if err != nil {
		t.Fatal(err)
	}
	seen := column(response.Responses["A"].Frames[0])
	if id := span.SpanContext().TraceID().String(); len(seen) != 55 || seen[3:35] != id {
		t.Errorf("the web API was asked in %q, want trace %s", seen, id)
	}
}
