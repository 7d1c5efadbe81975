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

// states returns the history in words.
func states[P Process](s *Supervisor[P]) string {
	events, _ := s.Events(0)
	var words []string
	for i, e := range events {
		if e.Number != int64(i+1) {
			words = append(words, "misnumbered")
		}
		words = append(words, string(e.State))
	}
	return strings.Join(words, " ")
}

func TestCrashesLeadToQuarantine(t *testing.T) {
	runWith(t, Config[*fake]{Crashes: 3, CrashWindow: time.Minute}, nil, func(t *testing.T, s *Supervisor[*fake], script *script) {
		for range 3 {
			mustAcquire(t, s).die(errors.New("crash"))
			synctest.Wait()
		}
		_, err := s.Acquire(t.Context(), true)
		if !errors.Is(err, ErrQuarantined) || !strings.Contains(err.Error(), "3 crashes within 1m0s, the last: crash") {
			t.Errorf("a call in quarantine: %v", err)
		}
		<-time.After(time.Hour)
		if n := len(script.starts); n != 3 || s.Status().State != Quarantined {
			t.Errorf("%d starts, state %s", n, s.Status().State)
		}
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		mustAcquire(t, s).die(errors.New("crash"))
		mustAcquire(t, s)
		const want = "starting ready backing-off starting ready backing-off starting ready quarantined starting ready backing-off starting ready"
		if got := states(s); got != want {
			t.Errorf("history\n%s, want\n%s", got, want)
		}
	})
}

func TestCrashesFarApartAreForgiven(t *testing.T) {
	runWith(t, Config[*fake]{Crashes: 3, CrashWindow: time.Minute}, nil, func(t *testing.T, s *Supervisor[*fake], _ *script) {
		for range 20 {
			mustAcquire(t, s).die(errors.New("crash"))
			<-time.After(31 * time.Second)
		}
		mustAcquire(t, s)
	})
}

func TestStopAndStart(t *testing.T) {
	run(t, nil, func(t *testing.T, s *Supervisor[*fake], _ *script) {
		first := mustAcquire(t, s)
		if err := s.Stop(t.Context()); err != nil || !ended(first) {
			t.Fatalf("stop: %v", err)
		}
		if _, err := s.Acquire(t.Context(), true); !errors.Is(err, ErrHalted) {
			t.Errorf("a call to one that is stopped: %v", err)
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Errorf("stopped twice: %v", err)
		}
		if err := errors.Join(s.Start(t.Context()), s.Start(t.Context())); err != nil {
			t.Errorf("started twice: %v", err)
		}
		if mustAcquire(t, s) == first {
			t.Error("the stopped process answers")
		}
		if got := states(s); got != "starting ready stopped starting ready" {
			t.Errorf("history %s", got)
		}
	})
}

