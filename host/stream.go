package host

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/plugboard/plugboard/host/internal/hub"
	"github.com/plugboard/plugboard/plugin"
)

// ErrSlow ends the subscription of a listener that has not kept up: what it
// would get after a gap may make no sense. It may subscribe again.
var ErrSlow = hub.ErrSlow

// Subscription receives what a plugin sends on one channel.
type Subscription struct {
	listener *hub.Listener
}

// Initial is the first packet for this subscriber: the plugin's own; or, if it
// has none and its stream of frames runs already, the latest frame with its
// schema; or empty.
func (s *Subscription) Initial() json.RawMessage { return s.listener.Initial() }

// Next returns the next packet, verbatim. Subscribers share its bytes, so they
// must not be changed. At the end of the stream it returns io.EOF, or why it
// ended: ErrSlow, a refusal, the error of renew. It may be called from one
// goroutine at a time.
func (s *Subscription) Next(ctx context.Context) ([]byte, error) { return s.listener.Next(ctx) }

// Close ends the subscription; the channel's last stops the stream. It may be
// called at any time, and many times.
func (s *Subscription) Close() { s.listener.Close() }

// Subscribe listens to a channel of a plugin or, if the request's context has
// one, of a data source. The plugin is asked for every subscriber, and may
// refuse with ErrStreamNotFound or ErrStreamDenied. It runs the stream once for
// all of them, with the request of the first.
//
// A stream that fails, or whose plugin dies, is a pause for its subscribers: it
// is run again, with the context that renew returns then. An error of renew
// ends the stream. A nil renew keeps the context of the request.
func (h *Host) Subscribe(ctx context.Context, req *plugin.StreamRequest, renew func(context.Context) (plugin.Context, error)) (*Subscription, error) {
	m, request, err := h.streamRequest(req)
	if err != nil {
		return nil, err
	}
	initial, err := subscribe(ctx, m, request)
	if err != nil {
		return nil, err
	}
	return &Subscription{h.streams.Join(streamKey(m, request), request, h.renewal(m, renew), initial)}, nil
}

// Publish hands the plugin something a client publishes to a channel. What it
// answers, if anything, goes to all subscribers.
func (h *Host) Publish(ctx context.Context, req *plugin.StreamRequest) (plugin.StreamReply, error) {
	m, request, err := h.streamRequest(req)
	if err != nil {
		return plugin.StreamReply{}, err
	}
	reply, err := call(ctx, m, false, func(ctx context.Context, c *plugin.Client) (plugin.StreamReply, error) {
		return c.Publish(ctx, request)
	})
	if err == nil && reply.Status == plugin.StreamOK && len(reply.Data) > 0 {
		h.streams.Publish(streamKey(m, request), reply.Data)
	}
	return reply, err
}

// RenewStreams runs the streams of a data source anew, with fresh contexts: its
// settings have changed. An empty uid means those of the plugin itself, an app.
func (h *Host) RenewStreams(pluginID, dataSourceUID string) {
	if m, err := h.member(pluginID); err == nil {
		h.streams.Renew(m.id, dataSourceUID)
	}
}

func (h *Host) streamRequest(req *plugin.StreamRequest) (*member, *plugin.StreamRequest, error) {
	m, err := h.member(req.Context.PluginID)
	if err != nil {
		return nil, nil, err
	}
	request := *req
	request.Context = h.fill(m, req.Context)
	return m, &request, nil
}

func streamKey(m *member, req *plugin.StreamRequest) hub.Key {
	key := hub.Key{Plugin: m.id, Path: req.Path}
	if req.Context.DataSource != nil {
		key.DataSource = req.Context.DataSource.UID
	}
	return key
}

func (h *Host) renewal(m *member, renew func(context.Context) (plugin.Context, error)) hub.Renew {
	if renew == nil {
		return nil
	}
	return func(ctx context.Context) (plugin.Context, error) {
		fresh, err := renew(ctx)
		return h.fill(m, fresh), err
	}
}

// subscribe asks a plugin whether a subscriber may listen.
func subscribe(ctx context.Context, m *member, req *plugin.StreamRequest) (json.RawMessage, error) {
	reply, err := read(ctx, m, func(ctx context.Context, c *plugin.Client) (plugin.StreamReply, error) { return c.Subscribe(ctx, req) })
	if err != nil {
		return nil, err
	}
	switch reply.Status {
	case plugin.StreamOK:
		return reply.Data, nil
	case plugin.StreamNotFound:
		return nil, fmt.Errorf("%w: %s has no channel %q", ErrStreamNotFound, m.id, req.Path)
	default:
		return nil, fmt.Errorf("%w: %s, channel %q", ErrStreamDenied, m.id, req.Path)
	}
}

// streamRunner makes the hub's calls.
type streamRunner struct{ h *Host }

func (r streamRunner) Subscribe(ctx context.Context, req *plugin.StreamRequest) error {
	m, err := r.h.member(req.Context.PluginID)
	if err != nil {
		return err
	}
	_, err = subscribe(ctx, m, req)
	if isRefusal(err) {
		return fmt.Errorf("%w: %w", hub.ErrRefused, err)
	}
	return err
}

func (r streamRunner) RunStream(ctx context.Context, req *plugin.StreamRequest, send func([]byte) error) error {
	m, err := r.h.member(req.Context.PluginID)
	if err != nil {
		return err
	}
	return do(ctx, m, true, func(ctx context.Context, c *plugin.Client) error { return c.RunStream(ctx, req, send) })
}
