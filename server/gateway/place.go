package gateway

import (
	"sync"
	"time"
)

// patience is how long a client may take to read a block. After that its answer
// no longer keeps others from having theirs, if there is room for it elsewhere.
const patience = 100 * time.Millisecond

// place is where an answer is while it is written: among the few that hold one
// of the plugin's permits or, so that others need not wait for who reads it,
// among those that are held. The zero place is neither.
type place struct {
	held    *held
	size    int64
	release func() // gives the permit back

	mu       sync.Mutex
	moved    bool // to those that are held
	ended    bool
	watching bool
	timer    *time.Timer
}

// move gives the permit back, if there is room without it.
func (p *place) move() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tryMove()
}

func (p *place) tryMove() {
	if p.held == nil || p.moved || p.ended {
		return
	}
	if p.moved = p.held.room.TryAcquire(p.size); p.moved {
		p.release()
	}
}

// watch moves the answer once it has been watched for too long, at once or when
// there is room.
func (p *place) watch() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held == nil || p.moved {
		return
	}
	p.watching = true
	if p.timer == nil {
		p.timer = time.AfterFunc(patience, p.lose)
	} else {
		p.timer.Reset(patience)
	}
}

func (p *place) unwatch() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.watching {
		p.watching = false
		p.timer.Stop()
	}
}

// lose is called when patience has ended.
func (p *place) lose() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.watching {
		return
	}
	if p.tryMove(); !p.moved {
		p.timer.Reset(patience)
	}
}

// end gives the room back. It is called when the answer is written, or will not
// be.
func (p *place) end() {
	p.unwatch()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended = true; p.moved {
		p.held.give(p.size)
	}
}
