// Package supervisor keeps one process alive: it starts it, starts it again
// when it has ended, and lets calls wait meanwhile.
package supervisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// DefaultWait is how long a call waits for a process that starts.
const DefaultWait = 10 * time.Second

// patience is how far away the next start may be for a call to wait for it.
// Beyond, whoever calls is better served with the reason.
const patience = time.Second

// ErrStopped is returned for calls after the end of Run.
var ErrStopped = errors.New("it has been stopped")

// Process is what is kept alive.
type Process interface {
	PID() int
	// Done is closed when the process has ended; Err says how.
	Done() <-chan struct{}
	Err() error
	// Stop ends the process if it has not, and returns when nothing is left.
	Stop()
}

// State is what a process is doing.
type State string

const (
	Starting   State = "starting"
	Ready      State = "ready"
	BackingOff State = "backing-off" // waiting for the next attempt to start
	Stopped    State = "stopped"
)

// Status is a supervisor's view of its process.
type Status struct {
	State State
	// PID is 0 unless Ready.
	PID int
	// Since is when State was entered.
	Since time.Time
	// Restarts counts the starts after a death; those that were asked for are
	// not among them.
	Restarts int
	// LastError is why the process ended or did not start, the last time.
	LastError error
	// NextStart is set while BackingOff.
	NextStart time.Time
}

// Supervisor keeps the processes that start makes alive, one at a time.
type Supervisor[P Process] struct {
	start  func(context.Context) (P, error)
	wait   time.Duration
	logger *slog.Logger

	mu      sync.Mutex
	process P
	status  Status
	stopped bool
	// life counts the starts that were tried; endLife ends the one that is on,
	// at whatever point it is. It is nil before Run.
	life    int
	endLife context.CancelFunc
	// changed is closed, and replaced, whenever status changes.
	changed chan struct{}
}

// New returns a supervisor that starts nothing before Run. Calls wait up to
// wait for a process; 0 means DefaultWait.
func New[P Process](start func(context.Context) (P, error), wait time.Duration, logger *slog.Logger) *Supervisor[P] {
	if wait == 0 {
		wait = DefaultWait
	}
	return &Supervisor[P]{
		start:   start,
		wait:    wait,
		logger:  logger,
		status:  Status{State: Stopped, Since: time.Now()},
		changed: make(chan struct{}),
	}
}

// Run keeps a process alive until ctx ends, and returns when the last has
// ended. It may be called once.
func (s *Supervisor[P]) Run(ctx context.Context) {
	defer s.stop()
	var retry backoff
	for ctx.Err() == nil {
		life := s.beginLife(ctx)
		s.live(ctx, life, &retry)
		if ctx.Err() == nil && life.Err() != nil {
			s.logger.Info("plugin is restarted on request")
			retry = backoff{}
		}
	}
}

// beginLife returns the context of the next start and what follows from it,
// until the start after that.
func (s *Supervisor[P]) beginLife(ctx context.Context) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.endLife != nil {
		s.endLife()
	}
	life, end := context.WithCancel(ctx)
	s.life++
	s.endLife = end
	s.enterLocked(Status{State: Starting})
	return life
}

// live starts a process, and returns when it is time for the next: it has
// ended, or did not start, or Restart has ended its life.
func (s *Supervisor[P]) live(ctx, life context.Context, retry *backoff) {
	began := time.Now()
	process, err := s.start(life)
	if life.Err() != nil && err != nil {
		return
	}
	if err != nil {
		delay := retry.failed()
		s.logger.Error("plugin does not start", "error", err, "retry", delay)
		s.pause(life, err, delay)
		return
	}
	s.logger.Info("plugin started", "pid", process.PID(), "took", time.Since(began).Round(time.Millisecond))
	err = s.watch(ctx, life, process)
	if life.Err() != nil {
		return
	}
	delay := retry.died(time.Since(began))
	s.logger.Warn("plugin ended", "error", err, "restart", delay)
	s.restarting(life, err, delay)
}

