// Package gate lets a bounded number of calls through. The others wait in
// lines, one for each key, which are served in turn: whoever floods one line
// makes nobody in another wait longer than that.
package gate

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrFull: too many wait already.
var ErrFull = errors.New("too many calls wait")

// Limits are how many calls may be under way. All are greater than 0.
type Limits struct {
	// All and PerKey bound the calls under way, Waiting those that wait.
	All, PerKey, Waiting int
	// Wait is how long a call waits.
	Wait time.Duration
}

// Gate is used from many goroutines.
type Gate struct {
	limits Limits

	mu      sync.Mutex
	inside  int
	waiting int
	lines   map[string]*line
	turn    list.List // of the lines that somebody waits in, who is next first
	spare   *line     // so that a lone caller allocates nothing
}

// line is the calls of one key.
type line struct {
	key     string
	inside  int
	waiters list.List     // of *waiter
	place   *list.Element // in turn, nil if nobody waits
}

type waiter struct{ admitted chan struct{} }

// New returns an open gate.
func New(l Limits) *Gate { return &Gate{limits: l, lines: map[string]*line{}} }

// Enter returns when the call may go on, and Leave is to be called when it has
// ended; or it returns why not: ErrFull, or the cause of ctx's end.
func (g *Gate) Enter(ctx context.Context, key string) error {
	g.mu.Lock()
	l := g.line(key)
	if g.inside < g.limits.All && l.inside < g.limits.PerKey && l.place == nil {
		g.admit(l)
		g.mu.Unlock()
		return nil
	}
	if g.waiting >= g.limits.Waiting {
		defer g.mu.Unlock()
		g.forget(l)
		return fmt.Errorf("%w: %d are under way and %d wait", ErrFull, g.inside, g.waiting)
	}
	w := &waiter{admitted: make(chan struct{})}
	at := l.waiters.PushBack(w)
	g.waiting++
	if l.place == nil {
		l.place = g.turn.PushBack(l)
	}
	g.mu.Unlock()
	timer := time.NewTimer(g.limits.Wait)
	defer timer.Stop()
	select {
	case <-w.admitted:
		return nil
	case <-timer.C:
		g.giveUp(l, at)
		return fmt.Errorf("%w: this one has waited for %v", ErrFull, g.limits.Wait)
	case <-ctx.Done():
		g.giveUp(l, at)
		return context.Cause(ctx)
	}
}

// Leave ends a call that Enter has let through.
func (g *Gate) Leave(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left(g.lines[key])
}

// Load returns how many calls are under way and how many wait.
func (g *Gate) Load() (inside, waiting int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inside, g.waiting
}

// giveUp takes a waiter out of its line, or lets go what it was given in the
// same moment.
func (g *Gate) giveUp(l *line, at *list.Element) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-at.Value.(*waiter).admitted:
		g.left(l)
	default:
		g.leaveLine(l, at)
		g.forget(l)
	}
}

func (g *Gate) admit(l *line) {
	g.inside++
	l.inside++
}

func (g *Gate) left(l *line) {
	g.inside--
	l.inside--
	g.next()
	g.forget(l)
}

// next lets in as many as there is room for, a line at a time.
func (g *Gate) next() {
	for at := g.turn.Front(); at != nil && g.inside < g.limits.All; {
		l := at.Value.(*line)
		following := at.Next()
		if l.inside < g.limits.PerKey {
			first := l.waiters.Front()
			g.turn.MoveToBack(at)
			g.leaveLine(l, first)
			g.admit(l)
			close(first.Value.(*waiter).admitted)
			following = g.turn.Front()
		}
		at = following
	}
}

func (g *Gate) leaveLine(l *line, at *list.Element) {
	l.waiters.Remove(at)
	g.waiting--
	if l.waiters.Len() == 0 {
		g.turn.Remove(l.place)
		l.place = nil
	}
}

func (g *Gate) line(key string) *line {
	if l := g.lines[key]; l != nil {
		return l
	}
	l := g.spare
	if g.spare = nil; l == nil {
		l = &line{}
	}
	l.key = key
	g.lines[key] = l
	return l
}

// forget drops a line that nobody is in.
func (g *Gate) forget(l *line) {
	if l.inside == 0 && l.place == nil {
		delete(g.lines, l.key)
		g.spare = l
	}
}
