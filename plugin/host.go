package plugin

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/stats"
)

// errHostGone ends a plugin whose host has left it behind.
var errHostGone = errors.New("the host is gone")

const (
	// A dead parent is noticed within parentTime, and sooner if it had a
	// connection.
	parentTime = 500 * time.Millisecond
	// firstTime is how long a host may take to connect, reconnectTime to
	// connect again.
	firstTime     = 2 * time.Minute
	reconnectTime = 10 * time.Second
)

// hostWatch notices that the host is gone: it was our parent and no longer
// is, or it has no connection to us. Official plugins outlive a killed host.
type hostWatch struct {
	parent      func() int
	connections atomic.Int64
	changed     chan struct{}
}

func newHostWatch() *hostWatch {
	return &hostWatch{parent: os.Getppid, changed: make(chan struct{}, 1)}
}

// run returns an error once the host is gone, nil when ctx ends.
func (w *hostWatch) run(ctx context.Context) error {
	parent := w.parent()
	tick := time.NewTicker(parentTime)
	defer tick.Stop()
	patience := time.NewTimer(firstTime)
	defer patience.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-patience.C:
			return errHostGone
		case <-w.changed:
			if w.connections.Load() > 0 {
				patience.Stop()
			} else {
				patience.Reset(reconnectTime)
			}
		case <-tick.C:
		}
		if w.parent() != parent {
			return errHostGone
		}
	}
}

// HandleConn counts connections.
func (w *hostWatch) HandleConn(_ context.Context, event stats.ConnStats) {
	switch event.(type) {
	case *stats.ConnBegin:
		w.connections.Add(1)
	case *stats.ConnEnd:
		w.connections.Add(-1)
	}
	select {
	case w.changed <- struct{}{}:
	default:
	}
}
