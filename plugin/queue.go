package plugin

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// KeepLatest makes sending wait for nobody: up to n packets wait for a host
// that is slow, and the oldest gives way to one more. KeepLatest(1) is for
// channels of which only the latest value counts. Schemas are not lost: a frame
// goes with its own if the one before was another.
//
// It is called once, before anything is sent, with n at least 1.
func (s *Sender) KeepLatest(n int) {
	if n < 1 {
		panic("plugin: Sender.KeepLatest keeps one packet at least")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue != nil {
		panic("plugin: Sender.KeepLatest was called before")
	}
	s.queue = &queue{most: n, counter: s.dropped, changed: make(chan struct{}, 1), ended: make(chan struct{})}
	go s.queue.run(s.transmit)
}

// Dropped is how many packets have given way to others: see KeepLatest. All
// that a plugin drops is counted as plugboard_stream_dropped_total, too.
func (s *Sender) Dropped() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue == nil {
		return 0
	}
	return s.queue.count()
}

// finish sends what waits, and returns when it is sent.
func (s *Sender) finish() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	if s.queue == nil {
		return nil
	}
	return s.queue.end(false)
}

// abandon drops what waits. Sending fails from then on.
func (s *Sender) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	if s.queue != nil {
		_ = s.queue.end(true)
	}
}

// queue has the packets that wait to be sent, by a goroutine of its own.
type queue struct {
	most    int
	counter prometheus.Counter
	// changed tells run to look again; ended is closed when it has returned.
	changed chan struct{}
	ended   chan struct{}

	mu      sync.Mutex
	waiting []packet
	dropped int
	over    bool
	err     error // of sending
}

// put queues a packet; it fails once sending has.
func (q *queue) put(p packet) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		return q.err
	}
	if len(q.waiting) == q.most {
		copy(q.waiting, q.waiting[1:])
		q.waiting = q.waiting[:q.most-1]
		q.dropped++
		q.counter.Inc()
	}
	q.waiting = append(q.waiting, p)
	q.wake()
	return nil
}

func (q *queue) count() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}

// run sends packets until the end, or until one cannot be sent.
func (q *queue) run(send func(packet) error) {
	defer close(q.ended)
	for {
		p, ok := q.take()
		if !ok {
			return
		}
		if err := send(p); err != nil {
			q.mu.Lock()
			q.err = err
			q.mu.Unlock()
			return
		}
	}
}

// take waits for the next packet; there is none after the end.
func (q *queue) take() (packet, bool) {
	for {
		q.mu.Lock()
		if len(q.waiting) > 0 {
			p := q.waiting[0]
			copy(q.waiting, q.waiting[1:])
			q.waiting = q.waiting[:len(q.waiting)-1]
			q.mu.Unlock()
			return p, true
		}
		over := q.over
		q.mu.Unlock()
		if over {
			return packet{}, false
		}
		<-q.changed
	}
}

// end lets run return, with or without sending what waits, and waits until it
// has.
func (q *queue) end(drop bool) error {
	q.mu.Lock()
	q.over = true
	if drop {
		q.waiting = nil
	}
	q.wake()
	q.mu.Unlock()
	<-q.ended
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.err
}

func (q *queue) wake() {
	select {
	case q.changed <- struct{}{}:
	default:
	}
}
