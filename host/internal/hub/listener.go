package hub

import (
	"context"
	"io"
	"sync"

	"github.com/plugboard/plugboard/plugin"
)

const (
	// longestQueue is how many bytes may wait for a listener, twice: those it
	// has taken and those that have come since.
	longestQueue = 4 << 20
	// packetCost is what a waiting packet takes beyond its bytes.
	packetCost = 64
)

// Listener receives the packets of one channel.
type Listener struct {
	stream  *stream
	initial []byte
	request *plugin.StreamRequest
	renew   Renew

	// taken is the consumer's own; Next hands out what is in it first.
	taken [][]byte
	next  int

	arrived chan struct{}
	mu      sync.Mutex
	queue   [][]byte
	size    int
	err     error
}

// Initial is what a listener needs before the first packet, so that it can read
// those that follow; empty if there is nothing.
func (l *Listener) Initial() []byte { return l.initial }

// Next returns the next packet, verbatim; all listeners share its bytes, so
// they must not be changed. At the end of the stream it returns io.EOF, or why
// it ended. It may be called from one goroutine at a time.
func (l *Listener) Next(ctx context.Context) ([]byte, error) {
	for l.next == len(l.taken) {
		if err := l.take(); err != nil {
			return nil, err
		}
		if len(l.taken) > 0 {
			break
		}
		select {
		case <-l.arrived:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	packet := l.taken[l.next]
	l.taken[l.next] = nil
	l.next++
	return packet, nil
}

// take swaps the empty slice of packets for the waiting one. It returns why
// there will be no more.
func (l *Listener) take() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 && l.err != nil {
		return l.err
	}
	l.taken, l.queue = l.queue, l.taken[:0]
	l.next, l.size = 0, 0
	return nil
}

// push queues a packet, and reports whether the listener still listens: one
// that has let too much pile up is dropped, since what it would get after a gap
// may make no sense. A single packet fits, however large.
func (l *Listener) push(packet []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return false
	}
	l.size += len(packet) + packetCost
	if l.size > longestQueue && len(l.queue) > 0 {
		l.queue = nil
		l.end(ErrSlow)
		return false
	}
	l.queue = append(l.queue, packet)
	l.wake()
	return true
}

// finish ends the subscription, after what is queued.
func (l *Listener) finish(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end(err)
}

func (l *Listener) end(err error) {
	if l.err == nil {
		l.err = err
	}
	l.wake()
}

func (l *Listener) wake() {
	select {
	case l.arrived <- struct{}{}:
	default:
	}
}

// Close ends the subscription. It may be called at any time, and many times.
func (l *Listener) Close() {
	l.finish(io.EOF)
	if l.stream != nil {
		l.stream.remove(l)
	}
}

// renewed returns the listener's request with a fresh context.
func (l *Listener) renewed(ctx context.Context) (*plugin.StreamRequest, error) {
	if l.renew == nil {
		return l.request, nil
	}
	fresh, err := l.renew(ctx)
	if err != nil {
		return nil, err
	}
	request := *l.request
	request.Context = fresh
	return &request, nil
}
