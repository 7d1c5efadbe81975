// Package supervisor keeps one process alive: it starts it, watches it, starts
// it again when it has ended, puts another in its place, and lets calls wait
// meanwhile.
package supervisor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/plugboard/plugboard/host/internal/tail"
)

// What a Config leaves out.
const (
	DefaultWait        = 10 * time.Second
	DefaultCrashes     = 3
	DefaultCrashWindow = 5 * time.Minute
	DefaultProbeEvery  = 10 * time.Second
	DefaultDrain       = 30 * time.Second
)

const (
	// misses is how many probes in a row a process may leave unanswered.
	misses = 3
	// probation is how long a process that was switched to must live for its
	// predecessor to be forgotten.
	probation = time.Minute
)

// Process is what is kept alive.
type Process interface {
	PID() int
	// Done is closed when the process has ended; Err says how.
	Done() <-chan struct{}
	Err() error
	// Kill ends the process at once.
	Kill()
	// Stop ends the process if it has not, and returns when nothing is left.
	Stop()
}

// Config says how a process is kept alive. Zero values stand for the defaults.
type Config[P Process] struct {
	// Start starts a process, and returns when it can be called. Its context
	// ends when the start is given up.
	Start func(context.Context) (P, error)
	// Probe asks a process for a sign of life. Nil means not to ask.
	Probe func(context.Context, P) error
	// ProbeEvery is the time between probes; one may take half of it. A process
	// that leaves three in a row unanswered is killed.
	ProbeEvery time.Duration
	// Wait is how long a call waits for a process.
	Wait time.Duration
	// Crashes is how many deaths within CrashWindow put the process into
	// quarantine; a negative number means none do.
	Crashes     int
	CrashWindow time.Duration
	// Drain is how long calls on a process that was replaced may go on.
	Drain time.Duration
	// Tell is told of every event, one after the other; it may not ask the
	// supervisor anything. Nil tells nobody.
	Tell   func(Event)
	Logger *slog.Logger
}

// Supervisor keeps the processes that Start makes alive, one at a time but for
// a switch. Its methods may be called from many goroutines.
type Supervisor[P Process] struct {
	config Config[P]
	logger *slog.Logger
	orders chan *order[P]
	// over is closed at the end of Run.
	over chan struct{}

	history *tail.Tail[Event]

	mu     sync.Mutex
	status Status
	// held is the process in its place: as long as State is Ready or Degraded,
	// and on until the next comes.
	held *Held[P]
	// trouble is why there is no process, if nobody has asked for that.
	trouble error
	// changed is closed, and replaced, whenever status changes.
	changed chan struct{}
	// ended is Run's end, halted is from Stop to the next start.
	ended, halted bool

	// What follows belongs to Run.

	start    start[P]
	attempt  *attempt[P] // the start that is under way
	waiting  []*order[P] // what it is to answer
	previous *start[P]   // what to go back to, in probation
	retry    backoff
	crashes  crashes
	draining sync.WaitGroup
}

// New returns a supervisor that starts nothing before Run.
func New[P Process](c Config[P]) *Supervisor[P] {
	c.Wait = cmp.Or(c.Wait, DefaultWait)
	c.Crashes = cmp.Or(c.Crashes, DefaultCrashes)
	c.CrashWindow = cmp.Or(c.CrashWindow, DefaultCrashWindow)
	c.ProbeEvery = cmp.Or(c.ProbeEvery, DefaultProbeEvery)
	c.Drain = cmp.Or(c.Drain, DefaultDrain)
	return &Supervisor[P]{
		config:  c,
		logger:  c.Logger,
		orders:  make(chan *order[P]),
		over:    make(chan struct{}),
		status:  Status{State: Stopped, Since: time.Now(), Entered: map[State]int{}},
		changed: make(chan struct{}),
		history: tail.New[Event](keptEvents, 0, nil),
		start:   start[P]{run: c.Start},
		crashes: crashes{limit: c.Crashes, within: c.CrashWindow},
	}
}

