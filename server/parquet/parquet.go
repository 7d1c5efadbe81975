// Package parquet writes frames as a Parquet file.
//
// It is arrow-go's writer, and 23 of the server's 53 MB. A narrower import does
// not help: parquet/file alone, without pqarrow, saves 0.8 MB, since its
// encoders link all of arrow/compute for one cast, and no build tag leaves that
// out.
package parquet

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/plugboard/plugboard/frame"
)

// What Write holds in memory is a row group, which ends after so many rows or
// bytes, and a part of a frame on its way into it.
const (
	groupRows  = 32 << 10
	groupBytes = 32 << 20
	partRows   = 4 << 10
	partBytes  = 4 << 20 // of the names of enums, which are written out
)

// Writer writes frames one after the other, as rows of one table whose columns
// are known before: those of all frames, each heading once, and again with a
// number where frames disagree on its type. A frame has nulls where it lacks a
// column. Times have nanoseconds and are UTC, enums and JSON are text.
//
// A Writer holds one row group, and of those before what the end of the file
// says of them. It belongs to one goroutine.
type Writer struct {
	table table
	file  *pqarrow.FileWriter
}

// NewWriter returns a writer of a table that has the columns of these frames,
// whose rows do not matter. It writes the beginning of the file.
func NewWriter(w io.Writer, columns frame.Frames) (*Writer, error) {
	t := tableOf(columns)
	// A bare writer: if w can be closed, that is the caller's.
	file, err := pqarrow.NewFileWriter(t.schema, struct{ io.Writer }{w}, t.properties(), pqarrow.DefaultWriterProps())
	return &Writer{t, file}, err
}

// Write writes the rows of a frame. What Validate finds is an error, and so is a
// column that the table lacks, or has of another type; then nothing of the frame
// is written. Any other error is w's.
func (w *Writer) Write(f *frame.Frame) error {
	if err := f.Validate(); err != nil {
		return err
	}
	source, err := w.table.source(f)
	if err != nil {
		return err
	}
	step := partOf(f)
	for from := 0; from < f.Rows(); from += step {
		part := f.SliceRows(from, min(from+step, f.Rows()))
		if err := w.file.WriteBuffered(w.table.rows(source, part)); err != nil {
			return err
		}
		if w.file.RowGroupTotalBytesWritten() < groupBytes {
			continue
		}
		if err := w.file.NewBufferedRowGroupChecked(); err != nil {
			return err
		}
	}
	return nil
}

// Close writes the end of the file. It does not close the writer below.
func (w *Writer) Close() error { return w.file.Close() }

// properties has a dictionary for text, of which there are few: of numbers, which
// mostly differ, it would be four fifths of the work.
func (t table) properties() *parquet.WriterProperties {
	options := []parquet.WriterProperty{
		parquet.WithCompression(compress.Codecs.Snappy), parquet.WithMaxRowGroupLength(groupRows), parquet.WithDictionaryDefault(false),
	}
	for _, field := range t.schema.Fields() {
		if field.Type.ID() == arrow.STRING {
			options = append(options, parquet.WithDictionaryFor(field.Name, true))
		}
	}
	return parquet.NewWriterProperties(options...)
}

// partOf returns how many rows of the frame are written at a time.
func partOf(f *frame.Frame) int {
	longest := 1
	for _, field := range f.Fields {
		for _, name := range namesOf(field) {
			longest = max(longest, len(name))
		}
	}
	return max(1, min(partRows, partBytes/longest))
}

// namesOf returns the names of an enum.
func namesOf(f *frame.Field) []string {
	if f.Type() != frame.EnumType || f.Config == nil || f.Config.Type == nil || f.Config.Type.Enum == nil {
		return nil
	}
	return f.Config.Type.Enum.Text
}

// table is the table that the frames are parts of.
type table struct {
	schema *arrow.Schema
	place  map[column]int
}

type column struct {
	heading string
	kind    arrow.Type
}

