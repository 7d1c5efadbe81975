package frame_test

import (
	"math/rand/v2"
	"testing"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/frametest"
)

func BenchmarkMarshalArrow(b *testing.B) {
	f := frametest.Random(rand.New(rand.NewPCG(1, 10)), 10_000)
	b.SetBytes(int64(len(marshal(b, f))))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.MarshalArrow(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnmarshalArrow(b *testing.B) {
	file := marshal(b, frametest.Random(rand.New(rand.NewPCG(1, 10)), 10_000))
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := frame.UnmarshalArrow(file); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	b.ReportAllocs()
	f := frame.NewFieldOf("v", nil, frame.Float64, false)
	for b.Loop() {
		frame.Append(f, 1.5)
	}
}

// TestViewsAllocate holds UnmarshalArrow to as many allocations for a hundred
// thousand rows as for one.
func TestViewsAllocate(t *testing.T) {
	allocs := func(rows int) float64 {
		file := marshal(t, frame.New("f",
			frame.NewField("v", nil, make([]float64, rows)),
			frame.NewField("s", nil, make([]string, rows)),
		))
		return testing.AllocsPerRun(10, func() { unmarshal(t, file) })
	}
	if one, many := allocs(1), allocs(100_000); one != many {
		t.Errorf("%v allocations for one row, %v for many", one, many)
	}
}
