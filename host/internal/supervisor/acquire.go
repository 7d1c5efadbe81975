package supervisor

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// patience is how far away the next start may be for a call to wait for it.
// Beyond, whoever calls is better served with the reason.
const patience = time.Second

// Held is a process with the calls on it counted.
type Held[P Process] struct {
	Process P
	since   time.Time
	calls   int // guarded by the supervisor's mu
	// idle is closed when another process has taken the place of this one and
	// no call is on it.
	idle chan struct{}
}

// put makes a process the one to be called.
func (s *Supervisor[P]) put(p P, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.held; old != nil && old.calls == 0 {
		close(old.idle)
	}
	s.held = &Held[P]{Process: p, since: time.Now(), idle: make(chan struct{})}
	s.trouble = nil
	s.enterLocked(Status{State: Ready, PID: p.PID()}, reason, nil)
}

// Acquire returns the running process, which is to be released. While there is
// none it waits for the next, unless that is far away because it has failed
// again and again, or is not to come at all; then, and when the wait is over,
// it returns why. A call that is not patient does not wait for a process that
// comes after a failure.
func (s *Supervisor[P]) Acquire(ctx context.Context, patient bool) (*Held[P], error) {
	h, changed, err := s.look(patient)
	if changed == nil {
		return h, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.config.Wait, errWaited)
	defer cancel()
	for changed != nil {
		select {
		case <-changed:
			h, changed, err = s.look(patient)
		case <-ctx.Done():
			return nil, s.waited(ctx)
		}
	}
	return h, err
}

// Running returns the process if there is one now, which is to be released.
func (s *Supervisor[P]) Running() (h *Held[P], ok bool) {
	h, _, err := s.look(false)
	return h, h != nil && err == nil
}

// Release ends a call on a process.
func (s *Supervisor[P]) Release(h *Held[P]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.calls--
	if h.calls == 0 && h != s.held {
		close(h.idle)
	}
}

var errWaited = errors.New("waited")

// look returns the process if there is one, an error if there is no point in
// waiting, and else a channel that is closed when it is worth looking again.
func (s *Supervisor[P]) look(patient bool) (h *Held[P], changed <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.status.State {
	case Ready, Degraded:
		if !ended(s.held.Process) {
			s.held.calls++
			return s.held, nil, nil
		}
		if !patient {
			return nil, nil, s.held.Process.Err()
		}
	case Quarantined:
		return nil, nil, fmt.Errorf("%w: %d crashes within %v, the last: %w", ErrQuarantined, s.config.Crashes, s.config.CrashWindow, s.trouble)
	case Stopped:
		if err := s.whyStopped(); err != nil {
			return nil, nil, err
		}
	case BackingOff:
		if next := time.Until(s.status.NextStart); !patient || next > patience {
			return nil, nil, fmt.Errorf("%w; it is started again in %v", s.trouble, max(next, 0).Round(time.Millisecond))
		}
	case Starting:
		if !patient && s.trouble != nil {
			return nil, nil, fmt.Errorf("it is being started again: %w", s.trouble)
		}
	}
	return nil, s.changed, nil
}

// whyStopped tells Stop and the end of Run from the time before Run has begun
// to start a process. s.mu is held.
func (s *Supervisor[P]) whyStopped() error {
	switch {
	case s.ended:
		return ErrStopped
	case s.halted:
		return ErrHalted
	}
	return nil
}

// ended reports whether a process has ended though Run has not noticed yet.
func ended(p Process) bool {
	select {
	case <-p.Done():
		return true
	default:
		return false
	}
}

func (s *Supervisor[P]) waited(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, errWaited) {
		return cause
	}
	status := s.Status()
	if status.LastError != nil {
		return fmt.Errorf("it is not ready after %v: %w", s.config.Wait, status.LastError)
	}
	return fmt.Errorf("it is not ready after %v, but %s", s.config.Wait, status.State)
}
