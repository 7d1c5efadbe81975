package plugin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// errClosed answers calls that come when the plugin is ending.
var errClosed = fmt.Errorf("%w: it is shutting down", ErrUnavailable)

// errReplaced ends streams on an instance whose settings are no longer true.
var errReplaced = errors.New("the settings have changed")

// instances holds the open instance of every data source (or tenant of an
// app), counts the calls on each, and closes those that were replaced,
// forgotten or long unused when their last call has ended. It may be used from
// many goroutines.
type instances struct {
	open   func(context.Context, seed) (*instance, error)
	idle   time.Duration // 0 keeps unused instances open
	logger *slog.Logger

	mu    sync.Mutex
	slots map[slotKey]*slot
	// alive counts instances from the start of their opening to the end of
	// their closing.
	alive int
	// ever counts instances from the end of their opening.
	ever   int
	closed bool
	// empty is closed when closed is true and alive is 0.
	empty chan struct{}
}

// slotKey tells data sources apart, and the tenants of an app.
type slotKey struct {
	org       int64
	id        int64
	uid       string
	namespace string
}

func keyOf(c Context) slotKey {
	if c.DataSource != nil {
		return slotKey{id: c.DataSource.ID, uid: c.DataSource.UID, namespace: c.Namespace}
	}
	return slotKey{org: c.OrgID, namespace: c.Namespace}
}

// slot is the place of one data source: its instance, the opening under way,
// and the opening that failed last, as far as there are any.
type slot struct {
	key     slotKey
	current *held
	opening *opening
	failure *failure
}

// held is an open instance with the calls on it counted.
type held struct {
	*instance
	settings Context
	metrics  *prometheus.Registry
	senders  senders
	calls    int
	// used is when the last call ended, for expiry.
	used   time.Time
	expiry *time.Timer
	// retired ends when the place is another's, or nobody's any more.
	retired context.Context
	retire  context.CancelFunc
}

// opening is the making of an instance, which everyone who needs it awaits.
type opening struct {
	settings Context
	metrics  *prometheus.Registry
	// waiters is how many calls will hold the instance once it is open. When
	// all have left it is abandoned, and cancel has been called.
	waiters   int
	abandoned bool
	// forgotten says that the instance is not to keep its place.
	forgotten bool
	cancel    context.CancelFunc
	done      chan struct{}
	// held or err is set when done is closed.
	held *held
	err  error
}

func newInstances(open func(context.Context, seed) (*instance, error), idle time.Duration, logger *slog.Logger) *instances {
	return &instances{open: open, idle: idle, logger: logger, slots: map[slotKey]*slot{}, empty: make(chan struct{})}
}

// acquire returns the instance for the settings in c, opening it if need be.
// Soon after that has failed, it fails again without an attempt, unless the
// caller insists on one. The caller releases the instance.
func (s *instances) acquire(ctx context.Context, c Context, insist bool) (*held, error) {
	for {
		have, making, joined, err := s.find(ctx, c, insist)
		if have != nil || err != nil {
			return have, err
		}
		select {
		case <-making.done:
		case <-ctx.Done():
			if joined {
				s.leave(making)
			}
			return nil, ctx.Err()
		}
		if joined {
			return making.held, making.err
		}
	}
}

// find returns the instance wanted; or the opening to await, and whether its
// outcome is the one wanted.
func (s *instances) find(ctx context.Context, c Context, insist bool) (*held, *opening, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, false, errClosed
	}
	key := keyOf(c)
	place := s.slots[key]
	if place == nil {
		place = &slot{key: key}
		s.slots[key] = place
	}
	if h := place.current; h != nil && sameSettings(h.settings, c) {
		h.calls++
		return h, nil, false, nil
	}
	if place.opening == nil {
		if err := place.failure.recent(c); err != nil && !insist {
			return nil, nil, false, err
		}
		place.opening = s.start(ctx, place, c)
	}
	making := place.opening
	if making.abandoned || !sameSettings(making.settings, c) {
		return nil, making, false, nil
	}
	making.waiters++
	return nil, making, true, nil
}

