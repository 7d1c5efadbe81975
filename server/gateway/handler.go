package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/access"
)

// handler answers a request, or returns why it cannot; then it has written
// nothing, or the error is broken.
type handler func(w http.ResponseWriter, r *http.Request) error

// broken is the error of an answer that had begun: the client is told by the
// connection's end.
type broken struct{ error }

// open makes a handler that asks nobody who they are.
func (g *Gateway) open(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer g.recoverPanic(w, r)
		if err := h(w, r); err != nil {
			g.fail(w, r, err)
		}
	})
}

// allowed makes a handler for users with a role or more.
func (g *Gateway) allowed(least access.Role, h handler) http.Handler {
	return g.open(func(w http.ResponseWriter, r *http.Request) error {
		user, err := g.guard.Identify(r)
		if err != nil {
			return refused(w, err)
		}
		if !user.Role.Includes(least) {
			return forbidden("Permission denied: this takes the role %s, and %s is %s", least, user.Login, user.Role)
		}
		return h(w, r.WithContext(withUser(r.Context(), user)))
	})
}

type userKey struct{}

func withUser(ctx context.Context, user access.User) context.Context {
	return context.WithValue(ctx, userKey{}, user)
}

// userOf returns who makes a request; it is nobody, who may do nothing, if no
// one was asked.
func userOf(r *http.Request) access.User {
	user, _ := r.Context().Value(userKey{}).(access.User)
	return user
}

// fail answers with an error, and logs it where an operator could act on it.
func (g *Gateway) fail(w http.ResponseWriter, r *http.Request, err error) {
	if b, ok := errors.AsType[broken](err); ok {
		g.log.Warn("answer broken off", keyPath, r.URL.Path, keyError, b.error)
		panic(http.ErrAbortHandler)
	}
	f := asFailure(err)
	if f.status == http.StatusInternalServerError && f.source == "" {
		g.log.Error(f.message, keyPath, r.URL.Path, keyError, f.cause)
	}
	_ = writeJSON(w, f.status, struct {
		Message     string             `json:"message"`
		MessageID   string             `json:"messageId,omitempty"`
		StatusCode  int                `json:"statusCode"`
		TraceID     string             `json:"traceID"`
		ErrorSource plugin.ErrorSource `json:"errorSource,omitempty"`
	}{f.message, f.id, f.status, "", f.source})
}

// asFailure turns an error that nobody translated into one of ours.
func asFailure(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	return &failure{status: http.StatusInternalServerError, message: "Internal server error", cause: err}
}

// recoverPanic keeps a fault of ours to the one request it struck.
func (g *Gateway) recoverPanic(w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler {
		panic(p)
	}
	g.log.Error("request panicked", keyPath, r.URL.Path, keyError, p, "stack", string(debug.Stack()))
	g.fail(w, r, &failure{status: http.StatusInternalServerError, message: "Internal server error", cause: fmt.Errorf("panic: %v", p)})
}

// writeJSON answers with v.
func writeJSON(w http.ResponseWriter, status int, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // the client has gone away, or not
	return nil
}

// readBody reads the whole body of a request.
func (g *Gateway) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, g.maxBody))
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, &failure{
			status:  http.StatusRequestEntityTooLarge,
			message: fmt.Sprintf("bad request data: the body is over %d bytes, and plugins take no more", tooLarge.Limit),
		}
	}
	if err != nil {
		return nil, badRequest("bad request data: read the body: %w", err)
	}
	return body, nil
}

// readJSON reads the body of a request into v.
func (g *Gateway) readJSON(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := g.readBody(w, r)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return badRequest("bad request data: %w", err)
	}
	return nil
}

// observe reports a call to whoever counts them.
func (g *Gateway) observe(c call, t target, start time.Time, err error) {
	if g.observer != nil {
		g.observer(t.PluginID, t.sourceUID(), c.endpoint, time.Since(start), err)
	}
}
