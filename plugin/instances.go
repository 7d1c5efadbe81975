package plugin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// errClosed answers calls that come when the plugin is ending.
var errClosed = fmt.Errorf("%w: it is shutting down", ErrUnavailable)

// errReplaced ends streams on an instance whose settings are no longer true.
var errReplaced = errors.New("the settings have changed")

// instances holds the open instance of every data source (or tenant of an
// app), counts the calls on each, and closes those that were replaced when
// their last call has ended. It may be used from many goroutines.
type instances struct {
	open   func(context.Context, seed) (*instance, error)
	logger *slog.Logger

	mu    sync.Mutex
	slots map[slotKey]*slot
	// alive counts instances from the start of their opening to the end of
	// their closing.
	alive  int
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

// slot is the place of one data source: its instance, if one was ever opened,
// and the opening under way, if there is one.
type slot struct {
	current *held
	opening *opening
}

// held is an open instance with the calls on it counted.
type held struct {
	*instance
	settings Context
	metrics  *prometheus.Registry
	calls    int
	// retired ends when other settings have taken the place.
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
	cancel    context.CancelFunc
	done      chan struct{}
	// held or err is set when done is closed.
	held *held
	err  error
}

func newInstances(open func(context.Context, seed) (*instance, error), logger *slog.Logger) *instances {
	return &instances{open: open, logger: logger, slots: map[slotKey]*slot{}, empty: make(chan struct{})}
}

// acquire returns the instance for the settings in c, opening it if need be.
// The caller releases it.
func (s *instances) acquire(ctx context.Context, c Context) (*held, error) {
	for {
		have, making, joined, err := s.find(ctx, c)
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
func (s *instances) find(ctx context.Context, c Context) (*held, *opening, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, false, errClosed
	}
	key := keyOf(c)
	place := s.slots[key]
	if place == nil {
		place = &slot{}
		s.slots[key] = place
	}
	if h := place.current; h != nil && sameSettings(h.settings, c) {
		h.calls++
		return h, nil, false, nil
	}
	if place.opening == nil {
		place.opening = s.start(ctx, key, place, c)
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
func (s *instances) start(ctx context.Context, key slotKey, place *slot, c Context) *opening {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	making := &opening{settings: c, metrics: prometheus.NewRegistry(), cancel: cancel, done: make(chan struct{})}
	s.alive++
	go func() {
		defer cancel()
		in, err := s.openOne(ctx, making)
		s.opened(key, place, making, in, err)
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
func (s *instances) opened(key slotKey, place *slot, making *opening, in *instance, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer close(making.done)
	place.opening = nil
	if err != nil {
		making.err = err
		s.gone()
		if place.current == nil {
			delete(s.slots, key)
		}
		return
	}
	making.held = &held{instance: in, settings: making.settings, metrics: making.metrics, calls: making.waiters}
	making.held.retired, making.held.retire = context.WithCancel(context.Background())
	s.retire(place)
	place.current = making.held
	if s.closed {
		s.retire(place)
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

// sameSettings compares what an instance is made from, by value: a host that
// forgets to move Updated is forgiven. GrafanaConfig is left out, since it
// changes for reasons that should not drop a pool of connections.
func sameSettings(a, b Context) bool {
	switch {
	case a.DataSource != nil && b.DataSource != nil:
		return sameDataSource(a.DataSource, b.DataSource)
	case a.App != nil && b.App != nil:
		return a.App.Updated.Equal(b.App.Updated) && a.App.APIVersion == b.App.APIVersion &&
			bytes.Equal(a.App.JSON, b.App.JSON) && maps.Equal(a.App.Secrets, b.App.Secrets)
	}
	return a.DataSource == b.DataSource && a.App == b.App
}

func sameDataSource(a, b *DataSourceSettings) bool {
	return a.Updated.Equal(b.Updated) && a.ID == b.ID && a.UID == b.UID && a.Name == b.Name &&
		a.URL == b.URL && a.User == b.User && a.Database == b.Database &&
		a.BasicAuth == b.BasicAuth && a.BasicAuthUser == b.BasicAuthUser && a.APIVersion == b.APIVersion &&
		bytes.Equal(a.JSON, b.JSON) && maps.Equal(a.Secrets, b.Secrets)
}
