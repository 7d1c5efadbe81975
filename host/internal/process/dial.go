package process

import (
	"math/bits"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/experimental"
)

// window is how much of an answer nobody has asked for yet may be under way.
// Larger ones make nothing faster, and 64 callers fill them all.
const window = 64 << 10

// dialOptions are those of one connection.
func dialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithUnaryInterceptor(noteUnary),
		grpc.WithStreamInterceptor(noteStream),
		grpc.WithStaticStreamWindowSize(window),
		grpc.WithStaticConnWindowSize(connWindow),
		experimental.WithBufferPool(new(pool)),
	}
}

// connWindow is for all calls of a connection together. What has come is
// acknowledged at once, read or not, so it bounds nothing; it only has to be
// large enough not to make a plugin wait.
const connWindow = 1 << 20

// pool keeps the buffers of one connection, by powers of two. It does not
// clear them, as gRPC's does with all of a buffer for every use; gRPC
// overwrites what it gets.
type pool struct {
	tiers [maxTier + 1]sync.Pool // of *[]byte, whose capacity is 1<<index
}

const (
	minTier = 8
	maxTier = 20 // larger ones are left to the collector
)

// Get returns a buffer of that length, with anything in it.
func (p *pool) Get(length int) *[]byte {
	tier := max(minTier, bits.Len(uint(max(length, 1)-1)))
	if tier > maxTier {
		b := make([]byte, length)
		return &b
	}
	b, ok := p.tiers[tier].Get().(*[]byte)
	if !ok {
		made := make([]byte, 1<<tier)
		b = &made
	}
	*b = (*b)[:length]
	return b
}

// Put takes a buffer that Get returned.
func (p *pool) Put(b *[]byte) {
	tier := bits.Len(uint(cap(*b))) - 1
	if cap(*b) == 1<<tier && minTier <= tier && tier <= maxTier {
		p.tiers[tier].Put(b)
	}
}
