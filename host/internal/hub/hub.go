// Package hub shares the streams of plugins: however many listen to a channel,
// the plugin runs it once.
package hub

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"

	"github.com/plugboard/plugboard/plugin"
)

// Errors that end a subscription; io.EOF is the one without a fault.
var (
	// ErrSlow: the listener has not kept up and has lost packets.
	ErrSlow = errors.New("the listener is too slow for the stream")
	// ErrRefused wraps a plugin's refusal, after which nothing is retried.
	ErrRefused = errors.New("refused by the plugin")
)

// Key names a channel.
type Key struct {
	Plugin string
	// DataSource is its uid; empty for a channel of the plugin itself.
	DataSource string
	// Path is opaque.
	Path string
}

// Runner makes the calls to plugins. Its errors are passed to listeners or
// lead to another attempt.
type Runner interface {
	// Subscribe returns nil if the plugin agrees, and an ErrRefused if not.
	Subscribe(context.Context, *plugin.StreamRequest) error
	RunStream(ctx context.Context, req *plugin.StreamRequest, send func(packet []byte) error) error
}

// Renew returns a fresh context for another run of a stream. Its error ends
// the stream: the data source is gone, say.
type Renew func(context.Context) (plugin.Context, error)

// Hub holds the running streams.
type Hub struct {
	runner Runner
	logger *slog.Logger

	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex
	streams map[Key]*stream
}

// New returns a hub without streams. It needs a Close.
func New(runner Runner, logger *slog.Logger) *Hub {
	ctx, cancel := context.WithCancel(context.Background())
	return &Hub{runner: runner, logger: logger, ctx: ctx, cancel: cancel, streams: map[Key]*stream{}}
}

// Join adds a listener to a channel. The first one's request starts the stream
// and its renew is asked when that must run again; once it has left, those of
// the next. The plugin must have agreed to the request already; initial is what
// it has for this listener, if anything.
func (h *Hub) Join(key Key, request *plugin.StreamRequest, renew Renew, initial []byte) *Listener {
	l := &Listener{initial: initial, request: request, renew: renew, arrived: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx.Err() != nil {
		l.finish(io.EOF)
		return l
	}
	s := h.streams[key]
	if s == nil || !s.add(l) {
		h.start(key, s, l)
	}
	return l
}

// start runs a stream once the one before on the same channel has ended:
// plugins keep books by path.
func (h *Hub) start(key Key, before *stream, first *Listener) {
	s := newStream(key, first)
	h.streams[key] = s
	h.running.Go(func() {
		if before != nil {
			<-before.done
		}
		s.run(h)
		h.forget(s)
	})
}

func (h *Hub) forget(s *stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.streams[s.key] == s {
		delete(h.streams, s.key)
	}
}

// Renew runs the streams of a data source anew, with fresh contexts; those of
// the plugin itself if the uid is empty.
func (h *Hub) Renew(plugin, dataSource string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for key, s := range h.streams {
		if key.Plugin == plugin && key.DataSource == dataSource {
			s.rerun()
		}
	}
}

// RenewAll is Renew for all streams of a plugin.
func (h *Hub) RenewAll(plugin string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for key, s := range h.streams {
		if key.Plugin == plugin {
			s.rerun()
		}
	}
}

// Running counts the streams of a plugin that run.
func (h *Hub) Running(plugin string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	running := 0
	for key := range h.streams {
		if key.Plugin == plugin {
			running++
		}
	}
	return running
}

// Publish hands a packet to all who listen to a channel.
func (h *Hub) Publish(key Key, packet []byte) {
	h.mu.Lock()
	s := h.streams[key]
	h.mu.Unlock()
	if s != nil {
		s.broadcast(packet)
	}
}

// Close ends all streams, and returns when they have. Listeners get io.EOF,
// those that join later too.
func (h *Hub) Close() {
	h.mu.Lock()
	h.cancel()
	h.mu.Unlock()
	h.running.Wait()
}
