package supervisor

import (
	"context"
	"errors"
	"time"

	"github.com/plugboard/plugboard/host/internal/failpoint"
)

var (
	// ErrStopped is returned for calls after the end of Run.
	ErrStopped = errors.New("the host has stopped")
	// ErrHalted is returned for calls between Stop and Start.
	ErrHalted = errors.New("it was stopped on request")
	// ErrQuarantined is returned for calls to a process that has crashed too
	// often, with the reason of the last crash.
	ErrQuarantined = errors.New("it is in quarantine")

	errGivenUp = errors.New("the switch was given up: the plugin has ended, or was told to")
)

// order is what Run is told to do.
type order[P Process] struct {
	what   verb
	reason string
	start  start[P] // of toSwitch
	done   chan error
}

type verb int

const (
	toStart verb = iota
	toStop
	toRestart
	toSwitch
)

func (o *order[P]) answer(err error) { o.done <- err }

// answer tells those who wait for a start how it went.
func (s *Supervisor[P]) answer(err error) {
	for _, o := range s.waiting {
		o.answer(err)
	}
	s.waiting = nil
}

func (s *Supervisor[P]) obey(ctx context.Context, o *order[P]) error {
	o.done = make(chan error, 1)
	select {
	case s.orders <- o:
	case <-s.over:
		return ErrStopped
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-o.done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Start starts a process that was stopped, is in quarantine or waits for its
// next start: now, and as the first of a new series. It returns when the
// process is there, or why it did not start. ctx ends the waiting only.
func (s *Supervisor[P]) Start(ctx context.Context) error {
	return s.obey(ctx, &order[P]{what: toStart})
}

// Stop ends the process, if there is one, and returns when nothing of it is
// left. It stays stopped until Start, Restart or Switch.
func (s *Supervisor[P]) Stop(ctx context.Context) error {
	return s.obey(ctx, &order[P]{what: toStop, reason: "stopped on request"})
}

// Restart ends the process, if there is one, and then does as Start does. A
// start that is under way is given up for the new one.
func (s *Supervisor[P]) Restart(ctx context.Context) error {
	return s.obey(ctx, &order[P]{what: toRestart, reason: "restarted on request"})
}

// Switch starts another process beside the one that is there, and puts it in
// its place when it can be called: from then on it is start that is run. Calls
// on the old one may end, for a while. If the start fails all stays as it is,
// and Switch returns why. If the new process ends within a minute, the former
// way to start is gone back to and rolledBack, which is not nil, is called with
// the reason. The event of the switch tells reason.
func (s *Supervisor[P]) Switch(ctx context.Context, run func(context.Context) (P, error), reason string, rolledBack func(error)) error {
	return s.obey(ctx, &order[P]{what: toSwitch, start: start[P]{run: run, reason: reason, rolledBack: rolledBack}})
}

// switchTo puts the outcome of a switch in the place of the process.
func (s *Supervisor[P]) switchTo(ctx context.Context, r result[P]) {
	a := s.attempt
	s.attempt = nil
	if r.err != nil {
		s.logger.Error("plugin is not switched: the other version does not start", "error", r.err)
		s.answer(r.err)
		return
	}
	failpoint.Reach(failpoint.Started)
	old := s.held
	s.logger.Info("plugin is switched", "pid", r.process.PID(), "took", time.Since(a.began).Round(time.Millisecond))
	s.adopt(a.start)
	s.put(r.process, a.start.reason)
	failpoint.Reach(failpoint.Switched)
	s.draining.Go(func() { s.drain(ctx, old) })
	s.answer(nil)
}

// drain lets the calls on a process that was replaced end, and then it.
func (s *Supervisor[P]) drain(ctx context.Context, h *Held[P]) {
	timer := time.NewTimer(s.config.Drain)
	defer timer.Stop()
	select {
	case <-h.idle:
	case <-timer.C:
		s.logger.Warn("plugin's former version is stopped under its calls: they did not end in time", "pid", h.Process.PID(), "waited", s.config.Drain)
	case <-ctx.Done():
	}
	failpoint.Reach(failpoint.Drained)
	h.Process.Stop()
}