// watch lets calls have the process until it or its life ends.
func (s *Supervisor[P]) watch(ctx, life context.Context, process P) error {
	s.mu.Lock()
	s.process = process
	s.mu.Unlock()
	s.enter(Status{State: Ready, PID: process.PID()})
	select {
	case <-process.Done():
		s.enter(Status{State: BackingOff, LastError: process.Err(), NextStart: time.Now()})
	case <-life.Done():
		if ctx.Err() != nil {
			s.stop()
		} else {
			s.enter(Status{State: Starting})
		}
	}
	process.Stop()
	return process.Err()
}

// Restart ends the process, if there is one, and starts anew at once, however
// often that has failed before. It returns when the new process is there, or
// why it did not start. A start that is under way is given up for the new one.
func (s *Supervisor[P]) Restart(ctx context.Context) error {
	s.mu.Lock()
	life := s.life
	if s.endLife != nil {
		s.endLife()
	}
	s.mu.Unlock()
	for {
		changed, err := s.outcome(life)
		if changed == nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// outcome returns how the start after the given life went, or, while that is
// open, a channel that is closed when it is worth asking again.
func (s *Supervisor[P]) outcome(life int) (changed <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopped:
		return nil, ErrStopped
	case s.life > life && s.status.State == Ready:
		return nil, nil
	case s.life > life && s.status.State == BackingOff:
		return nil, s.status.LastError
	}
	return s.changed, nil
}

func (s *Supervisor[P]) restarting(ctx context.Context, err error, delay time.Duration) {
	s.mu.Lock()
	s.status.Restarts++
	s.mu.Unlock()
	s.pause(ctx, err, delay)
}

func (s *Supervisor[P]) pause(ctx context.Context, err error, delay time.Duration) {
	s.enter(Status{State: BackingOff, LastError: err, NextStart: time.Now().Add(delay)})
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (s *Supervisor[P]) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	if s.endLife != nil {
		s.endLife()
	}
	s.enterLocked(Status{State: Stopped})
}

// enter replaces the status, but keeps what is remembered beyond a state.
func (s *Supervisor[P]) enter(next Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enterLocked(next)
}

func (s *Supervisor[P]) enterLocked(next Status) {
	next.Since = time.Now()
	next.Restarts = s.status.Restarts
	if next.LastError == nil {
		next.LastError = s.status.LastError
	}
	s.status = next
	close(s.changed)
	s.changed = make(chan struct{})
}

// Status returns what the process is doing now.
func (s *Supervisor[P]) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// Acquire returns the running process. While there is none it waits for the
// next, unless that is far away because it has failed again and again; then,
// and when the wait is over, it returns why.
func (s *Supervisor[P]) Acquire(ctx context.Context) (P, error) {
	process, changed, err := s.look()
	if changed == nil {
		return process, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.wait, errWaited)
	defer cancel()
	for changed != nil {
		select {
		case <-changed:
			process, changed, err = s.look()
		case <-ctx.Done():
			return process, s.waited(ctx)
		}
	}
	return process, err
}

// Running returns the process if there is one now.
func (s *Supervisor[P]) Running() (process P, ok bool) {
	process, changed, err := s.look()
	return process, changed == nil && err == nil
}

var errWaited = errors.New("waited")

// look returns the process if there is one, an error if there is no point in
// waiting, and else a channel that is closed when it is worth looking again.
func (s *Supervisor[P]) look() (process P, changed <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopped:
		return process, nil, ErrStopped
	case s.status.State == Ready && !ended(s.process):
		return s.process, nil, nil
	case s.status.State == BackingOff && time.Until(s.status.NextStart) > patience:
		return process, nil, s.status.LastError
	}
	return process, s.changed, nil
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
		return fmt.Errorf("it is not ready after %v: %w", s.wait, status.LastError)
	}
	return fmt.Errorf("it is not ready after %v, but %s", s.wait, status.State)
}
