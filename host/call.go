package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/plugboard/plugboard/host/internal/process"
	"github.com/plugboard/plugboard/host/internal/supervisor"
	"github.com/plugboard/plugboard/plugin"
)

// Query asks the plugin named in the request's context a batch of queries.
// What the context leaves out and the host knows is filled in, here and in
// every other call.
func (h *Host) Query(ctx context.Context, req *plugin.QueryRequest) (*plugin.QueryResponse, error) {
	m, err := h.member(req.Context.PluginID)
	if err != nil {
		return nil, err
	}
	request := *req
	request.Context = h.fill(m, req.Context)
	ctx, t, err := h.enter(ctx, m, req.Context)
	if err != nil {
		return nil, err
	}
	defer t.leave()
	answer, err := read(ctx, m, func(ctx context.Context, c *plugin.Client) (*plugin.QueryResponse, error) {
		return c.Query(ctx, &request)
	})
	if err == nil {
		h.config.Limits.check(answer)
	}
	return answer, h.config.Limits.explain(ctx, err)
}

// QueryFunc is Query for answers that may be large: see plugin.Client.
func (h *Host) QueryFunc(ctx context.Context, req *plugin.QueryRequest, use func(answer *plugin.QueryResponse, release func()) error) error {
	m, err := h.member(req.Context.PluginID)
	if err != nil {
		return err
	}
	request := *req
	request.Context = h.fill(m, req.Context)
	ctx, t, err := h.enter(ctx, m, req.Context)
	if err != nil {
		return err
	}
	defer t.leave()
	var failed error
	_, err = read(ctx, m, func(ctx context.Context, c *plugin.Client) (struct{}, error) {
		return struct{}{}, c.QueryFunc(ctx, &request, func(answer *plugin.QueryResponse, release func()) error {
			t.answered()
			h.config.Limits.check(answer)
			failed = use(answer, release) // which is no sign of what became of the process
			return nil
		})
	})
	return cmp.Or(h.config.Limits.explain(ctx, err), failed)
}

// CheckHealth asks whether a data source or app works. A plugin without the
// capability answers plugin.ErrNotImplemented.
func (h *Host) CheckHealth(ctx context.Context, req *plugin.HealthRequest) (plugin.Health, error) {
	m, err := h.member(req.Context.PluginID)
	if err != nil {
		return plugin.Health{}, err
	}
	request := *req
	request.Context = h.fill(m, req.Context)
	ctx, cancel := h.config.Limits.time(ctx)
	defer cancel()
	health, err := read(ctx, m, func(ctx context.Context, c *plugin.Client) (plugin.Health, error) {
		return c.CheckHealth(ctx, &request)
	})
	return health, h.config.Limits.explain(ctx, err)
}

// CallResource makes an HTTP request of a plugin and hands every message of
// its answer to send as it arrives; an error of send ends the call and is
// returned. A plugin may answer nothing at all. A request whose method is not
// idempotent does not wait for a plugin that is started after a failure.
func (h *Host) CallResource(ctx context.Context, req *plugin.ResourceRequest, send func(plugin.ResourceResponse) error) error {
	m, err := h.member(req.Context.PluginID)
	if err != nil {
		return err
	}
	request := *req
	request.Context = h.fill(m, req.Context)
	if err := m.gate.Enter(ctx, uidOf(req.Context)); err != nil {
		return m.busy(err)
	}
	defer m.gate.Leave(uidOf(req.Context))
	return do(ctx, m, idempotent(req.Method), func(ctx context.Context, c *plugin.Client) error {
		return c.CallResource(ctx, &request, send)
	})
}

