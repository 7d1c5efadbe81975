package parquet_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/frametest"
	"github.com/plugboard/plugboard/server/parquet"
)

// read returns the table as lines of cells, the first of them the headings.
func read(t *testing.T, content []byte) []string {
	t.Helper()
	in, err := file.NewParquetReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	reader, err := pqarrow.NewFileReader(in, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := reader.ReadTable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var head []string
	for _, f := range table.Schema().Fields() {
		head = append(head, f.Name+" "+f.Type.String())
	}
	lines := []string{strings.Join(head, "|")}
	for rows := array.NewTableReader(table, 1); rows.Next(); {
		var cells []string
		for _, column := range rows.RecordBatch().Columns() {
			cells = append(cells, column.ValueStr(0))
		}
		lines = append(lines, strings.Join(cells, "|"))
	}
	return lines
}

// write writes frames that are known before.
func write(w io.Writer, frames frame.Frames) error {
	out, err := parquet.NewWriter(w, frames)
	if err != nil {
		return err
	}
	for _, f := range frames {
		if err := out.Write(f); err != nil {
			return err
		}
	}
	return out.Close()
}

// TestColumnUnknown: the table's columns are those that it began with.
func TestColumnUnknown(t *testing.T) {
	numbers := frame.New("f", frame.NewField("v", nil, []float64{1}))
	var content bytes.Buffer
	out, err := parquet.NewWriter(&content, frame.Frames{numbers})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*frame.Frame{
		frame.New("g", frame.NewField("w", nil, []float64{2})),
		frame.New("h", frame.NewField("v", nil, []string{"3"})),
	} {
		if err := out.Write(f); err == nil || !strings.Contains(err.Error(), "not a column of the table") {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
	if err := errors.Join(out.Write(numbers), out.Write(frame.New("none")), out.Close()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(read(t, content.Bytes()), "\n"); got != "v float64\n1" {
		t.Errorf("%q", got)
	}
}

func TestWrite(t *testing.T) {
	enum := frame.NewField("state", nil, []frame.Enum{1, 7})
	enum.Config = &frame.Config{Type: &frame.TypeConfig{Enum: &frame.EnumConfig{Text: []string{"off", "on"}}}}
	first := frame.New("", frame.NewField("time", nil, []time.Time{time.Unix(0, 1).UTC(), time.Unix(-1, 0).UTC()}),
		frame.NewNullableField("v", nil, []*float64{nil, new(1.5)}), enum)
	second := frame.New("", frame.NewField("v", nil, []string{"text"}), frame.NewField("time", nil, []time.Time{time.Unix(2, 0).UTC()}))
	var out bytes.Buffer
	if err := write(&out, frame.Frames{first, second}); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(read(t, out.Bytes()), "\n")
	want := `time timestamp[ns, tz=UTC]|v float64|state utf8|v (2) utf8
1970-01-01T00:00:00.000000001Z|(null)|on|(null)
1969-12-31T23:59:59Z|1.5|7|(null)
1970-01-01T00:00:02Z|(null)|(null)|text`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestWriteRandom writes frames of every type, and reads as many rows.
func TestWriteRandom(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 3))
		f := frametest.Random(rng, rng.IntN(100))
		var out bytes.Buffer
		if err := write(&out, frame.Frames{f}); err != nil {
			t.Fatal(err)
		}
		lines := read(t, out.Bytes())
		if len(lines) != f.Rows()+1 || strings.Count(lines[0], "|") < len(f.Fields)-1 {
			t.Fatalf("seed %d: %d lines for %d rows: %s", seed, len(lines), f.Rows(), lines[0])
		}
	}
}

// TestWriteLarge has more rows than a row group.
func TestWriteLarge(t *testing.T) {
	const rows = 70_000
	var out bytes.Buffer
	f := frame.New("", frame.NewField("v", nil, make([]float64, rows)), frame.NewField("s", nil, make([]string, rows)))
	if err := write(&out, frame.Frames{f}); err != nil {
		t.Fatal(err)
	}
	in, err := file.NewParquetReader(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(in.NumRows(), " rows, ", in.NumRowGroups(), " groups"); got != "70000 rows, 3 groups" {
		t.Error(got)
	}
}

func TestWriteNothing(t *testing.T) {
	var out bytes.Buffer
	if err := write(&out, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := file.NewParquetReader(bytes.NewReader(out.Bytes())); err != nil {
		t.Error(err)
	}
}

// TestWriteBoundsMemory: what is held is a row group, of many rows or of few with
// much in them. The second frame says the names of its enum once; in the table
// each row has one.
func TestWriteBoundsMemory(t *testing.T) {
	rng, values := rand.New(rand.NewPCG(1, 4)), make([]float64, 3_000_000)
	for i := range values {
		values[i] = rng.Float64()
	}
	enum := frame.NewField("state", nil, make([]frame.Enum, 400))
	enum.Config = &frame.Config{Type: &frame.TypeConfig{Enum: &frame.EnumConfig{Text: []string{strings.Repeat("on", 1<<19)}}}}
	for _, f := range []*frame.Frame{frame.New("rows", frame.NewField("v", nil, values)), frame.New("names", enum)} {
		out := &peak{}
		before := out.measure()
		if err := write(out, frame.Frames{f}); err != nil {
			t.Fatal(err)
		}
		if out.heap > before+150<<20 {
			t.Errorf("%s: %d MB held", f.Name, (out.heap-before)>>20)
		}
	}
}

// peak keeps the most memory that is in use while it is written to.
type peak struct {
	since int
	heap  uint64
}

func (p *peak) Write(b []byte) (int, error) {
	if p.since += len(b); p.since > 1<<20 {
		p.since = 0
		p.measure()
	}
	return len(b), nil
}

func (p *peak) measure() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	p.heap = max(p.heap, m.HeapAlloc)
	return m.HeapAlloc
}

// TestWriteSmall: small frames share a row group.
func TestWriteSmall(t *testing.T) {
	var frames frame.Frames
	for i := range 1000 {
		frames = append(frames, frame.New("", frame.NewField("v", nil, []int64{int64(i), 0, 0})))
	}
	var out bytes.Buffer
	if err := write(&out, frames); err != nil {
		t.Fatal(err)
	}
	in, err := file.NewParquetReader(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(in.NumRows(), " rows, ", in.NumRowGroups(), " groups"); got != "3000 rows, 1 groups" {
		t.Error(got)
	}
}

// FuzzArrow writes what is in changed Arrow files. A reader finds all rows.
func FuzzArrow(f *testing.F) {
	for seed, rows := range []int{0, 1, 9} {
		b, err := frametest.Random(rand.New(rand.NewPCG(uint64(seed), 5)), rows).MarshalArrow()
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
		var out bytes.Buffer
		if write(&out, batches) != nil {
			return // fields of unequal length
		}
		in, err := file.NewParquetReader(bytes.NewReader(out.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for _, batch := range batches {
			rows += batch.Rows()
		}
		if in.NumRows() != int64(rows) {
			t.Errorf("%d rows of %d", in.NumRows(), rows)
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	rng, times, values := rand.New(rand.NewPCG(1, 6)), make([]time.Time, 100_000), make([]float64, 100_000)
	for i := range values {
		times[i], values[i] = time.UnixMilli(1700000000000+int64(i)*1000), rng.NormFloat64()
	}
	f := frame.New("bench", frame.NewField("time", nil, times))
	for i := range 5 {
		f.Fields = append(f.Fields, frame.NewField(fmt.Sprint("v", i), nil, values))
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := write(io.Discard, frame.Frames{f}); err != nil {
			b.Fatal(err)
		}
	}
}
