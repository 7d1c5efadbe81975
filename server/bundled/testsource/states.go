package testsource

import (
	"context"
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

// states returns how two made-up machines were, as enums with colours, and what
// else fields can say of how they are shown: units, thresholds, links, mappings.
func states(_ context.Context, q plugin.Query[model]) (*frame.Frame, error) {
	times := steps(q)
	texts := &frame.EnumConfig{Text: []string{"running", "degraded", "stopped"}, Color: []string{"green", "orange", "red"}}
	states := frame.New("states", frame.NewField("time", nil, times))
	for machine := range 2 {
		values := make([]frame.Enum, len(times))
		for row := range values {
			values[row] = frame.Enum(max(0, 3*math.Sin(float64(row*(machine+1))/float64(len(times))*9)-0.2))
		}
		f := frame.NewField("state", frame.Labels{"machine": strconv.Itoa(machine + 1)}, values)
		f.Config = &frame.Config{Type: &frame.TypeConfig{Enum: texts}}
		states.Fields = append(states.Fields, f)
	}
	states.Fields = append(states.Fields, load(times), replicas(times))
	states.Meta = &frame.Meta{
		Type: frame.TypeTimeSeriesWide, TypeVersion: [2]uint{0, 1},
		Notices: []frame.Notice{{Severity: frame.Info, Text: "These machines are made up"}},
	}
	return states, nil
}

// load goes up and down between its thresholds, with gaps.
func load(times []time.Time) *frame.Field {
	values := make([]*float64, len(times))
	for row := range values {
		if at := 50 + 48*math.Sin(float64(row)/float64(len(times))*20); row%25 != 24 {
			values[row] = &at
		}
	}
	f := frame.NewNullableField("load", nil, values)
	decimals := uint16(1)
	f.Config = &frame.Config{
		DisplayName: "Load", Unit: "percent", Decimals: &decimals, NoValue: "not told",
		Thresholds: &frame.Thresholds{Mode: frame.Absolute, Steps: []frame.Threshold{
			{Value: frame.Float(math.Inf(-1)), Color: "green"}, {Value: 70, Color: "orange"}, {Value: 90, Color: "red"},
		}},
		Links: []frame.DataLink{{Title: "Runbook", URL: "https://example.org/load?value=${__value.raw}&at=${__from}", TargetBlank: true}},
	}
	return f
}

// replicas is a number that stands for words.
func replicas(times []time.Time) *frame.Field {
	values := make([]int64, len(times))
	for row := range values {
		values[row] = int64(row * 4 / max(1, len(times)))
	}
	f := frame.NewField("replicas", nil, values)
	f.Config = &frame.Config{Mappings: frame.ValueMappings{frame.ValueMap{"0": {Text: "none", Color: "red"}}}}
	return f
}

// maxLines is the most that logs may have.
const maxLines = 100_000

// logs returns lines of a log, evenly over the time range.
func logs(_ context.Context, q plugin.Query[model]) (*frame.Frame, error) {
	count := q.Model.Rows
	if count == 0 {
		count = 100
	}
	if count < 0 || count > maxLines {
		return nil, plugin.BadRequest("query: %d lines of logs are not 1 to %d", count, maxLines)
	}
	said := []struct{ level, text string }{
		{"info", `GET /cart 200 in 12ms`}, {"debug", "cache is warm"}, {"info", `level=info msg="order placed" order=4711`},
		{"warn", "the bank is slow: 2.1s"}, {"error", "charge failed: no answer in time\n\tat bank.charge (bank.go:42)\n\tat pay (pay.go:7)"},
	}
	times, bodies, levels, labels := make([]time.Time, count), make([]string, count), make([]string, count), make([]json.RawMessage, count)
	step := q.TimeRange.To.Sub(q.TimeRange.From) / time.Duration(count)
	for row := range times {
		line := said[row*7%len(said)]
		times[row], bodies[row], levels[row] = q.TimeRange.From.Add(time.Duration(row)*step), line.text, line.level
		labels[row] = json.RawMessage(`{"app":"shop","pod":"shop-` + strconv.Itoa(row%3) + `"}`)
	}
	f := frame.New("logs", frame.NewField("timestamp", nil, times), frame.NewField("body", nil, bodies),
		frame.NewField("severity", nil, levels), frame.NewField("labels", nil, labels))
	f.Meta = &frame.Meta{Type: frame.TypeLogLines, TypeVersion: [2]uint{0, 0}, Visualization: "logs"}
	return f, nil
}
