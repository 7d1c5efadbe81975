package frame_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/frametest"
)

// marshal returns the frame's Arrow file.
func marshal(t testing.TB, f *frame.Frame) []byte {
	t.Helper()
	b, err := f.MarshalArrow()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// unmarshal returns the frame of an Arrow file.
func unmarshal(t testing.TB, b []byte) *frame.Frame {
	t.Helper()
	f, err := frame.UnmarshalArrow(b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// appendCell appends row i of from.
func appendCell(to, from *frame.Field, i int) {
	switch v := from.At(i).(type) {
	case nil:
		to.AppendNull()
	case int8:
		frame.Append(to, v)
	case int16:
		frame.Append(to, v)
	case int32:
		frame.Append(to, v)
	case int64:
		frame.Append(to, v)
	case uint8:
		frame.Append(to, v)
	case uint16:
		frame.Append(to, v)
	case uint32:
		frame.Append(to, v)
	case uint64:
		frame.Append(to, v)
	case float32:
		frame.Append(to, v)
	case float64:
		frame.Append(to, v)
	case bool:
		frame.Append(to, v)
	case string:
		frame.Append(to, v)
	case time.Time:
		frame.Append(to, v)
	case json.RawMessage:
		frame.Append(to, v)
	case frame.Enum:
		frame.Append(to, v)
	}
}

func TestArrowRoundTrip(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 2))
		f := frametest.Random(rng, rng.IntN(70))
		frametest.Equal(t, unmarshal(t, marshal(t, f)), f)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func TestArrowWithoutRowsOrFields(t *testing.T) {
	for _, f := range []*frame.Frame{
		{},
		{Name: "n", RefID: "A", Meta: &frame.Meta{}},
		frame.New("z", frame.NewFieldOf("s", nil, frame.String, false), frame.NewFieldOf("b", frame.Labels{}, frame.Bool, true)),
	} {
		b := marshal(t, f)
		r, err := ipc.NewMappedFileReader(b)
		if err != nil || r.NumRecords() != 0 {
			t.Errorf("%d record batches, %v", r.NumRecords(), err)
		}
		frametest.Equal(t, unmarshal(t, b), f)
	}
}

// TestUnmarshalledIsView checks that columns lie in the file, and that nothing
// writes to them there.
func TestUnmarshalledIsView(t *testing.T) {
	f := frametest.Random(rand.New(rand.NewPCG(1, 3)), 13)
	b := marshal(t, f)
	before := bytes.Clone(b)
	got := unmarshal(t, b)
	for i, field := range got.Fields {
		appendCell(field, f.Fields[i], 5)
		if field.Nullable() {
			field.AppendNull()
		} else {
			appendCell(field, f.Fields[i], 6)
		}
		if field.Len() != 15 {
			t.Errorf("%v has %d rows", field.Type(), field.Len())
		}
	}
	if !bytes.Equal(b, before) {
		t.Error("appending to the frame changed the file")
	}
	again := unmarshal(t, b)
	frametest.Equal(t, again, f)
	for _, field := range again.Fields {
		if field.Type() == frame.Float64 && !field.Nullable() {
			for i := range b {
				b[i] = 0
			}
			if v := frame.Slice[float64](field)[0]; v != 0 {
				t.Errorf("the column is a copy: %v", v)
			}
		}
	}
}

func TestUnmarshalMisaligned(t *testing.T) {
	f := frametest.Random(rand.New(rand.NewPCG(1, 4)), 13)
	file := marshal(t, f)
	for shift := range 8 {
		b := append(make([]byte, shift, shift+len(file)), file...)
		frametest.Equal(t, unmarshal(t, b[shift:]), f)
	}
}

// file returns an Arrow file of these record batches.
func file(t testing.TB, schema *arrow.Schema, batches ...arrow.RecordBatch) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := ipc.NewFileWriter(&out, ipc.WithSchema(schema))
	if err != nil {
		t.Fatal(err)
	}
	for _, batch := range batches {
		if err := w.Write(batch); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestUnmarshalSeveralBatches(t *testing.T) {
	want := frametest.Random(rand.New(rand.NewPCG(1, 5)), 40)
	frametest.Equal(t, unmarshal(t, batches(t, want, 0, 11, 11, 25, 40)), want)
}

func TestUnmarshalStringViews(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "s", Type: arrow.BinaryTypes.StringView, Nullable: true}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	b.Field(0).(*array.StringViewBuilder).AppendValues([]string{"short", "", "longer than twelve bytes"}, []bool{true, false, true})
	got := unmarshal(t, file(t, schema, b.NewRecordBatch()))
	frametest.Equal(t, got, frame.New("", frame.NewNullableField("s", nil, []*string{new("short"), nil, new("longer than twelve bytes")})))
}

func TestUnmarshalRefuses(t *testing.T) {
	field := func(f arrow.Field) []byte {
		return file(t, arrow.NewSchema([]arrow.Field{f}, nil))
	}
	good := marshal(t, frame.New("", frame.NewField("x", nil, []int64{1})))
	for want, b := range map[string][]byte{
		"read arrow: not an Arrow file":              []byte("this is something else"),
		"read arrow: not an Arrow f":                 nil,
		"read arrow: not an Arrow":                   good[:len(good)-20],
		"the footer is longer than the file":         []byte("ARROW1 but nothing else, ARROW1"),
		`field "d": columns of Arrow's date are not`: field(arrow.Field{Name: "d", Type: arrow.PrimitiveTypes.Date32}),
		`field "l": columns of Arrow's list are not`: field(arrow.Field{Name: "l", Type: arrow.ListOf(arrow.PrimitiveTypes.Int8)}),
		`field "h": floats of half precision`:        field(arrow.Field{Name: "h", Type: arrow.FixedWidthTypes.Float16}),
		`field "m": timestamps in units of 1e-3 s`:   field(arrow.Field{Name: "m", Type: arrow.FixedWidthTypes.Timestamp_ms}),
		`field "y": dictionary-encoded columns`: field(arrow.Field{Name: "y",
			Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}}),
		`field "c": config: `: field(arrow.Field{Name: "c", Type: arrow.PrimitiveTypes.Int8,
			Metadata: arrow.NewMetadata([]string{"config"}, []string{"{"})}),
		`field "k": labels: `: field(arrow.Field{Name: "k", Type: arrow.PrimitiveTypes.Int8,
			Metadata: arrow.NewMetadata([]string{"labels"}, []string{`{"a":1}`})}),
	} {
		f, err := frame.UnmarshalArrow(b)
		if err == nil || f != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestUnmarshalBoundsMemory changes single bytes of a file: some of them tell
// how much there is of something.
func TestUnmarshalBoundsMemory(t *testing.T) {
	file := marshal(t, frame.New("f",
		frame.NewField("i", frame.Labels{"a": "b"}, []int64{1, 2}),
		frame.NewNullableField("s", nil, []*string{new("a"), nil}),
		frame.NewField("b", nil, []bool{true, false}),
	))
	for i := range file {
		for _, c := range []byte{0x00, 0x7f, 0xff} {
			b := bytes.Clone(file)
			b[i] = c
			if f, err := frame.UnmarshalArrow(b); err == nil {
				frametest.Text(f)
			}
		}
	}
}

// TestUnmarshalBatches checks that batches stay apart, and are views.
func TestUnmarshalBatches(t *testing.T) {
	want := frametest.Random(rand.New(rand.NewPCG(1, 31)), 40)
	b := batches(t, want, 0, 11, 11, 25, 40)
	got, err := frame.UnmarshalBatches(b)
	if err != nil {
		t.Fatal(err)
	}
	for i, rows := range []int{0, 11, 0, 14, 15} {
		if got[i].Rows() != rows {
			t.Errorf("batch %d has %d rows, not %d", i, got[i].Rows(), rows)
		}
	}
	whole := got[0]
	for _, batch := range got[1:] {
		if err := whole.AppendRows(batch); err != nil {
			t.Fatal(err)
		}
	}
	frametest.Equal(t, whole, want)

	none, err := frame.UnmarshalBatches(marshal(t, want.SliceRows(0, 0)))
	if err != nil || len(none) != 1 {
		t.Fatalf("%d frames, %v", len(none), err)
	}
	frametest.Equal(t, none[0], want.SliceRows(0, 0))

	large := frame.New("", frame.NewField("v", nil, make([]float64, 1_000_000)))
	b = batches(t, large, 500_000, 1_000_000)
	if n := allocated(func() { _, err = frame.UnmarshalBatches(b) }); n > 10_000 || err != nil {
		t.Errorf("%d bytes allocated to look at %d, %v", n, len(b), err)
	}
}

// batches returns an Arrow file of the frame, in batches that end at these rows.
func batches(t testing.TB, f *frame.Frame, ends ...int) []byte {
	t.Helper()
	r, err := ipc.NewMappedFileReader(marshal(t, f))
	if err != nil {
		t.Fatal(err)
	}
	all, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	var parts []arrow.RecordBatch
	from := 0
	for _, to := range ends {
		parts, from = append(parts, all.NewSlice(int64(from), int64(to))), to
	}
	return file(t, r.Schema(), parts...)
}

// allocated returns how many bytes do allocates.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestUnmarshalBoundsViews: string views may show the same text again and again,
// in every column of every batch. All of them together do not become more than
// some times the file.
func TestUnmarshalBoundsViews(t *testing.T) {
	const columns, rows = 16, 2000
	text := strings.Repeat("x", 20_000)
	view := array.NewStringViewBuilder(memory.DefaultAllocator)
	view.Append(text)
	one := view.NewStringViewArray().Data()
	views := bytes.Repeat(one.Buffers()[1].Bytes()[:16], rows) // all show it
	column := array.NewStringViewData(array.NewData(arrow.BinaryTypes.StringView, rows, []*memory.Buffer{nil, memory.NewBufferBytes(views), one.Buffers()[2]}, nil, 0, 0))
	var fields []arrow.Field
	var all []arrow.Array
	for range columns {
		fields, all = append(fields, arrow.Field{Name: "s", Type: arrow.BinaryTypes.StringView}), append(all, column)
	}
	schema := arrow.NewSchema(fields, nil)
	b := file(t, schema, array.NewRecordBatch(schema, all, rows), array.NewRecordBatch(schema, all, rows))
	var err error
	n := allocated(func() { _, err = frame.UnmarshalBatches(b) })
	if err == nil || !strings.Contains(err.Error(), `record batch 0: field "s": string views become over 64 times the file`) {
		t.Error(err)
	}
	if limit := uint64(64*len(b)) * 4; n > limit {
		t.Errorf("%d bytes for a file of %d", n, len(b))
	}
}

// FuzzUnmarshalArrow changes files. What is read must be readable to its last
// cell, be the same in batches, and be written again; and memory stays in
// proportion.
func FuzzUnmarshalArrow(f *testing.F) {
	for seed, rows := range []int{0, 1, 9} {
		f.Add(marshal(f, frametest.Random(rand.New(rand.NewPCG(uint64(seed), 6)), rows)))
	}
	some := frame.New("n", frame.NewNullableField("s", nil, []*string{new("a"), nil, new("b")}))
	f.Add(marshal(f, some))
	f.Add(batches(f, some, 1, 1, 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		var got *frame.Frame
		var err error
		if n := allocated(func() { got, err = frame.UnmarshalArrow(b) }); n > uint64(500*len(b)+1<<20) {
			t.Errorf("%d bytes allocated to read %d", n, len(b))
		}
		parts, partsErr := frame.UnmarshalBatches(b)
		if (err == nil) != (partsErr == nil) {
			t.Fatalf("%v in one piece, %v in batches", err, partsErr)
		}
		if err != nil {
			return
		}
		text := frametest.Text(got)
		if again := unmarshal(t, marshal(t, got)); frametest.Text(again) != text {
			t.Errorf("%s\nbecame\n%s", text, frametest.Text(again))
		}
		whole := parts[0]
		for _, part := range parts[1:] {
			if err := whole.AppendRows(part); err != nil {
				t.Fatal(err)
			}
		}
		if frametest.Text(whole) != text {
			t.Errorf("%s\nis in batches\n%s", text, frametest.Text(whole))
		}
	})
}

var update = flag.Bool("update", false, "rewrite the golden files")

// TestUnmarshalOldSDKs reads what plugins on old versions of the official SDK
// send: the files changed by some bytes between 0.102 and 0.164.
func TestUnmarshalOldSDKs(t *testing.T) {
	files, err := filepath.Glob("testdata/sdk/*.arrow")
	if err != nil || len(files) != 4 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		golden := "testdata/sdk/full.txt"
		if strings.Contains(name, "empty") {
			golden = "testdata/sdk/empty.txt"
		}
		frametest.Golden(t, golden, unmarshal(t, b), *update)
	}
}
