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
