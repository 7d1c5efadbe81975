// Package bytepool keeps buffers for gRPC messages, so that large ones are
// neither made nor cleared anew for each.
package bytepool

import (
	"math/bits"
	"sync"
)

// Pool keeps buffers by powers of two. It does not clear them, as gRPC's own
// pool does with all of a buffer for every use: who gets one overwrites it. It
// is a mem.BufferPool. The zero Pool is empty and ready; it may be used from
// many goroutines.
type Pool struct {
	tiers [maxTier + 1]sync.Pool // of *[]byte, whose capacity is 1<<index
}

const (
	minTier = 8
	maxTier = 23 // larger ones are left to the collector
)

// Get returns a buffer of that length, with anything in it, that begins where
// a uint64 may.
func (p *Pool) Get(length int) *[]byte {
	tier := max(minTier, bits.Len(uint(max(length, 1)-1)))
	if tier > maxTier {
		return new(make([]byte, length))
	}
	b, ok := p.tiers[tier].Get().(*[]byte)
	if !ok {
		b = new(make([]byte, 1<<tier))
	}
	*b = (*b)[:length]
	return b
}

// Put takes a buffer that Get returned, and that nobody uses any more.
func (p *Pool) Put(b *[]byte) {
	tier := bits.Len(uint(cap(*b))) - 1
	if cap(*b) == 1<<tier && minTier <= tier && tier <= maxTier {
		p.tiers[tier].Put(b)
	}
}
