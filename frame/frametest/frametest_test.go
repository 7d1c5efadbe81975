package frametest_test

import (
	"encoding/json"
	"flag"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/frametest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func weather() *frame.Frame {
	f := frame.New("weather",
		frame.NewField("time", nil, []time.Time{time.Unix(1704164645, 0), time.Unix(1704164646, 500)}),
		frame.NewNullableField("temp", frame.Labels{"city": "Seattle"}, []*float64{new(math.NaN()), nil}),
		frame.NewField("raw", nil, []json.RawMessage{nil, json.RawMessage(`{}`)}),
	)
	f.Meta = &frame.Meta{Type: frame.TypeTable}
	f.Fields[1].Config = &frame.Config{Unit: "celsius"}
	return f
}

func TestGolden(t *testing.T) {
	frametest.Golden(t, "testdata/weather.txt", weather(), *update)
}

func TestEqual(t *testing.T) {
	frametest.Equal(t, weather(), weather())
	for want, change := range map[string]func(*frame.Frame){
		`name: got "x", want "weather"`:                             func(f *frame.Frame) { f.Name = "x" },
		`ref id: got "B", want ""`:                                  func(f *frame.Frame) { f.RefID = "B" },
		`meta: got null, want {"type":"table","typeVersion":[0,0]}`: func(f *frame.Frame) { f.Meta = nil },
		`got 2 fields, want 3`:                                      func(f *frame.Frame) { f.Fields = f.Fields[:2] },
		`field 1 "temp": labels: got null, want {"city":"Seattle"}`: func(f *frame.Frame) { f.Fields[1].Labels = nil },
		`field 1 "temp": config: got {}, want {"unit":"celsius"}`:   func(f *frame.Frame) { f.Fields[1].Config = &frame.Config{} },
		`field 2 "raw": rows: got 3, want 2`:                        func(f *frame.Frame) { frame.Append(f.Fields[2], json.RawMessage(`1`)) },
		`field 2 "raw": type: got string, want json.RawMessage`: func(f *frame.Frame) {
			f.Fields[2] = frame.NewField("raw", nil, []string{"", ""})
		},
		`field 1 "temp": row 0: got 1, want NaN`: func(f *frame.Frame) {
			f.Fields[1] = frame.NewNullableField("temp", frame.Labels{"city": "Seattle"}, []*float64{new(1.0), nil})
		},
	} {
		got := weather()
		change(got)
		if diff := strings.Join(frametest.Diff(got, weather()), "\n"); !strings.Contains(diff, want) {
			t.Errorf("got %q, want %q in it", diff, want)
		}
	}
}

func TestRandom(t *testing.T) {
	for seed := range uint64(50) {
		a := frametest.Random(rand.New(rand.NewPCG(seed, 1)), int(seed%20))
		if err := a.Validate(); err != nil || len(a.Fields) != 30 || a.Rows() != int(seed%20) {
			t.Errorf("seed %d: %d fields, %d rows, %v", seed, len(a.Fields), a.Rows(), err)
		}
		frametest.Equal(t, frametest.Random(rand.New(rand.NewPCG(seed, 1)), int(seed%20)), a)
	}
}
