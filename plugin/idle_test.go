package plugin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestIdleInstancesAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &opener{}
		s := newInstances(o.open, time.Hour, slog.New(slog.DiscardHandler))
		call := func(length time.Duration) {
			t.Helper()
			h, err := s.acquire(t.Context(), contextFor("one", 1), false)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(length)
			s.release(h)
		}
		for range 10 {
			call(0)
			time.Sleep(59 * time.Minute)
		}
		call(24 * time.Hour) // a stream, say
		time.Sleep(time.Hour - 1)
		if len(o.opened) != 1 || o.opened[0].closes.Load() != 0 {
			t.Fatalf("%d opened, the first closed %d times", len(o.opened), o.opened[0].closes.Load())
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if o.opened[0].closes.Load() != 1 || len(s.slots) != 0 || s.alive != 0 {
			t.Errorf("closed %d times, %d places, %d alive", o.opened[0].closes.Load(), len(s.slots), s.alive)
		}
		call(0)
		if len(o.opened) != 2 {
			t.Errorf("opened %d times", len(o.opened))
		}
		_ = s.shutdown(t.Context())
	})
}

func TestForgottenInstances(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{}, 1)
		o := &opener{before: func(context.Context, Context) error { <-gate; return nil }}
		s := o.instances()
		gate <- struct{}{}
		h, err := s.acquire(t.Context(), contextFor("one", 1), false)
		if err != nil {
			t.Fatal(err)
		}
		s.forget(contextFor("one", 1))
		s.forget(contextFor("one", 1))
		s.forget(contextFor("never heard of", 1))
		if h.retired.Err() == nil {
			t.Error("its streams go on")
		}
		synctest.Wait()
		if o.opened[0].closes.Load() != 0 {
			t.Error("closed under a call")
		}
		s.release(h)
		synctest.Wait()
		if o.opened[0].closes.Load() != 1 {
			t.Error("not closed")
		}

		// One that is forgotten while it opens still answers who waits for it.
		go func() {
			h, err := s.acquire(t.Context(), contextFor("one", 1), false)
			if err != nil {
				t.Error(err)
				return
			}
			s.release(h)
		}()
		synctest.Wait()
		s.forget(contextFor("one", 1))
		gate <- struct{}{}
		synctest.Wait()
		if len(o.opened) != 2 || o.opened[1].closes.Load() != 1 || len(s.slots) != 0 {
			t.Errorf("%d opened, %d places", len(o.opened), len(s.slots))
		}
		_ = s.shutdown(t.Context())
	})
}

// TestReopening asks ten times a second for two minutes, and looks when an
// attempt was made.
func TestReopening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var attempts []time.Duration
		start := time.Now()
		o := &opener{before: func(context.Context, Context) error {
			attempts = append(attempts, time.Since(start).Round(100*time.Millisecond))
			return fmt.Errorf("no luck, attempt %d", len(attempts))
		}}
		s := o.instances()
		ask := func(version int, insist bool) error {
			h, err := s.acquire(t.Context(), contextFor("one", version), insist)
			if err == nil {
				s.release(h)
			}
			return err
		}
		for time.Since(start) < 2*time.Minute {
			if err := ask(1, false); err == nil || err.Error() != fmt.Sprintf("no luck, attempt %d", len(attempts)) {
				t.Fatalf("got %v", err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		want := []time.Duration{0, 500 * time.Millisecond, 1500 * time.Millisecond, 3500 * time.Millisecond, 7500 * time.Millisecond,
			15500 * time.Millisecond, 31500 * time.Millisecond, 61500 * time.Millisecond, 91500 * time.Millisecond}
		if !slices.Equal(attempts, want) {
			t.Errorf("attempts after %v", attempts)
		}
		tried := len(attempts)
		if _ = ask(1, true); len(attempts) != tried+1 {
			t.Error("a health check was not let through")
		}
		if _ = ask(2, false); len(attempts) != tried+2 {
			t.Error("other settings were not tried at once")
		}
		o.before = nil
		if err := ask(2, false); err == nil {
			t.Error("tried too soon")
		}
		time.Sleep(firstReopen)
		if err := ask(2, false); err != nil {
			t.Error(err)
		}
		_ = s.shutdown(t.Context())
	})
}

func TestFailuresAreNotKeptForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &opener{before: func(context.Context, Context) error { return errors.New("no luck") }}
		s := o.instances()
		for i := range 100 {
			_, _ = s.acquire(t.Context(), contextFor(fmt.Sprint(i), 1), false)
		}
		time.Sleep(2 * longestReopen)
		synctest.Wait()
		if len(s.slots) != 0 {
			t.Errorf("%d places", len(s.slots))
		}
	})
}

func TestOperatorsPatience(t *testing.T) {
	author := Plugin{idle: defaultIdle}.CloseIdle(time.Minute)
	for text, want := range map[string]time.Duration{"": time.Minute, "10m": 10 * time.Minute, "0": 0} {
		t.Setenv(idleKey, text)
		if p, err := author.obeyOperator(); err != nil || p.idle != want {
			t.Errorf("%q: %v, %v", text, p.idle, err)
		}
	}
	for _, text := range []string{"ten minutes", "-1s", "10"} {
		t.Setenv(idleKey, text)
		if _, err := author.obeyOperator(); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
