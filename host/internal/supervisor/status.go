package supervisor

import (
	"slices"
	"sync"
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

// history keeps the last events. The zero history is empty, and ready.
type history struct {
	mu     sync.Mutex
	events []Event
	number int64
	more   chan struct{} // nil as long as nobody waits
}

func (h *history) add(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.number++
	e.Number = h.number
	if len(h.events) == keptEvents {
		h.events = slices.Delete(h.events, 0, 1)
	}
	h.events = append(h.events, e)
	if h.more != nil {
		close(h.more)
		h.more = nil
	}
}

// since returns the events after the one of a number, oldest first, and a
// channel that is closed when there are more.
func (h *history) since(after int64) ([]Event, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.more == nil {
		h.more = make(chan struct{})
	}
	first := 0
	if n := len(h.events); n > 0 && after <= h.number {
		first = min(max(int(after-h.events[0].Number)+1, 0), n)
	}
	return slices.Clone(h.events[first:]), h.more
}
