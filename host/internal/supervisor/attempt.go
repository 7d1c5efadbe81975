package supervisor

import (
	"context"
	"time"
)

// start is how to start a process, why another than before, and whom to tell
// that it was given up for its predecessor.
type start[P Process] struct {
	run        func(context.Context) (P, error)
	reason     string
	rolledBack func(error)
}

// attempt is a start that is under way.
type attempt[P Process] struct {
	start  start[P]
	began  time.Time
	cancel context.CancelFunc
	result chan result[P]
}

type result[P Process] struct {
	process P
	err     error
}

func (s *Supervisor[P]) begin(ctx context.Context, how start[P]) *attempt[P] {
	ctx, cancel := context.WithCancel(ctx)
	a := &attempt[P]{start: how, began: time.Now(), cancel: cancel, result: make(chan result[P], 1)}
	go func() {
		defer cancel()
		process, err := how.run(ctx)
		a.result <- result[P]{process, err}
	}()
	return a
}

// giveUp ends the start that is under way, if there is one, and returns when
// nothing of it is left.
func (s *Supervisor[P]) giveUp() {
	if s.attempt == nil {
		return
	}
	s.attempt.cancel()
	if r := <-s.attempt.result; r.err == nil {
		r.process.Stop()
	}
	if s.attempt.start.rolledBack != nil { // what is started next is not what its order asks for
		s.answer(errGivenUp)
	}
	s.attempt = nil
}
