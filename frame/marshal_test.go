package frame_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/frametest"
)

// throughArrowGo returns the file as arrow-go writes what it has read in it.
func throughArrowGo(t *testing.T, b []byte) []byte {
	t.Helper()
	r, err := ipc.NewFileReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	batches := make([]arrow.RecordBatch, r.NumRecords())
	for i := range batches {
		if batches[i], err = r.RecordBatch(i); err != nil {
			t.Fatal(err)
		}
	}
	return file(t, r.Schema(), batches...)
}

// TestArrowGoReadsWhatWeWrite holds the file that is written by hand against
// the reference implementation: nothing is lost on the way through it.
func TestArrowGoReadsWhatWeWrite(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 7))
		f := frametest.Random(rng, rng.IntN(70))
		if seed%5 == 0 {
			f.Fields = f.Fields[:rng.IntN(3)]
		}
		frametest.Equal(t, unmarshal(t, throughArrowGo(t, marshal(t, f))), f)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// TestMarshalAllocates holds MarshalArrow to memory of the file's exact size,
// and to as many allocations for a hundred thousand rows as for one.
func TestMarshalAllocates(t *testing.T) {
	for _, rows := range []int{1, 100_000} {
		f := frame.New("f",
			frame.NewField("v", frame.Labels{"a": "b"}, make([]float64, rows)),
			frame.NewField("s", nil, make([]string, rows)),
		)
		b := marshal(t, f)
		if cap(b)-len(b) > len(b)/4+64 { // the allocator rounds up
			t.Errorf("%d rows: %d bytes in %d", rows, len(b), cap(b))
		}
		if got := testing.AllocsPerRun(10, func() { marshal(t, f) }); got > 3 {
			t.Errorf("%d rows: %v allocations", rows, got)
		}
	}
}
