package plugin

import (
	"context"
	"net/http"
)

// call is what the code of an author may ask about the call it is in.
type call struct {
	context Context
	headers map[string]string
	// header replaces headers in a call of a resource.
	header http.Header
}

type callKey struct{}

func withCall(ctx context.Context, c call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// ContextFrom says who makes the call that ctx belongs to, and against which
// settings. ctx is one that this package handed out, or derived from it;
// otherwise the Context is empty.
func ContextFrom(ctx context.Context) Context {
	c, _ := ctx.Value(callKey{}).(call)
	return c.context
}

// HeadersFrom returns the headers of the call that ctx belongs to, by the
// wire's keys: HTTPHeader finds the forwarded HTTP headers among them. The
// map is the caller's.
func HeadersFrom(ctx context.Context) map[string]string {
	c, _ := ctx.Value(callKey{}).(call)
	headers := make(map[string]string, len(c.headers)+len(c.header))
	for key, value := range c.headers {
		headers[key] = value
	}
	for name := range c.header {
		SetHeader(headers, name, c.header.Get(name))
	}
	return headers
}
