package ours

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc/metadata"

	"github.com/plugboard/plugboard/conformance/official"
)

// TestLogLines looks at the log as Grafana's host has it: the author's line,
// with what Grafana says about a request beside it, and none that a request
// makes by itself.
func TestLogLines(t *testing.T) {
	for level, lines := range map[string]int{"": 1, "info": 1, "warn": 0} {
		var log strings.Builder
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "GF_PLUGIN_LOG_LEVEL="+level)
		provider := sdktrace.NewTracerProvider()
		h, err := official.Launch(cmd, false, &log, tracing(provider))
		if err != nil {
			t.Fatal(err)
		}
		ctx, span := provider.Tracer("grafana").Start(t.Context(), "dashboard")
		ctx = metadata.AppendToOutgoingContext(ctx, "loggerParamsCtxMetadata", "dashboardUID:::d1")
		for range 3 {
			_, err := h.Diagnostics.CheckHealth(ctx, &pluginv2.CheckHealthRequest{PluginContext: backend.ToProto().PluginContext(seattle())})
			if err != nil {
				t.Fatal(err)
			}
		}
		c := seattle()
		c.User.Name = "Ada"
		_, err = h.Data.QueryData(ctx, backend.ToProto().QueryDataRequest(&backend.QueryDataRequest{
			PluginContext: c, Queries: []backend.DataQuery{query("A", `{"do":"log"}`), query("B", `{"do":"downstream"}`)},
		}))
		if err != nil {
			t.Fatal(err)
		}
		h.Process.Kill()
		var ours []string
		for line := range strings.Lines(log.String()) {
			if strings.Contains(line, "pluginId=") || strings.Contains(line, "dsUid=") {
				ours = append(ours, line)
			}
		}
		if len(ours) != lines || level == "" && strings.Count(log.String(), "as ordered") != 1 {
			t.Fatalf("level %q: %d lines:\n%s", level, len(ours), log.String())
		}
		for _, line := range ours {
			for _, want := range []string{
				"[INFO]", " as ordered: ", "pluginId=everything", "endpoint=queryData", "refID=A", "dsName=Rain", "dsUid=rain", "uname=Ada",
				"traceId=" + span.SpanContext().TraceID().String(), "dashboardUID=d1",
			} {
				if strings.Count(line, want) != 1 {
					t.Errorf("want %s, once, in %s", want, line)
				}
			}
		}
	}
}
