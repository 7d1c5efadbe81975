package hub

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/plugboard/plugboard/plugin"
)

const (
	firstDelay   = 100 * time.Millisecond
	longestDelay = 5 * time.Second
	// A run of this length was a good one: the next failure is the first.
	goodRun = 5 * time.Second
)

// stream is one channel that somebody listens to.
type stream struct {
	key Key
	// done is closed when nothing of the stream runs any more.
	done chan struct{}

	mu        sync.Mutex
	listeners []*Listener // the oldest first
	ended     bool        // nobody can join any more
	stale     bool        // the context of the current run is outdated
	latest    latest      // of the current run
	cancel    context.CancelFunc
}

func newStream(key Key, first *Listener) *stream {
	s := &stream{key: key, done: make(chan struct{}), listeners: []*Listener{first}}
	first.stream = s
	return s
}

// add lets a listener join, unless the stream has ended.
func (s *stream) add(l *Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	s.listeners = append(s.listeners, l)
	l.stream = s
	s.latest.introduce(l)
	return true
}

// remove lets a listener go; after the last the stream is stopped.
func (s *stream) remove(l *Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners = slices.DeleteFunc(s.listeners, func(other *Listener) bool { return other == l })
	if len(s.listeners) == 0 {
		s.ended = true
		s.interrupt()
	}
}

// rerun makes the stream run anew with a fresh context.
func (s *stream) rerun() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stale = true
	s.interrupt()
}

func (s *stream) interrupt() {
	if s.cancel != nil {
		s.cancel()
	}
}

// run keeps the stream running until its plugin ends it, it may not go on, or
// nobody listens.
func (s *stream) run(h *Hub) {
	defer close(s.done)
	err := s.keepRunning(h)
	if err == nil {
		err = io.EOF
	}
	s.mu.Lock()
	s.ended = true
	listeners := slices.Clone(s.listeners)
	s.mu.Unlock()
	for _, l := range listeners {
		l.finish(err)
	}
}

func (s *stream) keepRunning(h *Hub) error {
	var retry backoff
	for fresh := true; ; fresh = false {
		ctx, cancel, stale, ok := s.begin(h.ctx)
		if !ok {
			return nil
		}
		began := time.Now()
		err := s.runOnce(ctx, h, fresh && !stale)
		interrupted := ctx.Err() != nil
		cancel()
		if interrupted {
			continue // begin knows whether to go on
		}
		if err == nil || isFinal(err) {
			return err
		}
		delay := retry.failed(time.Since(began))
		h.logger.Warn("stream failed", "plugin", s.key.Plugin, "datasource", s.key.DataSource, "path", s.key.Path, "error", err, "retry", delay)
		s.pause(h.ctx, delay)
	}
}

// begin prepares a run, unless nobody listens or the hub has been closed.
func (s *stream) begin(parent context.Context) (ctx context.Context, cancel context.CancelFunc, stale, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || parent.Err() != nil {
		return nil, nil, false, false
	}
	ctx, cancel = context.WithCancel(parent)
	stale, s.stale = s.stale, false
	s.latest = latest{}
	s.cancel = cancel
	return ctx, cancel, stale, true
}

// runOnce runs the stream for its oldest listener. Any run but a fresh one
// needs a new context and, for some plugins, a new subscription.
func (s *stream) runOnce(ctx context.Context, h *Hub, fresh bool) error {
	l := s.oldest()
	if l == nil {
		return nil
	}
	request := l.request
	if !fresh {
		var err error
		if request, err = l.renewed(ctx); err != nil {
			return &finalError{err}
		}
		if err := h.runner.Subscribe(ctx, request); err != nil {
			return err
		}
	}
	return h.runner.RunStream(ctx, request, func(packet []byte) error {
		s.received(packet)
		return nil
	})
}

func (s *stream) oldest() *Listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.listeners) == 0 {
		return nil
	}
	return s.listeners[0]
}

// received is broadcast for a packet of the stream itself.
func (s *stream) received(packet []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest.note(packet)
	s.broadcastLocked(packet)
}

// broadcast hands a packet to every listener, and waits for none.
func (s *stream) broadcast(packet []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broadcastLocked(packet)
}

func (s *stream) broadcastLocked(packet []byte) {
	kept := s.listeners[:0]
	for _, l := range s.listeners {
		if l.push(packet) {
			kept = append(kept, l)
		}
	}
	clear(s.listeners[len(kept):])
	s.listeners = kept
	if len(kept) == 0 {
		s.ended = true
		s.interrupt()
	}
}

// pause waits before the next attempt. A rerun or the last one's leaving ends
// it early.
func (s *stream) pause(parent context.Context, delay time.Duration) {
	ctx, cancel := context.WithTimeout(parent, delay)
	defer cancel()
	s.mu.Lock()
	s.cancel = cancel
	over := s.ended || s.stale
	s.mu.Unlock()
	if !over {
		<-ctx.Done()
	}
}

// finalError marks an error after which another attempt is pointless.
type finalError struct{ error }

func (e *finalError) Unwrap() error { return e.error }

func isFinal(err error) bool {
	_, final := errors.AsType[*finalError](err)
	return final || errors.Is(err, ErrRefused) || errors.Is(err, plugin.ErrNotImplemented)
}

// backoff counts the failures in a row.
type backoff struct{ failures int }

func (b *backoff) failed(after time.Duration) time.Duration {
	if after >= goodRun {
		b.failures = 0
	}
	delay := min(firstDelay<<min(b.failures, 10), longestDelay)
	b.failures++
	return delay
}
