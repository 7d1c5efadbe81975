package frame_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
)

// roundTrip returns the frame as it arrives on the other side.
func roundTrip(t *testing.T, f *frame.Frame) *frame.Frame {
	t.Helper()
	b, err := f.MarshalArrow()
	if err != nil {
		t.Fatal(err)
	}
	got, err := frame.UnmarshalArrow(b)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestRoundTrip(t *testing.T) {
	at := time.Date(2024, 1, 2, 3, 4, 5, 678901234, time.UTC)
	in := frame.New("weather",
		frame.NewField("time", nil, []time.Time{at, time.Unix(-1, 999).UTC()}),
		frame.NewField("temp", frame.Labels{"city": "Seattle"}, []float64{1.5, math.Inf(1)}),
		frame.NewNullableField("rain", nil, []*bool{nil, new(true)}),
		frame.NewNullableField("note", nil, []*string{new("wet <é>"), nil}),
		frame.NewField("raw", nil, []json.RawMessage{nil, json.RawMessage(`{"a":1}`)}),
		frame.NewField("sky", nil, []frame.Enum{1, 0}),
	)
	in.RefID = "A"
	in.Meta = &frame.Meta{Type: frame.TypeTable, Notices: []frame.Notice{{Severity: frame.Warning, Text: "w"}}}
	in.Fields[1].Config = &frame.Config{Unit: "celsius", Max: new(frame.Float(40))}

	out := roundTrip(t, in)
	if out.Name != "weather" || out.RefID != "A" || out.Rows() != 2 || len(out.Fields) != 6 {
		t.Fatalf("got %+v", out)
	}
	if out.Meta.Type != frame.TypeTable || out.Meta.Notices[0].Severity != frame.Warning {
		t.Errorf("meta %+v", out.Meta)
	}
	for i, want := range in.Fields {
		got := out.Fields[i]
		if got.Name != want.Name || got.Type() != want.Type() || got.Nullable() != want.Nullable() || got.Nulls() != want.Nulls() {
			t.Errorf("field %d: %+v, want %+v", i, got, want)
		}
		for row := range want.Len() {
			g, _ := json.Marshal(got.At(row))
			w, _ := json.Marshal(want.At(row))
			if want.Type() != frame.Float64 && string(g) != string(w) {
				t.Errorf("%s row %d: %s, want %s", want.Name, row, g, w)
			}
		}
	}
	if v := frame.Slice[float64](out.Field("temp")); v[0] != 1.5 || !math.IsInf(v[1], 1) {
		t.Errorf("temp %v", v)
	}
	if c := out.Field("temp"); c.Config.Unit != "celsius" || *c.Config.Max != 40 || c.Labels["city"] != "Seattle" {
		t.Errorf("temp %+v", c)
	}
}

func TestTimeOutOfRange(t *testing.T) {
	f := frame.New("f", frame.NewField("when", nil, []time.Time{time.Unix(0, 0), time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)}))
	_, err := f.MarshalArrow()
	if err == nil || !strings.Contains(err.Error(), `field "when": row 1: time 3000-01-01`) {
		t.Errorf("got %v", err)
	}
	for _, ns := range []int64{math.MinInt64, math.MinInt64 + 1e9, -1, 0, math.MaxInt64 - 1e9, math.MaxInt64} {
		field := frame.NewField("t", nil, []time.Time{time.Unix(0, ns)})
		if field.Err() != nil || frame.Slice[int64](field)[0] != ns {
			t.Errorf("%d: %v, %v", ns, field.Err(), frame.Slice[int64](field))
		}
	}
	for _, bad := range []time.Time{time.Unix(0, math.MinInt64).Add(-1), time.Unix(0, math.MaxInt64).Add(1), {}} {
		if frame.NewField("t", nil, []time.Time{bad}).Err() == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}
