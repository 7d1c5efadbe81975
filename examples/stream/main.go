// Command stream is a data source with a live channel: a random walk that takes
// one step a second, and the same walk as a query.
package main

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

func main() { plugin.Main(plugin.DataSource(open)) }

type settings struct {
	// StepMS is the time between two steps; 0 means 1000.
	StepMS int `json:"stepMs"`
}

type walk struct{ step time.Duration }

func open(_ context.Context, s plugin.Settings[settings]) (*walk, error) {
	if s.Values.StepMS < 0 {
		return nil, plugin.BadRequest("settings: stepMs must not be negative")
	}
	if s.Values.StepMS == 0 {
		s.Values.StepMS = 1000
	}
	return &walk{step: time.Duration(s.Values.StepMS) * time.Millisecond}, nil
}

// Query answers one step: what came before is only streamed.
func (w *walk) Query(context.Context, plugin.Query[struct{}]) (frame.Frames, error) {
	return frame.Frames{at(time.Now(), rand.NormFloat64())}, nil
}

func (w *walk) Subscribe(_ context.Context, channel plugin.Channel) (plugin.StreamReply, error) {
	if channel.Path != "walk" {
		return plugin.StreamReply{Status: plugin.StreamNotFound}, nil
	}
	return plugin.StreamReply{}, nil
}

func (w *walk) RunStream(ctx context.Context, _ plugin.Channel, to *plugin.Sender) error {
	tick := time.NewTicker(w.step)
	defer tick.Stop()
	for value := 0.0; ; value += rand.NormFloat64() {
		select {
		case now := <-tick.C:
			if err := to.SendFrame(at(now, value)); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func at(now time.Time, value float64) *frame.Frame {
	return frame.New("walk",
		frame.NewField("time", nil, []time.Time{now}),
		frame.NewField("value", nil, []float64{value}))
}
