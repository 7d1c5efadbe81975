package process

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	// quotedLine is how much of a line of the plugin's we quote.
	quotedLine = 200
	// quotedLines is how many of its last words.
	quotedLines = 5
)

// ExitError says how a process ended that nobody had asked to end.
type ExitError struct {
	// ID is the plugin's.
	ID string
	// How is the operating system's word, such as "exit status 3" or
	// "signal: killed".
	How string
	// Code is the exit status, -1 for one that a signal ended; Signal is that
	// signal's name.
	Code   int
	Signal string
	// OutOfMemory: it ended for want of memory, as far as can be told.
	OutOfMemory bool
	// PeakRSS is the most memory it has had, in bytes; 0 if that is not known.
	PeakRSS int64
	// Stderr holds the last lines of its standard error.
	Stderr []string
}

func (e *ExitError) Error() string { return "its process ended (" + e.how() + ")" }

func (e *ExitError) how() string {
	if e.OutOfMemory {
		return e.How + ", out of memory"
	}
	return e.How
}

// Killed reports whether the process was killed with the signal that no
// process can catch.
func (e *ExitError) Killed() bool { return e.How == "signal: killed" }

// HandedOver reports whether the process wants to be started again, since
// another serves the plugin now, or does no longer: plugins on our SDK leave
// with that status. It is no crash.
func (e *ExitError) HandedOver() bool { return e.Code == handedOver }

// handedOver is the C library's EX_TEMPFAIL: try again.
const handedOver = 75

// exitError tells how the child has ended, err being what waiting for it gave.
func (c *child) exitError(err error) *ExitError {
	e := &ExitError{ID: c.id, How: "exit status 0", Stderr: c.log.tail()}
	if err != nil {
		e.How = err.Error()
	}
	if state := c.cmd.ProcessState; state != nil {
		e.Code, e.Signal, e.PeakRSS = state.ExitCode(), signalOf(state), peakRSS(state)
	}
	c.mu.Lock()
	killed := c.killed
	c.mu.Unlock()
	e.OutOfMemory = c.log.outOfMemory() || e.Killed() && !killed && oomKills() > c.oomKills
	return e
}

// explain turns the failure of a start into what happened to the process: what
// go-plugin saw of it is often only a closed pipe.
func (c *child) explain(ctx context.Context, err error) error {
	if err == nil || !c.wasStarted() {
		return err
	}
	if cause := context.Cause(ctx); cause != nil {
		if !errors.Is(cause, context.DeadlineExceeded) {
			return cause
		}
		return fmt.Errorf("it runs but has not answered in time%s", c.lastWords())
	}
	c.mu.Lock()
	line := c.firstLine
	c.mu.Unlock()
	if line != "" && !strings.HasPrefix(line, "1|") {
		return fmt.Errorf("it printed %q where its handshake should be: it is no plugin, or prints before it serves", cut(line, quotedLine))
	}
	if c.endedByItself() {
		return &startError{exit: c.exit, words: c.lastWords()}
	}
	return fmt.Errorf("%w%s", err, c.lastWords())
}

// startError says that a process ended before it was a plugin.
type startError struct {
	exit  *ExitError
	words string
}

func (e *startError) Error() string {
	if e.exit.How == "exit status 0" {
		return "it ended while it started, as if all were done: a plugin serves until its host ends it" + e.words
	}
	return "it ended while it started: " + e.exit.how() + e.words
}

func (e *startError) Unwrap() error { return e.exit }

// endedByItself waits a moment for a process that seems to be ending. One that
// go-plugin has found fault with is killed by us.
func (c *child) endedByItself() bool {
	select {
	case <-c.exited:
	case <-time.After(exitGrace):
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.killed
}

func (c *child) wasStarted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.started
}

// lastWords quotes the end of the process's standard error.
func (c *child) lastWords() string {
	lines := c.log.tail()
	if len(lines) == 0 {
		return ""
	}
	lines = lines[max(0, len(lines)-quotedLines):]
	for i, line := range lines {
		lines[i] = cut(line, quotedLine)
	}
	return "; its standard error ends: " + strings.Join(lines, " / ")
}

// cut shortens s to at most limit bytes and something that says so.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
