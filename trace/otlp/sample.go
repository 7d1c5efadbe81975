package otlp

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/plugboard/plugboard/trace"
)

// sampler decides which traces are recorded.
type sampler interface{ sample(trace.TraceID) bool }

func newSampler(kind string, param float64) (sampler, error) {
	switch {
	case math.IsNaN(param) || param < 0:
	case kind == "" || kind == "const":
		if param == 0 || param >= 1 {
			return ratio(min(param, 1)), nil
		}
	case kind == "probabilistic":
		return ratio(min(param, 1)), nil
	case kind == "rateLimiting":
		return newRate(param, time.Now), nil
	default:
		return nil, fmt.Errorf("sampler type %q is not supported, want const, probabilistic or rateLimiting", kind)
	}
	return nil, fmt.Errorf("%v is no parameter of a sampler of type %q", param, kind)
}

// ratio records a part of all traces: the same ones in every process, as
// OpenTelemetry has it.
type ratio float64

func (r ratio) sample(id trace.TraceID) bool {
	return binary.BigEndian.Uint64(id[8:])>>1 < uint64(float64(r)*(1<<63))
}

// rate records so many traces a second.
type rate struct {
	perSecond float64
	now       func() time.Time
	mu        sync.Mutex
	left      float64
	last      time.Time
}

func newRate(perSecond float64, now func() time.Time) *rate {
	return &rate{perSecond: perSecond, now: now, left: max(perSecond, 1), last: now()}
}

func (r *rate) sample(trace.TraceID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	r.left = min(max(r.perSecond, 1), r.left+now.Sub(r.last).Seconds()*r.perSecond)
	r.last = now
	if r.left < 1 {
		return false
	}
	r.left--
	return true
}
