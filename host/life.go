package host

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/plugboard/plugboard/host/internal/process"
	"github.com/plugboard/plugboard/host/internal/supervisor"
)

// Start starts a plugin that was stopped, is in quarantine or waits for its
// next start, at once. It returns when the process answers, or why it does not
// start; ctx ends the waiting only.
func (h *Host) Start(ctx context.Context, id string) error {
	return h.order(ctx, id, (*supervisor.Supervisor[*running]).Start)
}

// Stop ends a plugin's process, if there is one, and returns when nothing of it
// is left. Calls are refused until Start or Restart.
func (h *Host) Stop(ctx context.Context, id string) error {
	return h.order(ctx, id, (*supervisor.Supervisor[*running]).Stop)
}

// Restart ends a plugin's process, if there is one, and does as Start does.
// Calls under way end with the old process, streams go on with the new.
func (h *Host) Restart(ctx context.Context, id string) error {
	return h.order(ctx, id, (*supervisor.Supervisor[*running]).Restart)
}

func (h *Host) order(ctx context.Context, id string, give func(*supervisor.Supervisor[*running], context.Context) error) error {
	m, err := h.member(id)
	if err != nil {
		return err
	}
	err = give(m.supervisor, ctx)
	if err != nil && ctx.Err() == nil {
		return m.unavailable("does not start", err)
	}
	return err
}

// Event is a plugin's entry into a state, or a switch to another process.
type Event struct {
	// Number counts a plugin's events, from 1, for as long as the host runs.
	Number int64
	Time   time.Time
	State  State
	// PID is of the process that the event is about, 0 if there is none.
	PID int
	// Reason says why, in words.
	Reason string
	// Exit is set where a process has ended.
	Exit *Exit
}

// Exit says how a process has ended.
type Exit struct {
	// Code is the exit status, -1 where a signal ended it; Signal is that
	// signal's name.
	Code   int
	Signal string
	// OutOfMemory: it ended for want of memory, as far as can be told.
	OutOfMemory bool
	// PeakRSS is the most memory it has had in its life, in bytes, as the
	// system counts when it ends; 0 if that is not known.
	PeakRSS int64
	// Stderr holds the last lines of its standard error. They are a plugin's
	// words: see LogLine.
	Stderr []string
}

// Events returns what is kept of a plugin's history, oldest first, after the
// event with the number after: 0 is all of it, and so is a number that is yet
// to come. The channel is closed when there is more.
func (h *Host) Events(id string, after int64) ([]Event, <-chan struct{}, error) {
	m, err := h.member(id)
	if err != nil {
		return nil, nil, err
	}
	kept, more := m.supervisor.Events(after)
	events := make([]Event, len(kept))
	for i, e := range kept {
		events[i] = Event{Number: e.Number, Time: e.Time, State: State(e.State), PID: e.PID, Reason: e.Reason}
		if exit, ok := errors.AsType[*process.ExitError](e.Err); ok {
			events[i].Exit = exitOf(exit)
		}
	}
	return events, more, nil
}

func exitOf(e *process.ExitError) *Exit {
	return &Exit{Code: e.Code, Signal: e.Signal, OutOfMemory: e.OutOfMemory, PeakRSS: e.PeakRSS, Stderr: e.Stderr}
}

// exits counts the ends of processes that nobody had asked for. The zero exits
// is ready.
type exits struct {
	mu    sync.Mutex
	count map[string]int
	last  *process.ExitError
}

// tell counts what an event is about, if that has not been counted: more than
// one may be about the same end.
func (x *exits) tell(e supervisor.Event) {
	exit, ok := errors.AsType[*process.ExitError](e.Err)
	if !ok {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if exit == x.last {
		return
	}
	x.last = exit
	if x.count == nil {
		x.count = map[string]int{}
	}
	how := exit.How
	if exit.OutOfMemory {
		how = "out of memory"
	}
	x.count[how]++
}

// told returns the counts, and the last end, nil if there was none.
func (x *exits) told() (map[string]int, *Exit) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.last == nil {
		return nil, nil
	}
	return maps.Clone(x.count), exitOf(x.last)
}