func tableOf(frames frame.Frames) table {
	var fields []arrow.Field
	place, names := map[column]int{}, map[string]bool{}
	for _, f := range frames {
		for i, heading := range f.Headings() {
			kind := typeOf(f.Fields[i])
			key := column{heading, kind.ID()}
			if _, known := place[key]; !known {
				place[key] = len(fields)
				fields = append(fields, arrow.Field{Name: unused(names, heading), Type: kind, Nullable: true})
			}
		}
	}
	return table{arrow.NewSchema(fields, nil), place}
}

// source returns, by column of the table, the field of the frame that the column
// comes from, or -1.
func (t table) source(f *frame.Frame) ([]int, error) {
	source := slices.Repeat([]int{-1}, t.schema.NumFields())
	for i, heading := range f.Headings() {
		at, known := t.place[column{heading, typeOf(f.Fields[i]).ID()}]
		if !known {
			return nil, fmt.Errorf("frame %q has the column %q of type %v, which is not a column of the table", f.Name, heading, f.Fields[i].Type())
		}
		source[at] = i
	}
	return source, nil
}

// unused makes a name that is not in use yet.
func unused(names map[string]bool, name string) string {
	free := name
	for n := 2; names[free]; n++ {
		free = name + " (" + strconv.Itoa(n) + ")"
	}
	names[free] = true
	return free
}

// rows returns some rows of a frame as rows of the table.
func (t table) rows(source []int, part *frame.Frame) arrow.RecordBatch {
	columns := make([]arrow.Array, t.schema.NumFields())
	for at, from := range source {
		if from < 0 {
			columns[at] = array.MakeArrayOfNull(memory.DefaultAllocator, t.schema.Field(at).Type, part.Rows())
		} else {
			columns[at] = arrayOf(part.Fields[from])
		}
	}
	return array.NewRecordBatch(t.schema, columns, int64(part.Rows()))
}

// types are those that lie in memory as frames have them.
var types = map[frame.Type]arrow.DataType{
	frame.Int8: arrow.PrimitiveTypes.Int8, frame.Int16: arrow.PrimitiveTypes.Int16,
	frame.Int32: arrow.PrimitiveTypes.Int32, frame.Int64: arrow.PrimitiveTypes.Int64,
	frame.Uint8: arrow.PrimitiveTypes.Uint8, frame.Uint16: arrow.PrimitiveTypes.Uint16,
	frame.Uint32: arrow.PrimitiveTypes.Uint32, frame.Uint64: arrow.PrimitiveTypes.Uint64,
	frame.Float32: arrow.PrimitiveTypes.Float32, frame.Float64: arrow.PrimitiveTypes.Float64,
	frame.Bool: arrow.FixedWidthTypes.Boolean, frame.Time: arrow.FixedWidthTypes.Timestamp_ns,
	frame.String: arrow.BinaryTypes.String, frame.JSON: arrow.BinaryTypes.String,
}

func typeOf(f *frame.Field) arrow.DataType {
	if f.Type() == frame.EnumType {
		return arrow.BinaryTypes.String
	}
	return types[f.Type()]
}

// arrayOf returns a view of a column that has rows.
func arrayOf(f *frame.Field) arrow.Array {
	if f.Type() == frame.EnumType {
		return names(f)
	}
	in := f.Buffers()
	buffers, nulls := []*memory.Buffer{nil}, 0
	if in.Valid != nil {
		buffers[0], nulls = memory.NewBufferBytes(in.Valid), array.UnknownNullCount
	}
	if f.Type() == frame.String || f.Type() == frame.JSON {
		offsets := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(in.Offsets))), 4*len(in.Offsets))
		buffers = append(buffers, memory.NewBufferBytes(offsets))
	}
	buffers = append(buffers, memory.NewBufferBytes(in.Data))
	return array.MakeFromData(array.NewData(typeOf(f), f.Len(), buffers, nil, nulls, 0))
}

// names returns an enum's column as text: the names, or numbers that have none.
func names(f *frame.Field) arrow.Array {
	b, known := array.NewStringBuilder(memory.DefaultAllocator), namesOf(f)
	for i, v := range frame.Slice[frame.Enum](f) {
		switch {
		case f.IsNull(i):
			b.AppendNull()
		case int(v) < len(known):
			b.Append(known[v])
		default:
			b.Append(strconv.Itoa(int(v)))
		}
	}
	return b.NewArray()
}
