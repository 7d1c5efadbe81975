//go:build unix

package bench

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/plugboard/plugboard/conformance/frames"
	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framejson"
)

// shape is a frame to measure: a time column, float columns, and in the
// variants a string column, or everything nullable with a tenth null.
type shape struct {
	rows, cols int
	variant    string
}

var shapes = []shape{{10, 2, ""}, {100_000, 6, ""}, {100_000, 6, "decimal"}, {100_000, 6, "strings"}, {100_000, 6, "nullable"}}

func (s shape) String() string {
	if s.variant == "" {
		return fmt.Sprintf("%dx%d", s.rows, s.cols)
	}
	return fmt.Sprintf("%dx%d-%s", s.rows, s.cols, s.variant)
}

func (s shape) frame() *frame.Frame {
	rng := rand.New(rand.NewPCG(1, 2))
	nullable := s.variant == "nullable"
	times := frame.NewFieldOf("time", nil, frame.Time, nullable)
	for i := range s.rows {
		appendSome(rng, times, time.UnixMilli(1704164645000+int64(i)*1000))
	}
	f := frame.New("bench", times)
	for c := 1; c < s.cols; c++ {
		if s.variant == "strings" && c == 1 {
			text := frame.NewFieldOf("host", nil, frame.String, nullable)
			for range s.rows {
				appendSome(rng, text, fmt.Sprintf("host-%d.example", rng.IntN(1000)))
			}
			f.Fields = append(f.Fields, text)
			continue
		}
		values := frame.NewFieldOf(fmt.Sprintf("v%d", c), frame.Labels{"series": fmt.Sprint(c)}, frame.Float64, nullable)
		for range s.rows {
			v := rng.NormFloat64() * 100
			if s.variant == "decimal" {
				v = float64(rng.IntN(1_000_000)) / 100
			}
			appendSome(rng, values, v)
		}
		f.Fields = append(f.Fields, values)
	}
	return f
}

// appendSome appends v; to a nullable field, null in one of ten cases.
func appendSome[T frame.Element](rng *rand.Rand, f *frame.Field, v T) {
	if f.Nullable() && rng.IntN(10) == 0 {
		f.AppendNull()
		return
	}
	frame.Append(f, v)
}

// compare runs ours and theirs for each shape, on the same content, after same
// has found that both come to the same.
func compare(b *testing.B, same func(*testing.B, *frame.Frame, *data.Frame), ours func(*testing.B, *frame.Frame), theirs func(*testing.B, *data.Frame)) {
	for _, s := range shapes {
		b.Run(s.String(), func(b *testing.B) {
			f := s.frame()
			twin, err := frames.Twin(f)
			if err != nil {
				b.Fatal(err)
			}
			same(b, f, twin)
			b.Run("ours", func(b *testing.B) { reportCPU(b, func() { ours(b, f) }) })
			b.Run("official", func(b *testing.B) { reportCPU(b, func() { theirs(b, twin) }) })
		})
	}
}

// sameArrow checks that each side reads the other's Arrow file, by the JSON that
// becomes of it.
func sameArrow(b *testing.B, ours *frame.Frame, theirs *data.Frame) {
	ourFile, err := ours.MarshalArrow()
	if err != nil {
		b.Fatal(err)
	}
	theirFile, err := theirs.MarshalArrow()
	if err != nil {
		b.Fatal(err)
	}
	ourFrame, err := frame.UnmarshalArrow(theirFile)
	if err != nil {
		b.Fatal(err)
	}
	theirFrame, err := data.UnmarshalArrowFrame(ourFile)
	if err != nil {
		b.Fatal(err)
	}
	if a, b2 := sum(ourFrame), officialSum(theirFrame); a != b2 {
		b.Fatalf("ours adds up to %g, theirs to %g", a, b2)
	}
	sameJSON(b, ourFrame, theirFrame)
}

