// Package history remembers for a day what plugins have used and been asked, in
// memory of a fixed size.
package history

import (
	"context"
	"sync"
	"time"

	"github.com/plugboard/plugboard/frame"
)

// span is how far back is remembered, and how closely.
type span struct{ step, length time.Duration }

var (
	hour = span{10 * time.Second, time.Hour}
	day  = span{5 * time.Minute, 24 * time.Hour}
)

// Reading is how a plugin's counters stand.
type Reading struct {
	Plugin string
	// Usage is nil if it is not known, as of a plugin that does not run.
	Usage *Usage
	// Calls were made to the plugin since the server started, and Failed.
	Calls, Failed float64
}

// Usage is what one process of a plugin uses.
type Usage struct {
	// PID tells processes apart; 0 is one that runs elsewhere.
	PID int
	// CPU is how long it has computed since it started.
	CPU time.Duration
	// Memory is what it has resident, in bytes.
	Memory float64
}

// History keeps 650 points for each plugin, about 20 kB. Its methods may be
// called from many goroutines.
type History struct {
	read func(context.Context) []Reading

	mu      sync.Mutex
	plugins map[string]*life
}

// New returns a history that asks read for the counters of all plugins. What is
// read may take ten seconds.
func New(read func(context.Context) []Reading) *History {
	return &History{read: read, plugins: map[string]*life{}}
}

// Run reads counters, at once and every ten seconds, until ctx ends.
func (h *History) Run(ctx context.Context) error {
	ticker := time.NewTicker(hour.step)
	defer ticker.Stop()
	for {
		readings := h.read(ctx)
		h.add(time.Now(), readings)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (h *History) add(at time.Time, readings []Reading) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range readings {
		l := h.plugins[r.Plugin]
		if l == nil {
			l = &life{before: r, at: at, hour: newRing(hour), day: newRing(day)}
			h.plugins[r.Plugin] = l
			continue
		}
		l.add(at, r)
	}
}

// Frame returns what is remembered of a plugin from so long ago on: of an hour,
// points of ten seconds; of more, points of five minutes, which go back a day.
// Its columns are time, cpu in percent of a processor, memory in bytes, requests
// and errors a second; each row is of the step that ends at its time. What is
// not known is null. A plugin that was never read has no rows.
func (h *History) Frame(plugin string, back time.Duration) *frame.Frame {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.plugins[plugin]
	switch {
	case l == nil:
		return frameOf(nil)
	case back <= hour.length:
		return frameOf(l.hour.since(l.at.Add(-back)))
	default:
		return frameOf(l.day.since(l.at.Add(-back)))
	}
}

// life is what is kept of one plugin.
type life struct {
	before    Reading
	at        time.Time // of before
	hour, day *ring
	// since are the points of the day's step that is under way.
	since []point
}

func (l *life) add(at time.Time, now Reading) {
	p := l.between(at, now)
	l.before, l.at = now, at
	l.hour.add(p)
	l.since = append(l.since, p)
	if len(l.since) == int(day.step/hour.step) {
		l.day.add(together(l.since))
		l.since = l.since[:0]
	}
}

// between returns what has happened since the reading before. What runs
// elsewhere, and was not read then, may have computed for days.
func (l *life) between(at time.Time, now Reading) point {
	seconds := at.Sub(l.at).Seconds()
	p := point{at: at, calls: (now.Calls - l.before.Calls) / seconds, failed: (now.Failed - l.before.Failed) / seconds}
	was := l.before.Usage
	if now.Usage == nil || was == nil && now.Usage.PID == 0 {
		return p
	}
	p.known, p.memory = true, now.Usage.Memory
	computed := now.Usage.CPU
	if was != nil && was.PID == now.Usage.PID && was.CPU <= computed {
		computed -= was.CPU // else it is another process, which has begun since
	}
	p.cpu = computed.Seconds() / seconds
	return p
}
