package telemetry

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/plugboard/plugboard/trace"
)

// Tracing makes a request part of the trace that its traceparent names, and so
// what plugins are asked for it. With a Tracer it is a span, and the first of a
// trace if it names none; tracer may be nil.
func Tracing(next http.Handler, tracer trace.Tracer, version string) http.Handler {
	service := trace.Service{Name: "plugboard", Version: version}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		parent := trace.Parse(r.Header.Get(trace.ParentHeader), strings.Join(r.Header.Values(trace.StateHeader), ","))
		if !parent.Valid() && (tracer == nil || watching(r)) {
			next.ServeHTTP(w, r)
			return
		}
		ctx := trace.WithParent(r.Context(), parent)
		if tracer == nil {
			next.ServeHTTP(w, r.WithContext(ctx))
			return
		}
		ctx, span := trace.StartKind(trace.With(ctx, tracer, service), trace.Server, "HTTP "+methodName(r.Method))
		span.Set(slog.String("http.method", r.Method))
		span.Set(slog.String("http.target", r.URL.Path)) // no query: it may hold a secret
		code := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			span.Set(slog.Int("http.status_code", code.status))
			if code.status >= 500 {
				span.Fail(fmt.Errorf("%d %s", code.status, http.StatusText(code.status)))
			}
			span.End()
		}()
		next.ServeHTTP(code, r.WithContext(ctx))
	})
}

// watching tells whether somebody only looks whether we are well, again and
// again.
func watching(r *http.Request) bool { return r.URL.Path == "/metrics" || r.URL.Path == "/api/health" }

// methodName keeps made-up methods from making names without end.
func methodName(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status  int
	written bool
}

func (w *statusWriter) WriteHeader(status int) {
	if !w.written && status >= 200 {
		w.status, w.written = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	w.written = true
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