// sameJSON checks that both sides write the same bytes, whole or in pieces, and
// that they write them again when they have read them.
func sameJSON(b *testing.B, ours *frame.Frame, theirs *data.Frame) {
	want, err := data.FrameToJSON(theirs, data.IncludeAll)
	if err != nil {
		b.Fatal(err)
	}
	decoded, err := framejson.Unmarshal(want)
	if err != nil {
		b.Fatal(err)
	}
	var pieces bytes.Buffer
	if err := framejson.Write(&pieces, ours, framejson.IncludeAll); err != nil {
		b.Fatal(err)
	}
	for _, f := range []*frame.Frame{ours, decoded} {
		got, err := framejson.Append(nil, f, framejson.IncludeAll)
		if err != nil {
			b.Fatal(err)
		}
		if !bytes.Equal(got, want) || !bytes.Equal(pieces.Bytes(), want) {
			b.Fatal("the JSON is not the same")
		}
	}
}

func BenchmarkArrowMarshal(b *testing.B) {
	compare(b, sameArrow, func(b *testing.B, f *frame.Frame) {
		for b.Loop() {
			if _, err := f.MarshalArrow(); err != nil {
				b.Fatal(err)
			}
		}
	}, func(b *testing.B, f *data.Frame) {
		for b.Loop() {
			if _, err := f.MarshalArrow(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkArrowUnmarshal reads a file and adds up its numbers.
func BenchmarkArrowUnmarshal(b *testing.B) {
	compare(b, sameArrow, func(b *testing.B, f *frame.Frame) {
		file, err := f.MarshalArrow()
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			got, err := frame.UnmarshalArrow(file)
			if err != nil {
				b.Fatal(err)
			}
			sink = sum(got)
		}
	}, func(b *testing.B, f *data.Frame) {
		file, err := f.MarshalArrow()
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			got, err := data.UnmarshalArrowFrame(file)
			if err != nil {
				b.Fatal(err)
			}
			sink = officialSum(got)
		}
	})
}

var sink float64

func sum(f *frame.Frame) (total float64) {
	for _, field := range f.Fields {
		switch {
		case field.Type() == frame.Float64 && field.Nulls() == 0:
			for _, v := range frame.Slice[float64](field) {
				total += v
			}
		case field.Type() == frame.Float64:
			for _, v := range frame.Values[float64](field) {
				total += v
			}
		case field.Type() == frame.Time:
			for _, v := range frame.Slice[int64](field) {
				total += float64(v)
			}
		}
	}
	return total
}

func officialSum(f *data.Frame) (total float64) {
	for _, field := range f.Fields {
		for i := range field.Len() {
			switch v := field.At(i).(type) {
			case float64:
				total += v
			case *float64:
				if v != nil {
					total += *v
				}
			case time.Time:
				total += float64(v.UnixNano())
			case *time.Time:
				if v != nil {
					total += float64(v.UnixNano())
				}
			}
		}
	}
	return total
}

func BenchmarkFrameToJSON(b *testing.B) {
	compare(b, sameJSON, func(b *testing.B, f *frame.Frame) {
		var out []byte
		for b.Loop() {
			var err error
			if out, err = framejson.Append(out[:0], f, framejson.IncludeAll); err != nil {
				b.Fatal(err)
			}
		}
	}, func(b *testing.B, f *data.Frame) {
		for b.Loop() {
			if _, err := data.FrameToJSON(f, data.IncludeAll); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkArrowToJSON is what a host does with an answer. Ours holds no more of
// the JSON than what is being written.
func BenchmarkArrowToJSON(b *testing.B) {
	compare(b, sameArrow, func(b *testing.B, f *frame.Frame) {
		file, err := f.MarshalArrow()
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			got, err := frame.UnmarshalArrow(file)
			if err != nil {
				b.Fatal(err)
			}
			if err := framejson.Write(io.Discard, got, framejson.IncludeAll); err != nil {
				b.Fatal(err)
			}
		}
	}, func(b *testing.B, f *data.Frame) {
		file, err := f.MarshalArrow()
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			got, err := data.UnmarshalArrowFrame(file)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := data.FrameToJSON(got, data.IncludeAll); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkJSONToFrame(b *testing.B) {
	compare(b, sameJSON, func(b *testing.B, f *frame.Frame) {
		text, err := framejson.Append(nil, f, framejson.IncludeAll)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := framejson.Unmarshal(text); err != nil {
				b.Fatal(err)
			}
		}
	}, func(b *testing.B, f *data.Frame) {
		text, err := data.FrameToJSON(f, data.IncludeAll)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if err := new(data.Frame).UnmarshalJSON(text); err != nil {
				b.Fatal(err)
			}
		}
	})
}