// step is what Run does next; nil is the end.
type step func(context.Context) step

// Run keeps a process alive until ctx ends, and returns when the last has
// ended. It may be called once.
func (s *Supervisor[P]) Run(ctx context.Context) {
	for next := step(s.starting); next != nil; {
		next = next(ctx)
	}
	s.mu.Lock()
	s.ended = true
	s.enterLocked(Status{State: Stopped}, "the host stops", nil)
	s.mu.Unlock()
	s.answer(ErrStopped)
	s.draining.Wait()
	close(s.over)
}

// starting starts a process.
func (s *Supervisor[P]) starting(ctx context.Context) step {
	if ctx.Err() != nil {
		s.giveUp()
		return nil
	}
	if s.attempt == nil {
		s.attempt = s.begin(ctx, s.start)
	}
	s.enter(Status{State: Starting}, "", nil)
	select {
	case r := <-s.attempt.result:
		return s.started(r)
	case o := <-s.orders:
		return s.whileStarting(o)
	case <-ctx.Done():
		s.giveUp()
		return nil
	}
}

// whileStarting obeys an order during a start.
func (s *Supervisor[P]) whileStarting(o *order[P]) step {
	switch o.what {
	case toStart:
		s.waiting = append(s.waiting, o)
		return s.starting
	case toStop:
		s.giveUp()
		return s.halt(o)
	default:
		s.giveUp()
		return s.anew(o)
	}
}

// anew begins a new series of starts for an order.
func (s *Supervisor[P]) anew(o *order[P]) step {
	s.retry = backoff{}
	s.crashes.forget()
	s.mu.Lock()
	s.trouble, s.halted = nil, false
	s.mu.Unlock()
	s.waiting = append(s.waiting, o)
	return func(ctx context.Context) step {
		if o.what == toSwitch {
			s.attempt = s.begin(ctx, o.start)
		}
		return s.starting
	}
}

// started takes the outcome of a start when no other process is there.
func (s *Supervisor[P]) started(r result[P]) step {
	a := s.attempt
	s.attempt = nil
	if r.err == nil {
		s.logger.Info("plugin started", "pid", r.process.PID(), "took", time.Since(a.began).Round(time.Millisecond))
		s.adopt(a.start)
		s.put(r.process, a.start.reason)
		s.answer(nil)
		return s.serving
	}
	if a.start.rolledBack != nil { // one that was to be switched to: there is another way to start
		s.logger.Error("plugin does not start: the former version is started instead", "error", r.err)
		s.answer(r.err)
		return s.starting
	}
	delay := s.retry.failed()
	s.logger.Error("plugin does not start", "error", r.err, "retry", delay.Round(time.Millisecond))
	s.wait(r.err, delay)
	s.answer(r.err)
	return s.backingOff
}

// adopt makes a start that has worked the way to start from now on.
func (s *Supervisor[P]) adopt(how start[P]) {
	if how.rolledBack != nil {
		former := s.start
		s.previous = &former
		s.start = start[P]{run: how.run}
		s.previous.rolledBack = how.rolledBack
	}
}

// serving watches the process until it ends or is to end.
func (s *Supervisor[P]) serving(ctx context.Context) step {
	p := s.newProbes(ctx)
	defer p.stop()
	for {
		var switched <-chan result[P]
		if s.attempt != nil {
			switched = s.attempt.result
		}
		select {
		case <-s.held.Process.Done():
			return s.died(p.verdict)
		case r := <-switched:
			s.switchTo(ctx, r)
			return s.serving
		case o := <-s.orders:
			if next := s.whileServing(ctx, o); next != nil {
				return next
			}
		case <-p.due:
			p.ask(s.held.Process)
		case err := <-p.answers:
			s.probed(p, err)
		case <-ctx.Done():
			s.enter(Status{State: Stopped}, "the host stops", nil)
			s.giveUp()
			s.held.Process.Stop()
			return nil
		}
	}
}

