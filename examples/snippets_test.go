package examples_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/trace"
	"github.com/plugboard/plugboard/trace/otlp"
)

// What is here stands in docs/guide/write-a-plugin.md too; a test of the command
// line's compares the two.

type source struct{}

type settings struct {
	URL      string        `json:"url" title:"Address" plugboard:"required" examples:"https://api.example.org"`
	Language string        `json:"language" title:"Language" enum:"en,nl" default:"en"`
	Timeout  time.Duration `json:"timeout" title:"Timeout" default:"30s"`
	Rows     int           `json:"rows" title:"Row limit" min:"1" max:"10000" default:"1000"`
	APIKey   string        `secret:"apiKey" title:"API key" plugboard:"required"`
}

func open(context.Context, plugin.Settings[settings]) (*source, error) { return &source{}, nil }

func (*source) Query(ctx context.Context, _ plugin.Query[struct{}]) (frame.Frames, error) {
	parse(ctx, 2)
	return frame.Frames{weather()}, nil
}

func main() { plugin.Main(plugin.DataSource(open).Trace(otlp.FromEnv)) }

func parse(ctx context.Context, n int) {
	ctx, span := trace.Start(ctx, "parse")
	defer span.End()
	span.Set(slog.Int("rows", n))
	_ = ctx // what is asked with it is part of the span
}

func weather() *frame.Frame {
	noon, rain := time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC), 0.5
	all := frame.Frames{
		frame.New("weather",
			frame.NewField("time", nil, []time.Time{noon, noon.Add(time.Hour)}),
			frame.NewField("temperature", frame.Labels{"city": "Oslo"}, []float64{-3, -2.5}),
			frame.NewNullableField("rain", nil, []*float64{nil, &rain})),
	}
	return all[0]
}

func TestSnippets(t *testing.T) {
	_ = main // serves until its host goes
	answer, err := (&source{}).Query(t.Context(), plugin.Query[struct{}]{})
	if err != nil || answer[0].Validate() != nil || answer[0].Rows() != 2 {
		t.Error(answer, err)
	}
}
