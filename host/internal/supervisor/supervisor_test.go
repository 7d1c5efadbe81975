package supervisor

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fake is a process that ends when it is told to.
type fake struct {
	pid  int
	once sync.Once
	done chan struct{}
	err  error
}

func (p *fake) PID() int              { return p.pid }
func (p *fake) Done() <-chan struct{} { return p.done }
func (p *fake) Stop()                 { p.die(nil) }
func (p *fake) Kill()                 { p.die(errors.New("signal: killed")) }
func (p *fake) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

func (p *fake) die(err error) {
	p.once.Do(func() {
		p.err = err
		close(p.done)
	})
}

// script starts fakes, or fails, as its steps say; after the last step every
// start succeeds at once.
type script struct {
	steps []func(context.Context) error
	base  int // of the process ids, beyond 100

	mu      sync.Mutex
	starts  []time.Time
	running *fake
}

func (s *script) start(ctx context.Context) (*fake, error) {
	s.mu.Lock()
	n := len(s.starts)
	s.starts = append(s.starts, time.Now())
	s.mu.Unlock()
	if n < len(s.steps) {
		if err := s.steps[n](ctx); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = &fake{pid: 100 + s.base + n, done: make(chan struct{})}
	return s.running, nil
}

// gaps returns the times between the starts.
func (s *script) gaps() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var gaps []time.Duration
	for i := 1; i < len(s.starts); i++ {
		gaps = append(gaps, s.starts[i].Sub(s.starts[i-1]))
	}
	return gaps
}

func takes(d time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func fails(message string) func(context.Context) error {
	return func(context.Context) error { return errors.New(message) }
}

// run supervises in fake time, and checks that nothing is left at the end.
// However often the process crashes, it is started again.
func run(t *testing.T, steps []func(context.Context) error, story func(t *testing.T, s *Supervisor[*fake], script *script)) {
	runWith(t, Config[*fake]{Crashes: -1}, steps, story)
}

func runWith(t *testing.T, c Config[*fake], steps []func(context.Context) error, story func(t *testing.T, s *Supervisor[*fake], script *script)) {
	synctest.Test(t, func(t *testing.T) {
		script := &script{steps: steps}
		c.Start, c.Logger = script.start, slog.New(slog.DiscardHandler)
		s := New(c)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			s.Run(ctx)
			close(ended)
		}()
		story(t, s, script)
		cancel()
		<-ended
		if script.running != nil && script.running.Err() == nil {
			select {
			case <-script.running.Done():
			default:
				t.Error("Run has returned, and its process runs")
			}
		}
		if state := s.Status().State; state != Stopped {
			t.Errorf("after Run the state is %q", state)
		}
		if _, err := s.Acquire(t.Context(), true); !errors.Is(err, ErrStopped) {
			t.Errorf("a call after Run: %v", err)
		}
	})
}