// whileServing obeys an order while a process is there; nil is to go on with
// that.
func (s *Supervisor[P]) whileServing(ctx context.Context, o *order[P]) step {
	switch o.what {
	case toStart:
		o.answer(nil)
		return nil
	case toSwitch:
		if s.attempt != nil {
			o.answer(errors.New("another version is just being started"))
			return nil
		}
		s.waiting = append(s.waiting, o)
		s.attempt = s.begin(ctx, o.start)
		return nil
	case toStop:
		s.enterHalted(o.reason)
		s.giveUp()
		s.held.Process.Stop()
		return s.halt(o)
	default:
		s.logger.Info("plugin is restarted on request")
		s.enter(Status{State: Starting}, o.reason, nil)
		s.giveUp()
		s.held.Process.Stop()
		return s.anew(o)
	}
}

// died decides what follows the end of the process.
func (s *Supervisor[P]) died(verdict error) step {
	h := s.held
	err, age := h.Process.Err(), time.Since(h.since)
	if verdict != nil {
		err = fmt.Errorf("%w: %w", verdict, err)
	}
	if age >= probation {
		s.previous = nil
	}
	switch {
	case s.previous != nil:
		s.rollBack(err)
		return s.starting
	case s.attempt != nil: // the switch that is under way brings the next
		s.wait(err, 0)
		h.Process.Stop()
		return s.starting
	case !handedOver(err) && s.crashes.died(time.Now()):
		return s.quarantine(err)
	}
	delay := s.retry.died(age)
	s.logger.Warn("plugin ended", "error", err, "restart", delay.Round(time.Millisecond))
	s.mu.Lock()
	s.status.Restarts++
	s.mu.Unlock()
	s.wait(err, delay)
	h.Process.Stop()
	return s.backingOff
}

// rollBack goes back to the version before the last switch.
func (s *Supervisor[P]) rollBack(err error) {
	s.logger.Error("plugin ended soon after it was switched to: the former version is started", "error", err)
	former := *s.previous
	s.start, s.previous = start[P]{run: former.run}, nil
	s.wait(fmt.Errorf("rolled back to the former version: %w", err), 0)
	s.giveUp()
	s.held.Process.Stop()
	former.rolledBack(err)
}

// quarantine waits for an order to start: the process has died too often.
func (s *Supervisor[P]) quarantine(err error) step {
	s.logger.Error("plugin is in quarantine: it starts again when it is told to", "error", err,
		"crashes", s.config.Crashes, "within", s.config.CrashWindow)
	s.mu.Lock()
	s.trouble = err
	s.enterLocked(Status{State: Quarantined, LastError: err},
		fmt.Sprintf("%d crashes within %v, the last: %v", s.config.Crashes, s.config.CrashWindow, err), err)
	s.mu.Unlock()
	s.held.Process.Stop()
	return s.idle
}

// halt obeys an order to stop, once nothing runs.
func (s *Supervisor[P]) halt(o *order[P]) step {
	s.enterHalted(o.reason)
	s.logger.Info("plugin is stopped on request")
	s.answer(ErrHalted)
	o.answer(nil)
	return s.idle
}

func (s *Supervisor[P]) enterHalted(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.halted = true
	s.enterLocked(Status{State: Stopped}, reason, nil)
}

// idle waits for an order to start.
func (s *Supervisor[P]) idle(ctx context.Context) step {
	select {
	case o := <-s.orders:
		if o.what == toStop {
			return s.halt(o)
		}
		return s.anew(o)
	case <-ctx.Done():
		return nil
	}
}

// backingOff waits for the time of the next start.
func (s *Supervisor[P]) backingOff(ctx context.Context) step {
	timer := time.NewTimer(time.Until(s.Status().NextStart))
	defer timer.Stop()
	select {
	case <-timer.C:
		return s.starting
	case o := <-s.orders:
		if o.what == toStop {
			return s.halt(o)
		}
		return s.anew(o)
	case <-ctx.Done():
		return nil
	}
}
