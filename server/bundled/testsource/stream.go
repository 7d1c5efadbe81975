package testsource

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framejson"
	"github.com/plugboard/plugboard/plugin"
)

// The channels.
const (
	channelWalk   = "random-walk"
	channelVitals = "vitals"
)

// tick is the time between two packets.
const tick = time.Second

// Subscribe knows the random walk, and the vitals where there is a server.
func (s *source) Subscribe(_ context.Context, c plugin.Channel) (plugin.StreamReply, error) {
	switch {
	case c.Path == channelWalk:
		return plugin.StreamReply{}, nil
	case c.Path == channelVitals && s.url == "":
		return plugin.StreamReply{}, errNoServer
	case c.Path == channelVitals:
		return plugin.StreamReply{}, nil
	default:
		return plugin.StreamReply{Status: plugin.StreamNotFound}, nil
	}
}

// RunStream sends a frame of one row every second. Every packet is a whole
// frame, so that one can begin to listen at any of them.
func (s *source) RunStream(ctx context.Context, c plugin.Channel, to *plugin.Sender) error {
	next := liveWalk()
	if c.Path == channelVitals {
		next = liveVitals(s.url)
	}
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		row, err := next(ctx)
		if err != nil {
			return fmt.Errorf("stream %s: %w", c.Path, err)
		}
		packet, err := framejson.Append(nil, row, framejson.IncludeAll)
		if err != nil {
			return fmt.Errorf("stream %s: %w", c.Path, err)
		}
		if err := to.SendJSON(packet); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
	}
}

// liveWalk takes one step of a random walk at a time.
func liveWalk() func(context.Context) (*frame.Frame, error) {
	at := 100 * rand.Float64()
	return func(context.Context) (*frame.Frame, error) {
		at += rand.Float64() - 0.5
		return frame.New("random walk",
			frame.NewField("time", nil, []time.Time{time.Now()}),
			frame.NewField("value", nil, []float64{at})), nil
	}
}
