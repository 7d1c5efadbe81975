package parquet_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
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

func TestWrite(t *testing.T) {
	enum := frame.NewField("state", nil, []frame.Enum{1, 7})
	enum.Config = &frame.Config{Type: &frame.TypeConfig{Enum: &frame.EnumConfig{Text: []string{"off", "on"}}}}
	first := frame.New("", frame.NewField("time", nil, []time.Time{time.Unix(0, 1).UTC(), time.Unix(-1, 0).UTC()}),
		frame.NewNullableField("v", nil, []*float64{nil, new(1.5)}), enum)
	second := frame.New("", frame.NewField("v", nil, []string{"text"}), frame.NewField("time", nil, []time.Time{time.Unix(2, 0).UTC()}))
	var out bytes.Buffer
	if err := parquet.Write(&out, frame.Frames{first, second}); err != nil {
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
		if err := parquet.Write(&out, frame.Frames{f}); err != nil {
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
	if err := parquet.Write(&out, frame.Frames{f}); err != nil {
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
	if err := parquet.Write(&out, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := file.NewParquetReader(bytes.NewReader(out.Bytes())); err != nil {
		t.Error(err)
	}
}
