package framecsv_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framecsv"
	"github.com/plugboard/plugboard/frame/frametest"
)

// TestWrite reads random frames with encoding/csv, and compares every cell.
func TestWrite(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		f := frametest.Random(rng, rng.IntN(70))
		var out bytes.Buffer
		if err := framecsv.Write(&out, f); err != nil {
			t.Fatal(err)
		}
		records, err := csv.NewReader(&out).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if len(records) != f.Rows()+1 {
			t.Fatalf("%d lines for %d rows", len(records), f.Rows())
		}
		for i, heading := range f.Headings() {
			if want := asRead(heading); records[0][i] != want {
				t.Errorf("heading %q, want %q", records[0][i], want)
			}
		}
		for row, record := range records[1:] {
			for i, got := range record {
				if want := asRead(text(f.Fields[i], row)); got != want {
					t.Fatalf("seed %d, row %d, %v: %q, want %q", seed, row, f.Fields[i].Type(), got, want)
				}
			}
		}
	}
}

// asRead is what encoding/csv makes of a line break.
func asRead(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

// text is what a cell should read as.
func text(f *frame.Field, row int) string {
	switch v := f.At(row).(type) {
	case nil:
		return ""
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case float64:
		return float(v, 64)
	case float32:
		return float(float64(v), 32)
	case json.RawMessage:
		return string(v)
	case frame.Enum:
		if f.Config != nil && f.Config.Type != nil && f.Config.Type.Enum != nil && int(v) < len(f.Config.Type.Enum.Text) {
			return f.Config.Type.Enum.Text[v]
		}
		return fmt.Sprint(uint16(v))
	default:
		return fmt.Sprint(v)
	}
}

func float(v float64, bits int) string {
	format := byte('f')
	if abs := math.Abs(v); v-v == 0 && abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	if bits == 32 && v != 0 && v-v == 0 {
		format = 'f'
		if abs := float32(math.Abs(v)); abs < 1e-6 || abs >= 1e21 {
			format = 'e'
		}
	}
	return strconv.FormatFloat(v, format, -1, bits)
}

func TestOneColumn(t *testing.T) {
	var out strings.Builder
	f := frame.New("", frame.NewNullableField("s", nil, []*string{nil, new(""), new("x")}))
	if err := framecsv.Write(&out, f); err != nil || out.String() != "s\r\n\"\"\r\n\"\"\r\nx\r\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// TestWriteFrames: the columns of all frames, the rows of one after the other.
func TestWriteFrames(t *testing.T) {
	var out strings.Builder
	err := framecsv.Write(&out,
		frame.New("", frame.NewField("a", nil, []int8{1, 2}), frame.NewField("b", nil, []string{"x", ""})),
		frame.New(""),
		frame.New("", frame.NewField("b", nil, []float64{1.5}), frame.NewField("b", nil, []bool{true}), frame.NewField("", nil, []int8{3})),
	)
	const want = "a,b,b (2),column 3\r\n1,x,,\r\n2,\"\",,\r\n,1.5,true,3\r\n"
	if err != nil || out.String() != want {
		t.Errorf("%q, %v, want %q", out.String(), err, want)
	}
	out.Reset()
	if err := framecsv.Write(&out); err != nil || out.Len() > 0 {
		t.Errorf("no frames are %q, %v", out.String(), err)
	}
}

// TestWriter: one frame after the other, below headings that are known before.
func TestWriter(t *testing.T) {
	a, b := frame.New("a", frame.NewField("x", nil, []int8{1})), frame.New("b", frame.NewField("y", nil, []int8{2, 3}))
	var out bytes.Buffer
	w := framecsv.NewWriter(&out, a, b)
	if out.Len() > 0 {
		t.Errorf("%q before the first frame", out.String())
	}
	if err := w.Write(frame.New("c", frame.NewField("x", nil, []int8{1}), frame.NewField("z", nil, []int8{1}))); err == nil || !strings.Contains(err.Error(), `the column "z"`) {
		t.Errorf("a column that the table lacks: %v", err)
	}
	if err := errors.Join(w.Write(b), w.Write(a), w.Write(b)); err != nil || out.String() != "x,y\r\n,2\r\n,3\r\n1,\r\n,2\r\n,3\r\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// FuzzArrow writes what is in changed Arrow files. A reader of CSV finds all
// rows and columns of it.
func FuzzArrow(f *testing.F) {
	for seed, rows := range []int{0, 1, 9} {
		b, err := frametest.Random(rand.New(rand.NewPCG(uint64(seed), 2)), rows).MarshalArrow()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		batches, err := frame.UnmarshalBatches(b)
		if err != nil || len(batches[0].Fields) == 0 {
			return
		}
		var out bytes.Buffer
		if framecsv.Write(&out, batches...) != nil {
			return // fields of unequal length
		}
		records, err := csv.NewReader(&out).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		rows := 1
		for _, batch := range batches {
			rows += batch.Rows()
		}
		if len(records) != rows || len(records[0]) != len(batches[0].Fields) {
			t.Errorf("%d lines for %d rows, %d columns for %d fields", len(records), rows-1, len(records[0]), len(batches[0].Fields))
		}
	})
}

type broken struct{}

var errBroken = errors.New("broken")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestWriteFails(t *testing.T) {
	f := frame.New("", frame.NewField("v", nil, make([]float64, 100_000)))
	if err := framecsv.Write(broken{}, f); !errors.Is(err, errBroken) {
		t.Error(err)
	}
	if err := framecsv.Write(broken{}, frame.New("", nil)); err == nil || errors.Is(err, errBroken) {
		t.Error(err)
	}
	if err := framecsv.Write(broken{}, frame.New("")); err != nil {
		t.Error(err)
	}
}

// TestWriteAllocates holds Write to as many allocations for many rows as for
// few.
func TestWriteAllocates(t *testing.T) {
	allocs := func(rows int) float64 {
		f := frame.New("", frame.NewField("t", nil, slices.Repeat([]time.Time{time.Unix(1, 5)}, rows)), frame.NewField("v", nil, make([]float64, rows)), frame.NewField("s", nil, make([]string, rows)))
		return testing.AllocsPerRun(10, func() {
			if err := framecsv.Write(io.Discard, f); err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := allocs(10), allocs(100_000); many > few {
		t.Errorf("%v allocations for few rows, %v for many", few, many)
	}
}

func ExampleWrite() {
	noon := time.Date(2024, 6, 1, 12, 0, 0, 0, time.UTC)
	f := frame.New("weather",
		frame.NewField("time", nil, []time.Time{noon, noon.Add(1500 * time.Millisecond)}),
		frame.NewField("temperature", frame.Labels{"city": "Oslo"}, []float64{17.5, math.NaN()}),
		frame.NewNullableField("sky", nil, []*string{new("clear, mostly"), nil}),
	)
	var out strings.Builder
	if err := framecsv.Write(&out, f); err != nil {
		fmt.Println(err)
	}
	fmt.Print(strings.ReplaceAll(out.String(), "\r\n", "\n"))
	// Output:
	// time,"temperature{city=""Oslo""}",sky
	// 2024-06-01T12:00:00Z,17.5,"clear, mostly"
	// 2024-06-01T12:00:01.5Z,NaN,
}