// idempotent tells what RFC 9110 says of a method.
func idempotent(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// Metrics returns a plugin's metrics as Prometheus text, format 0.0.4. A
// plugin without the capability answers plugin.ErrNotImplemented.
func (h *Host) Metrics(ctx context.Context, pluginID string) ([]byte, error) {
	m, err := h.member(pluginID)
	if err != nil {
		return nil, err
	}
	return read(ctx, m, func(ctx context.Context, c *plugin.Client) ([]byte, error) { return c.Metrics(ctx) })
}

// Forget says that the data source of a context was deleted, or an app
// disabled: its streams end, as far as their renew fails now, and a plugin on
// our SDK closes what it holds open for it once the calls under way have ended.
// Others notice nothing. Of the data source's settings, ID and UID are enough.
// A plugin that does not run holds nothing open.
func (h *Host) Forget(ctx context.Context, deleted plugin.Context) error {
	m, err := h.member(deleted.PluginID)
	if err != nil {
		return err
	}
	uid := "" // an app's
	if deleted.DataSource != nil {
		uid = deleted.DataSource.UID
	}
	h.streams.Renew(m.id, uid)
	held, ok := m.supervisor.Running()
	if !ok {
		return nil
	}
	defer m.supervisor.Release(held)
	err = held.Process.client.Forget(ctx, h.fill(m, deleted))
	if errors.Is(err, plugin.ErrNotImplemented) || errors.Is(err, plugin.ErrUnavailable) {
		return nil
	}
	return err
}

// member returns the plugin of an id or alias, if it has a backend to call.
func (h *Host) member(id string) (*member, error) {
	m, ok := h.members[id]
	if !ok {
		return nil, fmt.Errorf("%w: %q is not installed", ErrNotFound, id)
	}
	if m.supervisor == nil {
		return nil, fmt.Errorf("%w: %s is a frontend only", ErrNoBackend, id)
	}
	return m, nil
}

// attempts bounds how often a call is made that no process has received.
const attempts = 3

// dying is how long the connection of a process that was killed may take
// calls that nobody reads any more.
const dying = 250 * time.Millisecond

// call makes one call to a plugin's process. If that turns out to be dead, or
// deaf, before the call has reached it, the call is made to the next one, which
// a patient call waits for.
func call[T any](ctx context.Context, m *member, patient bool, ask func(context.Context, *plugin.Client) (T, error)) (answer T, err error) {
	answer, _, err = try(ctx, m, patient, ask)
	return answer, err
}

// read is call for calls that change nothing. One that met a process which
// somebody was killing is made once more: it cannot be told from a call under
// which the process was killed, but it may be asked twice.
func read[T any](ctx context.Context, m *member, ask func(context.Context, *plugin.Client) (T, error)) (T, error) {
	answer, died, err := try(ctx, m, true, ask)
	if died {
		answer, _, err = try(ctx, m, true, ask)
	}
	return answer, err
}

// try makes a call until a process has received it. It reports whether that
// one was killed, rather than died of itself, before it can have done much.
func try[T any](ctx context.Context, m *member, patient bool, ask func(context.Context, *plugin.Client) (T, error)) (answer T, killed bool, err error) {
	for range attempts {
		var held *supervisor.Held[*running]
		if held, err = m.acquire(ctx, patient); err != nil {
			return answer, false, err
		}
		r := held.Process
		var sent bool
		began := time.Now()
		answer, err = func() (T, error) {
			defer m.supervisor.Release(held)
			return ask(process.NoteSent(ctx, &sent), r.client)
		}()
		if !lost(ctx, err) {
			return answer, false, err
		}
		took := time.Since(began)
		if err = m.explain(r, err, patient); sent {
			return answer, took < dying && wasKilled(err), err
		}
		m.giveUp(r)
	}
	return answer, false, err
}

func wasKilled(err error) bool {
	exit, ok := errors.AsType[*process.ExitError](err)
	return ok && exit.Killed()
}

// do is call for calls that return nothing.
func do(ctx context.Context, m *member, patient bool, ask func(context.Context, *plugin.Client) error) error {
	_, err := call(ctx, m, patient, func(ctx context.Context, c *plugin.Client) (struct{}, error) { return struct{}{}, ask(ctx, c) })
	return err
}

// fill completes a context with what the host knows. Plugins on the official
// SDK break without some of it.
func (h *Host) fill(m *member, c plugin.Context) plugin.Context {
	is := m.version().entry.Manifest
	c.PluginVersion = is.Info.Version
	c.UserAgent = h.userAgent
	c.GrafanaConfig = h.config.GrafanaConfig
	if c.Namespace == "" {
		c.Namespace = "default"
	}
	if c.OrgID == 0 {
		c.OrgID = 1
	}
	if c.App == nil && is.Type == "app" {
		c.App = &plugin.AppSettings{}
	}
	return c
}
