package framejson_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framejson"
	"github.com/plugboard/plugboard/frame/frametest"
)

// pieces notes the largest piece that is written to it.
type pieces struct {
	bytes.Buffer
	largest int
}

func (p *pieces) Write(b []byte) (int, error) {
	p.largest = max(p.largest, len(b))
	return p.Buffer.Write(b)
}

// TestWrite checks that Write writes what Append appends, in small pieces.
func TestWrite(t *testing.T) {
	for seed, rows := range []int{0, 1, 1023, 1024, 5000} {
		f := frametest.Random(rand.New(rand.NewPCG(uint64(seed), 10)), rows)
		for include := range framejson.IncludeSchemaOnly + 1 {
			want, err := framejson.Append(nil, f, include)
			if err != nil {
				t.Fatal(err)
			}
			var got pieces
			if err := framejson.Write(&got, f, include); err != nil || got.String() != string(want) {
				t.Errorf("%d rows, %d: %v, %d bytes, Append has %d", rows, include, err, got.Len(), len(want))
			}
			if got.largest > 100_000 {
				t.Errorf("%d rows: a piece of %d bytes", rows, got.largest)
			}
		}
	}
}

// TestWriteLargeTexts checks that large texts are handed on one by one.
func TestWriteLargeTexts(t *testing.T) {
	var texts []string
	for range 100 {
		texts = append(texts, strings.Repeat("text ", 20_000))
	}
	var got pieces
	if err := framejson.Write(&got, frame.New("", frame.NewField("s", nil, texts)), framejson.IncludeDataOnly); err != nil {
		t.Fatal(err)
	}
	if got.Len() < 10_000_000 || got.largest > 150_000 {
		t.Errorf("%d bytes in pieces of %d", got.Len(), got.largest)
	}
}

// TestWriteAllocates holds Write to as many allocations for many rows as for
// few.
func TestWriteAllocates(t *testing.T) {
	f := frame.New("", frame.NewField("v", nil, make([]float64, 100_000)), frame.NewField("s", nil, make([]string, 100_000)))
	allocs := testing.AllocsPerRun(20, func() {
		if err := framejson.Write(io.Discard, f, framejson.IncludeAll); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 4 { // the race detector empties pools
		t.Errorf("%v allocations", allocs)
	}
}

type broken struct{}

var errBroken = errors.New("broken")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestWriteFails(t *testing.T) {
	f := frame.New("", frame.NewField("v", nil, make([]float64, 1_000_000)))
	if err := framejson.Write(broken{}, f, framejson.IncludeAll); !errors.Is(err, errBroken) {
		t.Error(err)
	}
	f.Fields = append(f.Fields, nil)
	if err := framejson.Write(broken{}, f, framejson.IncludeAll); err == nil || errors.Is(err, errBroken) {
		t.Error(err)
	}
}
