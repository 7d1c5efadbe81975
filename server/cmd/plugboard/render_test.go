package main

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
)

func sample() frame.Frames {
	noon := time.Date(2012, 1, 1, 12, 0, 0, 0, time.UTC)
	city := frame.Labels{"city": "Oslo", "a": `"`}
	state := frame.NewField("state", nil, []frame.Enum{1, 7})
	state.Config = &frame.Config{Type: &frame.TypeConfig{Enum: &frame.EnumConfig{Text: []string{"off", "on"}}}}
	return frame.Frames{
		{Name: "weather", RefID: "A", Fields: []*frame.Field{
			frame.NewField("time", nil, []time.Time{noon, noon.Add(1500 * time.Millisecond)}),
			frame.NewNullableField("high", city, []*float64{new(12.5), nil}),
			frame.NewField("n", nil, []int64{1, math.MaxInt64}),
			frame.NewField("", nil, []string{"a,\n\"b\"", "\x1b[31mred"}),
			frame.NewField("ok", nil, []bool{true, false}),
			frame.NewField("raw", nil, []json.RawMessage{json.RawMessage(`{"x":1}`), nil}),
			state,
		}},
		{RefID: "B", Fields: []*frame.Field{
			frame.NewField("time", nil, []time.Time{noon}),
			frame.NewField("n", nil, []float64{1e6}),
			frame.NewField("n", nil, []float64{1e-7}),
		}},
		{RefID: "C"},
	}
}

func TestTables(t *testing.T) {
	var got strings.Builder
	if err := writeTables(&got, sample()); err != nil {
		t.Fatal(err)
	}
	want := `A: weather
time                    high{a="\"",city="Oslo"}                    n  column 4     ok     raw      state
2012-01-01T12:00:00Z                        12.5                    1  a,\n\"b\"    true   {"x":1}  on
2012-01-01T12:00:01.5Z                      null  9223372036854775807  \x1b[31mred  false           7

B:
time                        n  n (2)
2012-01-01T12:00:00Z  1000000  1e-07

C:
(no columns)
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

func TestFloatText(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 0.1: "0.1", 1e6: "1000000", -1e21: "-1e+21", 1e-7: "1e-07", math.Inf(1): "+Inf",
	} {
		if got := floatText(v, 64); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
	if got := floatText(float64(float32(0.1)), 32); got != "0.1" {
		t.Errorf("float32: %s", got)
	}
}
