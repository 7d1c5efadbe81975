package plugin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// counted is an instance that knows how often it was closed and how many
// calls were on it then.
type counted struct {
	settings Context
	calls    atomic.Int32
	closes   atomic.Int32
	closedIn atomic.Int32
}

func (c *counted) Close() error {
	c.closes.Add(1)
	c.closedIn.Add(c.calls.Load())
	return nil
}

// opener keeps what it opened.
type opener struct {
	mu     sync.Mutex
	opened []*counted
	before func(ctx context.Context, c Context) error
}

func (o *opener) open(ctx context.Context, s seed) (*instance, error) {
	if o.before != nil {
		if err := o.before(ctx, s.context); err != nil {
			return nil, err
		}
	}
	c := &counted{settings: s.context}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.opened = append(o.opened, c)
	return newInstance(c), nil
}

func (o *opener) instances() *instances {
	return newInstances(o.open, time.Hour, slog.New(slog.DiscardHandler))
}

// contextFor is a call to a data source in the state of a version.
func contextFor(uid string, version int) Context {
	return Context{DataSource: &DataSourceSettings{UID: uid, Secrets: Secrets{"version": fmt.Sprint(version)}}}
}

// TestInstancesUnderChangingSettings makes calls at random while settings
// change, data sources are deleted, callers give up, opening fails and
// instances fall idle, and judges by what each instance saw.
func TestInstancesUnderChangingSettings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &opener{before: func(ctx context.Context, c Context) error {
			time.Sleep(rand.N(20 * time.Millisecond))
			if rand.IntN(20) == 0 {
				return errors.New("no luck")
			}
			return ctx.Err()
		}}
		s := newInstances(o.open, 300*time.Millisecond, slog.New(slog.DiscardHandler))
		var version, made atomic.Int64
		var calls sync.WaitGroup
		for range 200 {
			calls.Go(func() {
				for range 50 {
					time.Sleep(rand.N(200 * time.Millisecond))
					if rand.IntN(50) == 0 {
						version.Add(1)
					}
					want := contextFor(fmt.Sprint(rand.IntN(8)), int(version.Load()))
					if rand.IntN(100) == 0 {
						s.forget(want)
					}
					if oneCall(t, s, want) {
						made.Add(1)
					}
				}
			})
		}
		calls.Wait()
		if err := s.shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(o.opened) < 100 || made.Load() < 5000 {
			t.Errorf("only %d instances were opened, for %d calls", len(o.opened), made.Load())
		}
		for _, c := range o.opened {
			if c.closes.Load() != 1 || c.closedIn.Load() != 0 {
				t.Errorf("closed %d times, with %d calls on it", c.closes.Load(), c.closedIn.Load())
			}
		}
		if s.alive != 0 {
			t.Errorf("%d instances are thought alive", s.alive)
		}
	})
}

// oneCall makes a call of some length, and reports whether there was an
// instance for it.
func oneCall(t *testing.T, s *instances, want Context) bool {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if rand.IntN(10) == 0 {
		defer time.AfterFunc(rand.N(10*time.Millisecond), cancel).Stop()
	}
	h, err := s.acquire(ctx, want, rand.IntN(10) == 0)
	if err != nil {
		return false
	}
	defer s.release(h)
	c := h.author.(*counted)
	c.calls.Add(1)
	defer c.calls.Add(-1)
	if rand.IntN(20) == 0 {
		time.Sleep(rand.N(time.Second))
	}
	if c.closes.Load() != 0 {
		t.Error("a call on a closed instance")
	}
	if !sameSettings(c.settings, want) {
		t.Errorf("want %v, have %v", want.DataSource, c.settings.DataSource)
	}
	return true
}

func TestOneOpeningForManyCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		o := &opener{before: func(context.Context, Context) error { <-gate; return nil }}
		s := o.instances()
		var calls sync.WaitGroup
		for range 100 {
			calls.Go(func() {
				h, err := s.acquire(t.Context(), contextFor("one", 1), false)
				if err != nil {
					t.Error(err)
					return
				}
				s.release(h)
			})
		}
		synctest.Wait()
		close(gate)
		calls.Wait()
		if len(o.opened) != 1 {
			t.Errorf("opened %d times", len(o.opened))
		}
		_ = s.shutdown(t.Context())
	})
}

func TestOpeningOutlivesTheFirstCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		o := &opener{before: func(ctx context.Context, _ Context) error {
			select {
			case <-gate:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}
		s := o.instances()
		first, leave := context.WithCancel(t.Context())
		outcome := make(chan error, 2)
		ask := func(ctx context.Context) {
			h, err := s.acquire(ctx, contextFor("one", 1), false)
			if err == nil {
				s.release(h)
			}
			outcome <- err
		}
		go ask(first)
		synctest.Wait()
		go ask(t.Context())
		synctest.Wait()
		leave()
		if err := <-outcome; !errors.Is(err, context.Canceled) {
			t.Errorf("first caller: %v", err)
		}
		close(gate)
		if err := <-outcome; err != nil {
			t.Errorf("second caller: %v", err)
		}
		_ = s.shutdown(t.Context())
	})
}

func TestOpeningEndsWhenNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &opener{before: func(ctx context.Context, _ Context) error { <-ctx.Done(); return ctx.Err() }}
		s := o.instances()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.acquire(ctx, contextFor("one", 1), false); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
		if s.alive != 0 || len(s.slots) != 0 {
			t.Errorf("%d alive in %d places", s.alive, len(s.slots))
		}
		o.before = nil
		h, err := s.acquire(t.Context(), contextFor("one", 1), false)
		if err != nil {
			t.Fatal(err)
		}
		s.release(h)
		_ = s.shutdown(t.Context())
	})
}

func TestFailedOpeningKeepsTheOldInstance(t *testing.T) {
	o := &opener{}
	s := o.instances()
	acquire := func(version int) error {
		h, err := s.acquire(t.Context(), contextFor("one", version), false)
		if err == nil {
			s.release(h)
		}
		return err
	}
	if err := acquire(1); err != nil {
		t.Fatal(err)
	}
	o.before = func(context.Context, Context) error { return errors.New("not yet") }
	for range 3 {
		if err := acquire(2); err == nil || err.Error() != "not yet" {
			t.Fatalf("got %v", err)
		}
	}
	o.before = nil
	if err := acquire(1); err != nil || len(o.opened) != 1 {
		t.Errorf("%d opened, %v", len(o.opened), err)
	}
	if err := acquire(3); err != nil {
		t.Error(err)
	}
	if err := s.shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	for _, c := range o.opened {
		if n := c.closes.Load(); n != 1 {
			t.Errorf("closed %d times", n)
		}
	}
}

func TestReplacedInstanceLivesAsLongAsItsCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &opener{}
		s := o.instances()
		long, err := s.acquire(t.Context(), contextFor("one", 1), false)
		if err != nil {
			t.Fatal(err)
		}
		short, err := s.acquire(t.Context(), contextFor("one", 2), false)
		if err != nil {
			t.Fatal(err)
		}
		s.release(short)
		time.Sleep(time.Minute)
		if o.opened[0].closes.Load() != 0 {
			t.Error("closed under a call")
		}
		s.release(long)
		synctest.Wait()
		if o.opened[0].closes.Load() != 1 || o.opened[1].closes.Load() != 0 {
			t.Error("the replaced instance is to be closed, and no other")
		}
		_ = s.shutdown(t.Context())
	})
}

func TestPanicsOfOpenAndClose(t *testing.T) {
	s := newInstances(func(_ context.Context, s seed) (*instance, error) {
		if s.context.DataSource.UID == "open" {
			panic("as ordered")
		}
		return newInstance(closePanics{}), nil
	}, 0, slog.New(slog.DiscardHandler))
	if _, err := s.acquire(t.Context(), contextFor("open", 1), false); err == nil || err.Error() != "the plugin panicked: as ordered" {
		t.Errorf("got %v", err)
	}
	h, err := s.acquire(t.Context(), contextFor("close", 1), false)
	if err != nil {
		t.Fatal(err)
	}
	s.release(h)
	if err := s.shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := s.acquire(t.Context(), contextFor("late", 1), false); !errors.Is(err, ErrUnavailable) {
		t.Errorf("after shutdown: %v", err)
	}
}

type closePanics struct{}

func (closePanics) Close() error { panic("as ordered") }