func TestStopDuringAStart(t *testing.T) {
	run(t, []func(context.Context) error{takes(time.Hour)}, func(t *testing.T, s *Supervisor[*fake], _ *script) {
		synctest.Wait()
		if err := s.Stop(t.Context()); err != nil || s.Status().State != Stopped {
			t.Errorf("%v, state %s", err, s.Status().State)
		}
		if err := s.Start(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestImpatientCallsDoNotWaitOutTrouble(t *testing.T) {
	steps := []func(context.Context) error{takes(time.Second), takes(time.Second)}
	run(t, steps, func(t *testing.T, s *Supervisor[*fake], script *script) {
		h, err := s.Acquire(t.Context(), false) // the first start is no trouble
		if err != nil {
			t.Fatal(err)
		}
		s.Release(h)
		h.Process.die(errors.New("crash"))
		if _, err := s.Acquire(t.Context(), false); err == nil || !strings.Contains(err.Error(), "crash") {
			t.Errorf("at the crash: %v", err)
		}
		synctest.Wait()
		began := time.Now()
		if _, err := s.Acquire(t.Context(), false); err == nil || !strings.Contains(err.Error(), "crash") || time.Since(began) != 0 {
			t.Errorf("during the start after it: %v", err)
		}
		mustAcquire(t, s)
	})
}

func TestHungProcessIsFoundAndReplaced(t *testing.T) {
	var probed int
	hung := map[int]bool{100: true}
	probe := func(ctx context.Context, p *fake) error {
		if probed++; probed > 1 && hung[p.pid] {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}
	runWith(t, Config[*fake]{Probe: probe}, nil, func(t *testing.T, s *Supervisor[*fake], _ *script) {
		mustAcquire(t, s)
		<-time.After(DefaultProbeEvery*2 + DefaultProbeEvery/2 + time.Second)
		if p := mustAcquire(t, s); s.Status().State != Degraded || p.pid != 100 {
			t.Errorf("after a probe without answer: state %s", s.Status().State)
		}
		<-time.After(2*DefaultProbeEvery + DefaultProbeEvery/2)
		if p := mustAcquire(t, s); p.pid != 101 {
			t.Errorf("process %d", p.pid)
		}
		if why := s.Status().LastError.Error(); !strings.Contains(why, "it hung: 3 probes in a row had no answer") {
			t.Errorf("last error %q", why)
		}
		if got := states(s); got != "starting ready degraded backing-off starting ready" {
			t.Errorf("history %s", got)
		}
	})
}

func TestProbeThatIsAnsweredAgain(t *testing.T) {
	var probed int
	probe := func(context.Context, *fake) error {
		if probed++; probed%3 == 0 {
			return nil
		}
		return errors.New("busy")
	}
	runWith(t, Config[*fake]{Probe: probe}, nil, func(t *testing.T, s *Supervisor[*fake], script *script) {
		<-time.After(5 * time.Minute)
		if len(script.starts) != 1 || !strings.HasPrefix(states(s), "starting ready degraded ready degraded ready") {
			t.Errorf("%d starts, history %.100s", len(script.starts), states(s))
		}
	})
}

// next starts processes of another version, with other process ids.
func next(steps ...func(context.Context) error) *script {
	return &script{steps: steps, base: 100}
}

func neverBack(t *testing.T) func(error) {
	return func(err error) { t.Errorf("rolled back: %v", err) }
}

func TestSwitchLeavesNoGap(t *testing.T) {
	run(t, nil, func(t *testing.T, s *Supervisor[*fake], _ *script) {
		old, err := s.Acquire(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		switched := make(chan error, 1)
		go func() { switched <- s.Switch(t.Context(), next(takes(5*time.Second)).start, "switched", neverBack(t)) }()
		<-time.After(4 * time.Second)
		if mustAcquire(t, s) != old.Process {
			t.Error("calls do not go to the old process while the new one starts")
		}
		if err := <-switched; err != nil {
			t.Fatal(err)
		}
		if p := mustAcquire(t, s); p.pid != 200 {
			t.Errorf("process %d", p.pid)
		}
		<-time.After(DefaultDrain / 2)
		if ended(old.Process) {
			t.Error("the old process has ended under a call")
		}
		s.Release(old)
		synctest.Wait()
		if !ended(old.Process) {
			t.Error("the old process lives on after its last call")
		}
		if s.Status().Restarts != 0 {
			t.Errorf("a switch counts as a death: %+v", s.Status())
		}
	})
}

func TestDrainEnds(t *testing.T) {
	run(t, nil, func(t *testing.T, s *Supervisor[*fake], _ *script) {
		old, err := s.Acquire(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Switch(t.Context(), next().start, "switched", neverBack(t)); err != nil {
			t.Fatal(err)
		}
		<-time.After(DefaultDrain + time.Second)
		if !ended(old.Process) {
			t.Error("a call without an end keeps the old process")
		}
		s.Release(old)
	})
}

func TestSwitchThatFailsChangesNothing(t *testing.T) {
	run(t, nil, func(t *testing.T, s *Supervisor[*fake], _ *script) {
		old := mustAcquire(t, s)
		if err := s.Switch(t.Context(), next(fails("no licence")).start, "switched", neverBack(t)); err == nil || err.Error() != "no licence" {
			t.Errorf("error %v", err)
		}
		if mustAcquire(t, s) != old || states(s) != "starting ready" {
			t.Errorf("history %s", states(s))
		}
		old.die(errors.New("crash"))
		if p := mustAcquire(t, s); p.pid != 101 {
			t.Errorf("process %d", p.pid)
		}
	})
}

func TestNewVersionThatDiesSoonIsRolledBack(t *testing.T) {
	run(t, nil, func(t *testing.T, s *Supervisor[*fake], _ *script) {
		back := make(chan error, 1)
		if err := s.Switch(t.Context(), next().start, "switched", func(err error) { back <- err }); err != nil {
			t.Fatal(err)
		}
		<-time.After(probation - time.Second)
		mustAcquire(t, s).die(errors.New("crash"))
		if p := mustAcquire(t, s); p.pid != 101 {
			t.Errorf("process %d", p.pid)
		}
		if err := <-back; err == nil || err.Error() != "crash" {
			t.Errorf("rolled back for %v", err)
		}
		mustAcquire(t, s).die(errors.New("crash"))
		if p := mustAcquire(t, s); p.pid != 102 {
			t.Errorf("process %d", p.pid)
		}
	})
}

func TestNewVersionThatLivesIsKept(t *testing.T) {
	run(t, nil, func(t *testing.T, s *Supervisor[*fake], _ *script) {
		if err := s.Switch(t.Context(), next().start, "switched", neverBack(t)); err != nil {
			t.Fatal(err)
		}
		<-time.After(probation + time.Second)
		for range 2 {
			mustAcquire(t, s).die(errors.New("crash"))
		}
		if p := mustAcquire(t, s); p.pid != 202 {
			t.Errorf("process %d", p.pid)
		}
	})
}

// The process dies while its successor starts: that one is waited for.
func TestDeathDuringASwitch(t *testing.T) {
	run(t, nil, func(t *testing.T, s *Supervisor[*fake], script *script) {
		old := mustAcquire(t, s)
		switched := make(chan error, 1)
		go func() { switched <- s.Switch(t.Context(), next(takes(time.Second)).start, "switched", neverBack(t)) }()
		synctest.Wait()
		old.die(errors.New("crash"))
		if p := mustAcquire(t, s); p.pid != 200 || len(script.starts) != 1 {
			t.Errorf("process %d after %d starts", p.pid, len(script.starts))
		}
		if err := <-switched; err != nil {
			t.Error(err)
		}
	})
}

// A switch from one that does not start is a way out; if that does not start
// either, the former is tried again.
func TestSwitchFromOneThatDoesNotStart(t *testing.T) {
	steps := make([]func(context.Context) error, 1000)
	for i := range steps {
		steps[i] = fails("no licence")
	}
	run(t, steps, func(t *testing.T, s *Supervisor[*fake], _ *script) {
		<-time.After(time.Minute)
		if err := s.Switch(t.Context(), next(fails("no key")).start, "switched", neverBack(t)); err == nil || err.Error() != "no key" {
			t.Errorf("error %v", err)
		}
		synctest.Wait()
		if err := s.Status().LastError; err.Error() != "no licence" {
			t.Errorf("last error %v", err)
		}
		if err := s.Switch(t.Context(), next().start, "switched", neverBack(t)); err != nil {
			t.Fatal(err)
		}
		if p := mustAcquire(t, s); p.pid != 200 {
			t.Errorf("process %d", p.pid)
		}
	})
}

func TestTwoSwitchesAtOnce(t *testing.T) {
	run(t, nil, func(t *testing.T, s *Supervisor[*fake], _ *script) {
		mustAcquire(t, s)
		first := make(chan error, 1)
		go func() { first <- s.Switch(t.Context(), next(takes(time.Second)).start, "switched", neverBack(t)) }()
		synctest.Wait()
		if err := s.Switch(t.Context(), next().start, "switched", neverBack(t)); err == nil {
			t.Error("a second switch has begun beside the first")
		}
		if err := <-first; err != nil {
			t.Error(err)
		}
	})
}

// A switch that is given up for something else is not taken for done.
func TestSwitchThatIsGivenUp(t *testing.T) {
	for name, meanwhile := range map[string]func(*testing.T, *Supervisor[*fake]) error{
		"for a restart": func(t *testing.T, s *Supervisor[*fake]) error { return s.Restart(t.Context()) },
		"for a stop":    func(t *testing.T, s *Supervisor[*fake]) error { return s.Stop(t.Context()) },
		"for a rollback": func(t *testing.T, s *Supervisor[*fake]) error {
			mustAcquire(t, s).die(errors.New("crash"))
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, nil, func(t *testing.T, s *Supervisor[*fake], _ *script) {
				if err := s.Switch(t.Context(), next().start, "switched", func(error) {}); err != nil {
					t.Fatal(err)
				}
				given := make(chan error, 1)
				go func() { given <- s.Switch(t.Context(), next(takes(time.Hour)).start, "switched", neverBack(t)) }()
				synctest.Wait()
				if err := meanwhile(t, s); err != nil {
					t.Error(err)
				}
				if err := <-given; err == nil {
					t.Error("the switch is said to be done")
				}
			})
		})
	}
}

// The end of Run leaves no process, wherever it comes.
func TestStopAtEveryPointOfASwitch(t *testing.T) {
	for after := range 8 {
		synctest.Test(t, func(t *testing.T) {
			old, young := &script{}, next(takes(2*time.Second))
			s := New(Config[*fake]{Start: old.start, Logger: slog.New(slog.DiscardHandler)})
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(after)*time.Second/2)
			defer cancel()
			var ordering sync.WaitGroup
			ordering.Go(func() {
				<-time.After(time.Second)
				_ = s.Switch(t.Context(), young.start, "switched", neverBack(t)) // it may not come to that
			})
			s.Run(ctx)
			ordering.Wait()
			for _, script := range []*script{old, young} {
				if script.running != nil && !ended(script.running) {
					t.Errorf("stopped after %d half seconds: process %d runs", after, script.running.pid)
				}
			}
		})
	}
}
