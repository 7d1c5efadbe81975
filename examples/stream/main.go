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

// step is a row of the answer.
type step struct {
	Time  time.Time `frame:"time"`
	Value float64   `frame:"value"`
}

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
	steps, err := frame.FromStructs("walk", []step{{time.Now(), rand.NormFloat64()}})
	return frame.Frames{steps}, err
}

func (w *walk) Subscribe(_ context.Context, channel plugin.Channel) (plugin.StreamReply, error) {
	if channel.Path != "walk" {
		return plugin.StreamReply{Status: plugin.StreamNotFound}, nil
	}
	return plugin.StreamReply{}, nil
}

// RunStream sends steps. One that the host is too slow for gives way to those
// that come after it.
func (w *walk) RunStream(ctx context.Context, _ plugin.Channel, to *plugin.Sender) error {
	to.KeepLatest(10)
	tick := time.NewTicker(w.step)
	defer tick.Stop()
	for value := 0.0; ; value += rand.NormFloat64() {
		select {
		case now := <-tick.C:
			if err := plugin.SendRows(to, "walk", step{now, value}); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