// start begins an opening, for one waiter who is still to be counted. s.mu is
// held.
func (s *instances) start(ctx context.Context, place *slot, c Context) *opening {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	making := &opening{settings: c, metrics: prometheus.NewRegistry(), cancel: cancel, done: make(chan struct{})}
	s.alive++
	go func() {
		defer cancel()
		in, err := s.openOne(ctx, making)
		s.opened(place, making, in, err)
	}()
	return making
}

func (s *instances) openOne(ctx context.Context, making *opening) (in *instance, err error) {
	defer recovered(ctx, s.logger, &err)
	return s.open(ctx, seed{
		context: making.settings,
		logger:  s.logger.With(instanceAttr(making.settings)),
		metrics: prometheus.WrapRegistererWith(instanceLabels(making.settings), making.metrics),
	})
}

// opened puts the outcome of an opening in its place.
func (s *instances) opened(place *slot, making *opening, in *instance, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer close(making.done)
	defer s.tidy(place)
	place.opening = nil
	if err != nil {
		making.err = err
		s.gone()
		if !making.abandoned && !making.forgotten && !s.closed {
			s.failed(place, making.settings, err)
		}
		return
	}
	h := &held{instance: in, settings: making.settings, metrics: making.metrics, calls: making.waiters, used: time.Now()}
	h.retired, h.retire = context.WithCancel(context.Background())
	making.held = h
	s.ever++
	place.forgive()
	s.retire(place)
	place.current = h
	if s.closed || making.forgotten {
		s.retire(place)
	} else if s.idle > 0 {
		h.expiry = time.AfterFunc(s.idle, func() { s.expire(place, h) })
	}
}

// tidy gives up a place with nothing in it. s.mu is held.
func (s *instances) tidy(place *slot) {
	if place.current == nil && place.opening == nil && place.failure == nil {
		delete(s.slots, place.key)
	}
}

// leave is for a caller who does not await an opening to its end.
func (s *instances) leave(making *opening) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-making.done:
		s.letGo(making.held)
	default:
		making.waiters--
		if making.waiters == 0 {
			making.abandoned = true
			making.cancel()
		}
	}
}

// release ends a call on an instance.
func (s *instances) release(h *held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.letGo(h)
}

// letGo is release with s.mu held.
func (s *instances) letGo(h *held) {
	if h == nil {
		return
	}
	h.calls--
	h.used = time.Now()
	if h.calls == 0 && h.retired.Err() != nil {
		go s.close(h)
	}
}

// retire takes the instance out of its place, and closes it if no call is on
// it. s.mu is held.
func (s *instances) retire(place *slot) {
	h := place.current
	if h == nil {
		return
	}
	place.current = nil
	h.retire()
	if h.expiry != nil {
		h.expiry.Stop()
	}
	if h.calls == 0 {
		go s.close(h)
	}
}

// close is called once for every instance, in a goroutine that shutdown
// awaits.
func (s *instances) close(h *held) {
	if h.closer != nil {
		if err := s.closeOne(h); err != nil {
			s.logger.Error("closing an instance failed", instanceAttr(h.settings), keyError, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone()
}

func (s *instances) closeOne(h *held) (err error) {
	defer recovered(context.Background(), s.logger.With(instanceAttr(h.settings)), &err)
	return h.closer.Close()
}

// gone counts an instance out. s.mu is held.
func (s *instances) gone() {
	s.alive--
	if s.closed && s.alive == 0 {
		close(s.empty)
	}
}

// shutdown refuses further calls and returns when all instances are closed,
// or with an error when ctx ends: those with a call on them are not closed
// then. It may be called once.
func (s *instances) shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	for _, place := range s.slots {
		s.retire(place)
		place.forgive()
	}
	if s.alive == 0 {
		close(s.empty)
	}
	s.mu.Unlock()
	select {
	case <-s.empty:
		return nil
	case <-ctx.Done():
		return errors.New("some calls did not end in time: their instances are not closed")
	}
}

// count returns how many instances are not closed yet.
func (s *instances) count() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return float64(s.alive)
}

// everOpened counts the instances that were opened.
func (s *instances) everOpened() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return float64(s.ever)
}

// registries returns those of the instances in their places.
func (s *instances) registries() []prometheus.Gatherer {
	s.mu.Lock()
	defer s.mu.Unlock()
	var registries []prometheus.Gatherer
	for _, place := range s.slots {
		if place.current != nil {
			registries = append(registries, place.current.metrics)
		}
	}
	return registries
}
