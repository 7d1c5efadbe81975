// Package collector is an OpenTelemetry collector for tests, by OpenTelemetry's
// own types.
package collector

import (
	"context"
	"encoding/hex"
	"net"
	"sync"
	"testing"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
)

// Collector keeps the spans it is sent.
type Collector struct {
	collectorpb.UnimplementedTraceServiceServer
	Address string

	mu    sync.Mutex
	spans []Span
}

// Span is a span and whose it is.
type Span struct {
	*tracepb.Span
	Service, Version string
	Attrs            map[string]any
}

// Trace and Parent are in hexadecimal.
func (s Span) Trace() string  { return hex.EncodeToString(s.TraceId) }
func (s Span) ID() string     { return hex.EncodeToString(s.SpanId) }
func (s Span) Parent() string { return hex.EncodeToString(s.ParentSpanId) }

// Start serves a Collector until the test ends.
func Start(t *testing.T) *Collector {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &Collector{Address: listener.Addr().String()}
	server := grpc.NewServer()
	collectorpb.RegisterTraceServiceServer(server, c)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return c
}

// Export takes spans.
func (c *Collector) Export(_ context.Context, req *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range req.ResourceSpans {
		of := attributes(resource.Resource.Attributes)
		name, _ := of["service.name"].(string)
		version, _ := of["service.version"].(string)
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				c.spans = append(c.spans, Span{Span: span, Service: name, Version: version, Attrs: attributes(span.Attributes)})
			}
		}
	}
	return &collectorpb.ExportTraceServiceResponse{}, nil
}

// Spans returns those of a name.
func (c *Collector) Spans(name string) []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	var named []Span
	for _, span := range c.spans {
		if span.Name == name {
			named = append(named, span)
		}
	}
	return named
}

// All returns the spans by id.
func (c *Collector) All() map[string]Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[string]Span{}
	for _, span := range c.spans {
		all[span.ID()] = span
	}
	return all
}

func attributes(pairs []*commonpb.KeyValue) map[string]any {
	m := map[string]any{}
	for _, pair := range pairs {
		switch value := pair.Value.Value.(type) {
		case *commonpb.AnyValue_StringValue:
			m[pair.Key] = value.StringValue
		case *commonpb.AnyValue_IntValue:
			m[pair.Key] = value.IntValue
		case *commonpb.AnyValue_BoolValue:
			m[pair.Key] = value.BoolValue
		case *commonpb.AnyValue_DoubleValue:
			m[pair.Key] = value.DoubleValue
		}
	}
	return m
}
