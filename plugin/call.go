package plugin

import (
	"context"
	"net/http"

	"github.com/plugboard/plugboard/plugin/internal/incall"
)

// call is what the code of an author may ask about the call it is in.
type call struct {
	endpoint string
	context  Context
	headers  map[string]string
	// header replaces headers in a call of a resource.
	header http.Header
}

// callContext is the context of one call. It costs a call one allocation:
// nothing is worked out before somebody asks.
type callContext struct {
	context.Context
	call call
}

type callKey struct{}

func (c *callContext) Value(key any) any {
	switch key.(type) {
	case callKey:
		return &c.call
	case incall.EndpointKey:
		return c.call.endpoint
	}
	return c.Context.Value(key)
}

func withCall(ctx context.Context, c call) context.Context {
	return &callContext{ctx, c}
}

// callOf returns the call that ctx belongs to, or an empty one.
func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{}
}

// queryContext is that of one query of a call.
type queryContext struct {
	context.Context
	refID string
}

type queryKey struct{}

func (q *queryContext) Value(key any) any {
	if _, ours := key.(queryKey); ours {
		return q.refID
	}
	return q.Context.Value(key)
}

// ContextFrom says who makes the call that ctx belongs to, and against which
// settings. ctx is one that this package handed out, or derived from it;
// otherwise the Context is empty.
func ContextFrom(ctx context.Context) Context {
	return callOf(ctx).context
}

// HeadersFrom returns the headers of the call that ctx belongs to, by the
// wire's keys: HTTPHeader finds the forwarded HTTP headers among them. The
// map is the caller's.
func HeadersFrom(ctx context.Context) map[string]string {
	c := callOf(ctx)
	headers := make(map[string]string, len(c.headers)+len(c.header))
	for key, value := range c.headers {
		headers[key] = value
	}
	for name := range c.header {
		SetHeader(headers, name, c.header.Get(name))
	}
	return headers
}
