package plugin

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/plugboard/plugboard/trace"
)

// Trace returns p with spans of its calls, and those that the author starts
// under them, going to the Tracer that open opens: trace/otlp has one. Open is
// called once the plugin is served; a nil Tracer wants no spans, and an error
// is logged and costs no more than them.
//
// Without Trace, trace context is still passed on to whom the plugin talks to.
func (p Plugin) Trace(open func(*slog.Logger) (trace.Tracer, error)) Plugin {
	p.tracer = open
	return p
}

// startTracing returns how to end it, once all calls have.
func (s *server) startTracing() (stop func()) {
	if s.plugin.tracer == nil {
		return func() {}
	}
	tracer, err := s.plugin.tracer(s.logger)
	if err != nil {
		s.logger.Warn("no traces are recorded", keyError, err)
	}
	if err != nil || tracer == nil {
		return func() {}
	}
	s.tracer = tracer
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := tracer.Run(ctx); err != nil {
			s.logger.Warn("traces were lost", keyError, err)
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}

// startSpan starts the span of a call. Names are the official SDK's, so that
// searches for traces fit.
func (s *server) startSpan(ctx context.Context, c *call) (context.Context, *trace.Span) {
	if s.tracer == nil {
		return ctx, nil
	}
	of := c.context
	ctx = trace.With(ctx, s.tracer, trace.Service{Name: of.PluginID, Version: of.PluginVersion})
	ctx, span := trace.StartKind(ctx, trace.Server, "sdk."+c.endpoint)
	span.Set(slog.String("plugin_id", of.PluginID))
	span.Set(slog.Int64("org_id", of.OrgID))
	if of.DataSource != nil {
		span.Set(slog.String("datasource_name", of.DataSource.Name))
		span.Set(slog.String("datasource_uid", of.DataSource.UID))
	}
	if of.User != nil {
		span.Set(slog.String("user", of.User.Name))
	}
	return ctx, span
}

func endSpan(span *trace.Span, how outcome, err error) {
	span.Set(slog.String("request_status", how.status()))
	span.Set(slog.String("status_source", string(how.source())))
	span.Fail(err)
	span.End()
}

// tracingConn takes the trace that a call is part of along with it, in a span
// of its own where somebody records them.
type tracingConn struct{ grpc.ClientConnInterface }

func (c tracingConn) Invoke(ctx context.Context, method string, request, reply any, options ...grpc.CallOption) error {
	ctx, span := trace.StartKind(ctx, trace.Client, strings.TrimPrefix(method, "/"))
	err := c.ClientConnInterface.Invoke(passTrace(ctx), method, request, reply, options...)
	span.Fail(err)
	span.End()
	return err
}

func (c tracingConn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, options ...grpc.CallOption) (grpc.ClientStream, error) {
	ctx, span := trace.StartKind(ctx, trace.Client, strings.TrimPrefix(method, "/"))
	stream, err := c.ClientConnInterface.NewStream(passTrace(ctx), desc, method, options...)
	switch {
	case span == nil:
		return stream, err
	case err != nil:
		span.Fail(err)
		span.End()
		return nil, err
	}
	// Every method of Client cancels its stream's context at the end.
	context.AfterFunc(ctx, span.End)
	return tracedStream{stream, span}, nil
}

// tracedStream ends its span with what ends the stream.
type tracedStream struct {
	grpc.ClientStream
	span *trace.Span
}

func (s tracedStream) RecvMsg(message any) error {
	err := s.ClientStream.RecvMsg(message)
	if err != nil {
		if !errors.Is(err, io.EOF) {
			s.span.Fail(err)
		}
		s.span.End()
	}
	return err
}

func passTrace(ctx context.Context) context.Context {
	p := trace.From(ctx)
	if !p.Valid() {
		return ctx
	}
	if p.State == "" {
		return metadata.AppendToOutgoingContext(ctx, trace.ParentHeader, p.String())
	}
	return metadata.AppendToOutgoingContext(ctx, trace.ParentHeader, p.String(), trace.StateHeader, p.State)
}
