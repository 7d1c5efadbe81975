package framejson_test

import (
	"bytes"
	"encoding/json"
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

// TestWriteBatches checks that a frame in pieces becomes what the whole becomes.
func TestWriteBatches(t *testing.T) {
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 11))
		f := frametest.Random(rng, rng.IntN(100))
		batches := frame.Frames{f.SliceRows(0, 0)}
		for from := 0; from < f.Rows(); {
			to := min(from+rng.IntN(40), f.Rows())
			batches, from = append(batches, f.SliceRows(from, to)), to
		}
		for include := range framejson.IncludeSchemaOnly + 1 {
			want, err := framejson.Append(nil, f, include)
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := framejson.WriteBatches(&got, batches, include); err != nil || got.String() != string(want) {
				t.Fatalf("seed %d: %v\n%s\nwant\n%s", seed, err, got.String(), want)
			}
		}
	}
	var out bytes.Buffer
	f, g := frame.New("f", frame.NewField("v", nil, []int8{1})), frame.New("f", frame.NewField("v", nil, []int16{1}))
	if err := framejson.WriteBatches(&out, frame.Frames{f, g}, framejson.IncludeAll); err == nil || out.Len() > 0 {
		t.Errorf("%v, %s", err, out.String())
	}
	if err := framejson.WriteBatches(&out, nil, framejson.IncludeAll); err == nil {
		t.Error("no frame was written")
	}
}

// FuzzArrow writes what is in changed Arrow files, as JSON and as rows: both are
// JSON, whatever it was, and the JSON reads as the same frame.
func FuzzArrow(f *testing.F) {
	for seed, rows := range []int{0, 1, 9} {
		b, err := frametest.Random(rand.New(rand.NewPCG(uint64(seed), 12)), rows).MarshalArrow()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		batches, err := frame.UnmarshalBatches(b)
		if err != nil {
			return
		}
		var text, rows bytes.Buffer
		if framejson.WriteBatches(&text, batches, framejson.IncludeAll) != nil {
			return // a config of NaN, or fields of unequal length
		}
		if !json.Valid(text.Bytes()) {
			t.Errorf("not JSON: %s", text.Bytes())
		}
		if err := framejson.WriteRows(&rows, batches...); err != nil {
			t.Error(err)
		}
		lines, want := 0, 0
		for line := range bytes.Lines(rows.Bytes()) {
			if lines++; !json.Valid(line) {
				t.Errorf("not JSON: %s", line)
			}
		}
		for _, batch := range batches {
			want += batch.Rows()
		}
		if lines != want {
			t.Errorf("%d lines for %d rows", lines, want)
		}
	})
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
