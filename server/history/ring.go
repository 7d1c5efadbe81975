package history

import (
	"math"
	"slices"
	"time"

	"github.com/plugboard/plugboard/frame"
)

// point is what a plugin has used and been asked in one step.
type point struct {
	at time.Time // its end
	// cpu is a share of one processor, memory in bytes: if they are known.
	cpu, memory float64
	known       bool
	// calls and failed are by the second.
	calls, failed float64
}

// together makes one point of several: rates are averaged, memory is the most
// there was.
func together(points []point) point {
	sum, known := point{at: points[len(points)-1].at}, 0.0
	for _, p := range points {
		sum.calls += p.calls
		sum.failed += p.failed
		if p.known {
			known++
			sum.cpu += p.cpu
			sum.memory = max(sum.memory, p.memory)
		}
	}
	sum.calls /= float64(len(points))
	sum.failed /= float64(len(points))
	if sum.known = known > 0; sum.known {
		sum.cpu /= known
	}
	return sum
}

// ring keeps the last points of a span.
type ring struct {
	points []point
	most   int
	oldest int // of a full one
}

func newRing(of span) *ring { return &ring{most: int(of.length / of.step)} }

func (r *ring) add(p point) {
	if len(r.points) < r.most {
		r.points = append(r.points, p)
		return
	}
	r.points[r.oldest] = p
	r.oldest = (r.oldest + 1) % r.most
}

// since returns the points after a time, oldest first.
func (r *ring) since(after time.Time) []point {
	points := slices.Concat(r.points[r.oldest:], r.points[:r.oldest])
	first := slices.IndexFunc(points, func(p point) bool { return p.at.After(after) })
	if first < 0 {
		return nil
	}
	return points[first:]
}

func frameOf(points []point) *frame.Frame {
	times := make([]time.Time, len(points))
	calls, failed := make([]float64, len(points)), make([]float64, len(points))
	cpu, memory := make([]*float64, len(points)), make([]*float64, len(points))
	for i, p := range points {
		times[i], calls[i], failed[i] = p.at, rounded(p.calls), rounded(p.failed)
		if p.known {
			percent := rounded(p.cpu * 100)
			cpu[i], memory[i] = &percent, &points[i].memory
		}
	}
	return frame.New("history",
		frame.NewField("time", nil, times),
		inUnit("percent", frame.NewNullableField("cpu", nil, cpu)),
		inUnit("bytes", frame.NewNullableField("memory", nil, memory)),
		inUnit("reqps", frame.NewField("requests", nil, calls)),
		inRed(inUnit("reqps", frame.NewField("errors", nil, failed))),
	)
}

// rounded leaves out what counters of whole ticks and calls cannot tell.
func rounded(value float64) float64 { return math.Round(value*1000) / 1000 }

func inUnit(unit string, f *frame.Field) *frame.Field {
	f.Config = &frame.Config{Unit: unit, Min: new(frame.Float)}
	return f
}

func inRed(f *frame.Field) *frame.Field {
	f.Config.Color = map[string]any{"mode": "fixed", "fixedColor": "red"}
	return f
}
