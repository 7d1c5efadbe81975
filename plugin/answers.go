package plugin

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/stats"
)

// answers counts the calls whose answers are not sent yet: an answer can be
// large, and is sent after the author's code and ours have returned. Of
// connections it tells who watches the host, if there is one.
type answers struct {
	underWay atomic.Int64
	host     *hostWatch
}

// apart marks calls that are no author's: go-plugin's, some of which last as
// long as the process.
type apart struct{}

func (a *answers) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	if strings.HasPrefix(info.FullMethodName, "/plugin.") {
		return context.WithValue(ctx, apart{}, true)
	}
	return ctx
}

func (a *answers) HandleRPC(ctx context.Context, event stats.RPCStats) {
	step := int64(0)
	switch event.(type) {
	case *stats.Begin:
		step = 1
	case *stats.End:
		step = -1
	default:
		return
	}
	if ctx.Value(apart{}) == nil {
		a.underWay.Add(step)
	}
}

func (a *answers) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (a *answers) HandleConn(ctx context.Context, event stats.ConnStats) {
	if a.host != nil {
		a.host.HandleConn(ctx, event)
	}
}

// sentTime is what gRPC is given to write what it has been handed.
const sentTime = 50 * time.Millisecond

// wait returns when all answers are sent, or ctx ends.
func (a *answers) wait(ctx context.Context) {
	tick := time.NewTicker(sentTime)
	defer tick.Stop()
	for {
		sent := a.underWay.Load() == 0
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if sent {
			return
		}
	}
}