func mustAcquire(t *testing.T, s *Supervisor[*fake]) *fake {
	t.Helper()
	h, err := s.Acquire(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	s.Release(h)
	return h.Process
}

// about reports whether a delay is what it should be, or up to a quarter less.
func about(delay, want time.Duration) bool { return delay <= want && delay >= want-want/4 }

func TestCallsWaitForTheFirstStart(t *testing.T) {
	run(t, []func(context.Context) error{takes(4 * time.Second)}, func(t *testing.T, s *Supervisor[*fake], _ *script) {
		began := time.Now()
		p := mustAcquire(t, s)
		if waited := time.Since(began); waited != 4*time.Second || p.PID() != 100 {
			t.Errorf("process %d after %v", p.PID(), waited)
		}
		if status := s.Status(); status.State != Ready || status.PID != 100 {
			t.Errorf("status %+v", status)
		}
	})
}

func TestCallsWaitNoLongerThanWait(t *testing.T) {
	run(t, []func(context.Context) error{takes(time.Hour)}, func(t *testing.T, s *Supervisor[*fake], _ *script) {
		began := time.Now()
		_, err := s.Acquire(t.Context(), true)
		if waited := time.Since(began); waited != 10*time.Second || err == nil || !strings.Contains(err.Error(), "not ready after 10s") {
			t.Errorf("%v after %v", err, waited)
		}
	})
}

func TestCallsWaitNoLongerThanTheirContext(t *testing.T) {
	run(t, []func(context.Context) error{takes(time.Hour)}, func(t *testing.T, s *Supervisor[*fake], _ *script) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Acquire(ctx, true); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

func TestDeathIsMendedAtOnce(t *testing.T) {
	run(t, nil, func(t *testing.T, s *Supervisor[*fake], _ *script) {
		first := mustAcquire(t, s)
		<-time.After(time.Hour)
		first.die(errors.New("killed"))
		began := time.Now()
		second := mustAcquire(t, s)
		if second == first || time.Since(began) != 0 {
			t.Errorf("process %d after %v", second.PID(), time.Since(began))
		}
		status := s.Status()
		if status.Restarts != 1 || status.LastError == nil || status.LastError.Error() != "killed" {
			t.Errorf("status %+v", status)
		}
	})
}

func TestQuickDeathsAreMendedMoreAndMoreSlowly(t *testing.T) {
	run(t, nil, func(t *testing.T, s *Supervisor[*fake], script *script) {
		for range 6 {
			mustAcquire(t, s).die(errors.New("crash"))
		}
		mustAcquire(t, s)
		want := []time.Duration{0, 50, 100, 200, 400, 800}
		for i, gap := range script.gaps() {
			if !about(gap, want[i]*time.Millisecond) {
				t.Errorf("restart %d came after %v", i+1, gap)
			}
		}
		<-time.After(quickly)
		script.running.die(errors.New("killed"))
		began := time.Now()
		if mustAcquire(t, s); time.Since(began) != 0 {
			t.Errorf("one that had lived is mended after %v", time.Since(began))
		}
	})
}

func TestStartIsTriedAgainMoreAndMoreSlowly(t *testing.T) {
	steps := make([]func(context.Context) error, 13)
	for i := range steps {
		steps[i] = fails("no licence")
	}
	run(t, steps, func(t *testing.T, s *Supervisor[*fake], script *script) {
		<-time.After(3 * time.Minute)
		want := []time.Duration{50, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000, 30000}
		gaps := script.gaps()
		if len(gaps) != len(want) {
			t.Fatalf("started after %v", gaps)
		}
		for i, gap := range gaps {
			if !about(gap, want[i]*time.Millisecond) {
				t.Errorf("start %d came after %v", i+2, gap)
			}
		}
		if mustAcquire(t, s).PID() != 113 || s.Status().Restarts != 0 {
			t.Errorf("status %+v", s.Status())
		}
	})
}

func TestCallsLearnWhyAPluginDoesNotStart(t *testing.T) {
	steps := make([]func(context.Context) error, 100)
	for i := range steps {
		steps[i] = fails("no licence")
	}
	run(t, steps, func(t *testing.T, s *Supervisor[*fake], _ *script) {
		began := time.Now()
		_, err := s.Acquire(t.Context(), true)
		if err == nil || !strings.HasPrefix(err.Error(), "no licence; it is started again in 1.") || time.Since(began) > 2*time.Second {
			t.Errorf("the first call: %v after %v", err, time.Since(began))
		}
		began = time.Now()
		if _, err := s.Acquire(t.Context(), true); err == nil || time.Since(began) != 0 {
			t.Errorf("the second call: %v after %v", err, time.Since(began))
		}
		if status := s.Status(); status.State != BackingOff || status.NextStart.Before(time.Now()) {
			t.Errorf("status %+v", status)
		}
	})
}

func TestStopInterruptsAStart(t *testing.T) {
	run(t, []func(context.Context) error{takes(time.Hour)}, func(*testing.T, *Supervisor[*fake], *script) {
		synctest.Wait()
	})
}

func TestStopReleasesWaitingCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := &script{steps: []func(context.Context) error{takes(time.Hour)}}
		s := New(Config[*fake]{Start: script.start, Logger: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(t.Context())
		go s.Run(ctx)
		waiting := make(chan error)
		go func() {
			_, err := s.Acquire(t.Context(), true)
			waiting <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-waiting; !errors.Is(err, ErrStopped) {
			t.Errorf("the waiting call: %v", err)
		}
	})
}

func TestCallsBeforeRunWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config[*fake]{Start: (&script{}).start, Logger: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		time.AfterFunc(time.Second, func() { s.Run(ctx) })
		mustAcquire(t, s)
		cancel()
		synctest.Wait()
	})
}

func TestRestartReplacesTheProcess(t *testing.T) {
	run(t, nil, func(t *testing.T, s *Supervisor[*fake], script *script) {
		first := mustAcquire(t, s)
		if err := s.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		if second := mustAcquire(t, s); second == first || !ended(first) {
			t.Errorf("process %d after %d", second.PID(), first.PID())
		}
		if status := s.Status(); status.Restarts != 0 || status.LastError != nil {
			t.Errorf("what was asked for counts as a death: %+v", status)
		}
	})
}

// A restart does not wait for the next attempt, and is the first of a new
// series.
func TestRestartCutsTheWaitShort(t *testing.T) {
	steps := make([]func(context.Context) error, 8)
	for i := range steps {
		steps[i] = fails("no licence")
	}
	run(t, steps, func(t *testing.T, s *Supervisor[*fake], script *script) {
		<-time.After(4 * time.Second) // after the 7th failure, before the 8th
		began := time.Now()
		if err := s.Restart(t.Context()); err == nil || err.Error() != "no licence" || time.Since(began) != 0 {
			t.Errorf("the restart that fails: %v after %v", err, time.Since(began))
		}
		if wait := time.Until(s.Status().NextStart); wait > firstDelay {
			t.Errorf("the next attempt is %v away", wait)
		}
		if err := s.Restart(t.Context()); err != nil || time.Since(began) != 0 {
			t.Errorf("the restart that works: %v after %v", err, time.Since(began))
		}
	})
}

func TestRestartGivesUpAStart(t *testing.T) {
	run(t, []func(context.Context) error{takes(time.Hour)}, func(t *testing.T, s *Supervisor[*fake], script *script) {
		synctest.Wait()
		began := time.Now()
		if err := s.Restart(t.Context()); err != nil || time.Since(began) != 0 {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestRestartWaitsNoLongerThanItsContext(t *testing.T) {
	run(t, []func(context.Context) error{nothing, takes(time.Hour)}, func(t *testing.T, s *Supervisor[*fake], script *script) {
		mustAcquire(t, s)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Restart(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

func TestRestartOfOneThatIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config[*fake]{Start: (&script{}).start, Logger: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s.Run(ctx)
		if err := s.Restart(t.Context()); !errors.Is(err, ErrStopped) {
			t.Errorf("error %v", err)
		}
	})
}

func nothing(context.Context) error { return nil }
