package supervisor

import (
	"maps"
	"time"
)

// State is what a process is doing.
type State string

const (
	Starting    State = "starting"
	Ready       State = "ready"
	Degraded    State = "degraded"    // it runs, but has not answered the last probes
	BackingOff  State = "backing-off" // waiting for the next attempt to start
	Quarantined State = "quarantined" // it has crashed too often: it waits for Start
	Stopped     State = "stopped"     // before Run, after Run, and after Stop until Start
)

// Status is a supervisor's view of its process.
type Status struct {
	State State
	// PID is 0 unless Ready or Degraded.
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
	// Entered counts how often each state was entered.
	Entered map[State]int
}

// Event is the entry into a state, or a switch to another process within one.
type Event struct {
	// Number counts a process's events, from 1.
	Number int64
	Time   time.Time
	State  State
	// PID is of the process that the event is about, 0 if there is none.
	PID int
	// Reason says in words why.
	Reason string
	// Err is what the reason is made from, if something has failed.
	Err error
}

// keptEvents is how many events are kept.
const keptEvents = 200

// wait enters BackingOff.
func (s *Supervisor[P]) wait(err error, delay time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble = err
	s.enterLocked(Status{State: BackingOff, LastError: err, NextStart: time.Now().Add(delay)}, err.Error(), err)
}

// enter replaces the status, but keeps what is remembered beyond a state.
func (s *Supervisor[P]) enter(next Status, reason string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enterLocked(next, reason, err)
}

func (s *Supervisor[P]) enterLocked(next Status, reason string, err error) {
	if next.State == s.status.State && (next.State == Starting || next.State == Stopped) {
		return
	}
	pid := next.PID
	if pid == 0 {
		pid = s.status.PID // which has ended, or is about to
	}
	next.Since = time.Now()
	next.Restarts = s.status.Restarts
	next.Entered = s.status.Entered
	next.Entered[next.State]++
	if next.LastError == nil {
		next.LastError = s.status.LastError
	}
	s.status = next
	happened := Event{Time: next.Since, State: next.State, PID: pid, Reason: reason, Err: err}
	s.history.Add(func(number int64) Event {
		happened.Number = number
		return happened
	})
	if s.config.Tell != nil {
		s.config.Tell(happened)
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// Status returns what the process is doing now.
func (s *Supervisor[P]) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := s.status
	status.Entered = maps.Clone(status.Entered)
	return status
}

// Events returns what is kept of the process's history, oldest first, after the
// event with the number after; the channel is closed when there is more.
func (s *Supervisor[P]) Events(after int64) ([]Event, <-chan struct{}) { return s.history.Since(after) }
