package supervisor

import (
	"context"
	"fmt"
	"time"
)

// probes asks a process for signs of life, one at a time.
type probes[P Process] struct {
	probe   func(context.Context, P) error
	timeout time.Duration
	ctx     context.Context
	cancel  context.CancelFunc
	ticker  *time.Ticker
	due     <-chan time.Time
	answers chan error
	asking  bool
	missed  int
	// verdict is why the process is killed, once it is.
	verdict error
}

// newProbes returns the probes of the process in its place. They end with stop.
func (s *Supervisor[P]) newProbes(ctx context.Context) *probes[P] {
	p := &probes[P]{probe: s.config.Probe, timeout: s.config.ProbeEvery / 2, answers: make(chan error, 1)}
	p.ctx, p.cancel = context.WithCancel(ctx)
	if p.probe != nil {
		p.ticker = time.NewTicker(s.config.ProbeEvery)
		p.due = p.ticker.C
	}
	return p
}

func (p *probes[P]) stop() {
	p.cancel()
	if p.ticker != nil {
		p.ticker.Stop()
	}
	if p.asking {
		<-p.answers
	}
}

func (p *probes[P]) ask(process P) {
	if p.asking || p.verdict != nil {
		return
	}
	p.asking = true
	go func() {
		ctx, cancel := context.WithTimeout(p.ctx, p.timeout)
		defer cancel()
		p.answers <- p.probe(ctx, process)
	}()
}

// probed takes the answer to a probe. One that has not answered for too long
// is killed: Run sees it end then.
func (s *Supervisor[P]) probed(p *probes[P], err error) {
	p.asking = false
	pid := s.held.Process.PID()
	if err == nil {
		if p.missed > 0 {
			s.enter(Status{State: Ready, PID: pid}, "it answers again", nil)
		}
		p.missed = 0
		return
	}
	p.missed++
	if p.missed == 1 {
		s.logger.Warn("plugin does not answer a probe", "pid", pid, "error", err)
		s.enter(Status{State: Degraded, PID: pid}, fmt.Sprintf("it does not answer a probe: %v", err), err)
	}
	if p.missed == misses {
		p.verdict = fmt.Errorf("it hung: %d probes in a row had no answer, so it was killed", misses)
		s.logger.Error("plugin is killed: it hangs", "pid", pid, "error", err)
		s.held.Process.Kill()
	}
}
