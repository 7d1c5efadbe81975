package plugin

import (
	"context"
	"log/slog"
	"testing"

	"google.golang.org/grpc/metadata"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/trace"
	"github.com/plugboard/plugboard/wire"
)

type silent struct{}

func openSilent(context.Context, Settings[struct{}]) (*silent, error)        { return &silent{}, nil }
func (*silent) Query(context.Context, Query[struct{}]) (frame.Frames, error) { return nil, nil }
func (*silent) CheckHealth(context.Context) (Health, error)                  { return Health{}, nil }
func openDiscarding(*slog.Logger) (trace.Tracer, error)                      { return discarding{}, nil }
func hostContext(ctx context.Context, parent string) context.Context {
	return metadata.NewIncomingContext(ctx, metadata.Pairs(":authority", "unused", "content-type", "application/grpc", "user-agent", "grpc-go/1.85.0", "traceparent", parent))
}

type discarding struct{}

func (discarding) Sample(trace.TraceID) bool     { return true }
func (discarding) Take(trace.Record)             {}
func (discarding) Run(ctx context.Context) error { <-ctx.Done(); return nil }

// TestEmptyMessages: what a host leaves out of a message is no panic. Those of
// plugins on the official SDK without a context or a time range are.
func TestEmptyMessages(t *testing.T) {
	s := newServer(DataSource(openSilent), slog.New(slog.DiscardHandler))
	defer s.drain()
	source := &wire.PluginContext{DataSourceInstanceSettings: &wire.DataSourceInstanceSettings{}}
	for _, c := range []*wire.PluginContext{nil, {}, source} {
		answer, err := s.QueryData(t.Context(), &wire.QueryDataRequest{PluginContext: c, Queries: []*wire.DataQuery{{RefId: "A"}}})
		if err != nil || answer.Responses["A"] == nil || (answer.Responses["A"].Error == "") != (c == source) {
			t.Errorf("context %v: answer %v, %v", c, answer, err)
		}
		health, err := s.CheckHealth(t.Context(), &wire.CheckHealthRequest{PluginContext: c})
		if err != nil || (health.Status == wire.CheckHealthResponse_OK) != (c == source) {
			t.Errorf("context %v: health %v, %v", c, health, err)
		}
		if _, err := s.Forget(t.Context(), &wire.ForgetRequest{PluginContext: c}); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.QueryData(t.Context(), &wire.QueryDataRequest{}); err != nil {
		t.Error(err)
	}
}

// BenchmarkCall is what a call costs a plugin beside gRPC and the author's
// code.
func BenchmarkCall(b *testing.B) {
	sampled := hostContext(context.Background(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	for _, test := range []struct {
		name string
		p    Plugin
		ctx  context.Context
	}{
		{"untraced", DataSource(openSilent), hostContext(context.Background(), "")},
		{"passed on", DataSource(openSilent), sampled},
		{"traced", DataSource(openSilent).Trace(openDiscarding), sampled},
	} {
		b.Run(test.name, func(b *testing.B) {
			s := newServer(test.p, slog.New(slog.DiscardHandler))
			defer s.startTracing()()
			defer s.drain()
			req := &wire.CheckHealthRequest{PluginContext: &wire.PluginContext{DataSourceInstanceSettings: &wire.DataSourceInstanceSettings{Uid: "u"}}}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.CheckHealth(test.ctx, req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
