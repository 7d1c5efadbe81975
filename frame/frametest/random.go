package frametest

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/plugboard/plugboard/frame"
)

// Random returns a frame of that many rows with a field of each of the 30 kinds
// (15 types, nullable or not), in random order and with random labels, configs
// and meta. Its cells are what tends to break: limits, NaN and infinities,
// times before 1970 and between milliseconds, empty and multilingual strings,
// empty JSON. All of it can be sent: strings are valid UTF-8, JSON is valid.
func Random(rng *rand.Rand, rows int) *frame.Frame {
	r := random{rng, rows}
	fields := []*frame.Field{}
	for _, nullable := range []bool{false, true} {
		fields = append(fields,
			field(r, nullable, func() int8 { return int8(r.bits()) }),
			field(r, nullable, func() int16 { return int16(r.bits()) }),
			field(r, nullable, func() int32 { return int32(r.bits()) }),
			field(r, nullable, func() int64 { return int64(r.bits()) }),
			field(r, nullable, func() uint8 { return uint8(r.bits()) }),
			field(r, nullable, func() uint16 { return uint16(r.bits()) }),
			field(r, nullable, func() uint32 { return uint32(r.bits()) }),
			field(r, nullable, r.bits),
			field(r, nullable, r.float32),
			field(r, nullable, r.float64),
			field(r, nullable, func() bool { return r.IntN(2) == 0 }),
			field(r, nullable, r.text),
			field(r, nullable, r.time),
			field(r, nullable, r.json),
			field(r, nullable, func() frame.Enum { return frame.Enum(r.IntN(3)) }),
		)
	}
	r.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	f := frame.New(r.text(), fields...)
	f.RefID = r.text()
	f.Meta = r.meta()
	return f
}

// random makes values.
type random struct {
	*rand.Rand
	rows int
}

// field returns a field of what value makes; a third of a nullable one is null.
func field[T frame.Element](r random, nullable bool, value func() T) *frame.Field {
	var f *frame.Field
	if nullable {
		values := make([]*T, r.rows)
		for i := range values {
			if r.IntN(3) > 0 {
				values[i] = new(value())
			}
		}
		f = frame.NewNullableField(r.text(), r.labels(), values)
	} else {
		values := make([]T, r.rows)
		for i := range values {
			values[i] = value()
		}
		f = frame.NewField(r.text(), r.labels(), values)
	}
	f.Config = r.config(f.Type())
	return f
}

// pick returns one of the values.
func pick[T any](r random, values ...T) T { return values[r.IntN(len(values))] }

// bits returns a number of any size, or a limit of one of the integer types.
func (r random) bits() uint64 {
	if r.IntN(4) == 0 {
		return pick[uint64](r, 0, 1, math.MaxUint64, math.MaxInt64, 1<<63, math.MaxInt32, 1<<31, math.MaxInt16, 1<<15, 127, 128, 255)
	}
	return r.Uint64() >> r.IntN(64)
}

func (r random) float64() float64 {
	switch r.IntN(4) {
	case 0:
		return pick[float64](r, 0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64,
			math.SmallestNonzeroFloat64, 1e21, 1e-6, 9.999999e20, 9.9e-7, 1e-7, -1e-10, 1e100)
	case 1:
		return float64(r.IntN(100000)) / 100
	case 2:
		return r.NormFloat64()
	}
	return math.Float64frombits(r.Uint64())
}

func (r random) float32() float32 {
	if r.IntN(4) == 0 {
		return pick[float32](r, 1e-6, 1e21, math.MaxFloat32, math.SmallestNonzeroFloat32, 1.1)
	}
	return float32(r.float64())
}

func (r random) text() string {
	if r.IntN(3) == 0 {
		return pick(r, "", "<a href=\"x\">&amp;</a>", "line\nbreak\ttab\r\b\f\x00\x1f\x7f", "\u2028\u2029", "é ü ß", "日本語", "🌟 \U0010ffff", `\"`, "\ufffd")
	}
	return fmt.Sprintf("text %d", r.IntN(1000))
}

func (r random) time() time.Time {
	switch r.IntN(4) {
	case 0:
		return time.Unix(0, pick[int64](r, 0, -1, 1, 999_999, -999_999, -1_000_000, math.MinInt64, math.MaxInt64))
	case 1:
		return time.Unix(0, int64(r.Uint64()))
	case 2:
		return time.Unix(1704164645, r.Int64N(1e9))
	}
	return time.UnixMilli(1704164645000 + r.Int64N(1e9))
}

func (r random) json() json.RawMessage {
	return pick[json.RawMessage](r, nil, json.RawMessage(`{"a": [1, 2]}`), json.RawMessage(`"<x>"`), json.RawMessage("[1,\n2]"),
		json.RawMessage(`null`), json.RawMessage(`1e-07`), json.RawMessage(`"日"`))
}

func (r random) labels() frame.Labels {
	if r.IntN(2) == 0 {
		return nil
	}
	labels := frame.Labels{}
	for range r.IntN(4) {
		labels[r.text()] = r.text()
	}
	return labels
}

func (r random) config(t frame.Type) *frame.Config {
	if r.IntN(2) == 0 {
		return nil
	}
	c := &frame.Config{
		DisplayName: r.text(), Unit: pick(r, "", "s", "°C"), NoValue: r.text(),
		Interval: pick[float64](r, 0, 15000, 0.5, 1e-7),
		Custom:   pick(r, nil, map[string]any{"b": 1.5, "a": []any{"<", nil, 1e-9}}),
	}
	if r.IntN(2) == 0 {
		c.Min, c.Decimals, c.Filterable = new(frame.Float(r.NormFloat64())), new(uint16(2)), new(r.IntN(2) == 0)
		c.Mappings = frame.ValueMappings{
			frame.ValueMap{r.text(): {Text: r.text()}, "1": {Color: "red", Index: 1}},
			frame.RangeMap{From: new(frame.Float(1e-5)), Result: frame.MappingResult{Text: r.text()}},
			frame.SpecialMap{Match: frame.MatchNaN},
		}
		c.Thresholds = &frame.Thresholds{Mode: frame.Absolute, Steps: []frame.Threshold{
			{Value: frame.Float(math.Inf(-1)), Color: "green"}, {Value: frame.Float(r.NormFloat64()), State: "bad"},
		}}
		c.Links = []frame.DataLink{{Title: r.text(), Internal: &frame.InternalDataLink{DatasourceUID: "uid", Query: map[string]any{"q": r.text()}}}}
	}
	if t == frame.EnumType {
		c.Type = &frame.TypeConfig{Enum: &frame.EnumConfig{Text: []string{"off", "on", r.text()}}}
	}
	return c
}

func (r random) meta() *frame.Meta {
	if r.IntN(3) == 0 {
		return nil
	}
	return &frame.Meta{
		Type: pick[frame.FrameType](r, "", frame.TypeTable, frame.TypeTimeSeriesWide), TypeVersion: [2]uint{0, 1},
		ExecutedQueryString: r.text(),
		Custom:              pick[any](r, nil, map[string]any{"x": 1e-8, "text": "\b<"}, []any{true}),
		Stats:               []frame.Stat{{Config: frame.Config{DisplayName: r.text()}, Value: r.NormFloat64()}},
		Notices:             []frame.Notice{{Severity: frame.Severity(r.IntN(3)), Text: r.text(), Inspect: frame.InspectTab(r.IntN(5))}},
		UniqueRowIDFields:   pick(r, nil, []int{0, 1}),
	}
}
