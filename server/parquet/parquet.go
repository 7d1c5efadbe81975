// Package parquet writes frames as a Parquet file.
//
// It is arrow-go's writer, and 23 of the server's 53 MB. A narrower import does
// not help: parquet/file alone, without pqarrow, saves 0.8 MB, since its
// encoders link all of arrow/compute for one cast, and no build tag leaves that
// out.
package parquet

import (
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

// Write writes frames as one table. Its columns are those of all frames, each
// heading once, and again with a number where frames disagree on its type; a
// frame has nulls where it lacks a column, and its rows follow those of the one
// before. Times have nanoseconds and are UTC, enums and JSON are text.
//
// What Validate finds in any of the frames is an error before anything is
// written. Write holds one row group in memory.
func Write(w io.Writer, frames frame.Frames) error {
	for _, f := range frames {
		if err := f.Validate(); err != nil {
			return err
		}
	}
	t := tableOf(frames)
	// A bare writer: if w can be closed, that is the caller's.
	out, err := pqarrow.NewFileWriter(t.schema, struct{ io.Writer }{w}, t.properties(), pqarrow.DefaultWriterProps())
	if err != nil {
		return err
	}
	for i, f := range frames {
		step := partOf(f)
		for from := 0; from < f.Rows(); from += step {
			part := f.SliceRows(from, min(from+step, f.Rows()))
			if err := out.WriteBuffered(t.rows(i, part)); err != nil {
				return err
			}
			if out.RowGroupTotalBytesWritten() < groupBytes {
				continue
			}
			if err := out.NewBufferedRowGroupChecked(); err != nil {
				return err
			}
		}
	}
	return out.Close()
}

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
	// source is, by frame and column of the table, the field that the column
	// comes from, or -1.
	source [][]int
}

type column struct {
	heading string
	kind    arrow.Type
}

func tableOf(frames frame.Frames) table {
	var fields []arrow.Field
	place, names := map[column]int{}, map[string]bool{}
	places := make([][]int, len(frames))
	for i, f := range frames {
		for j, heading := range f.Headings() {
			kind := typeOf(f.Fields[j])
			key := column{heading, kind.ID()}
			if _, known := place[key]; !known {
				place[key] = len(fields)
				fields = append(fields, arrow.Field{Name: unused(names, heading), Type: kind, Nullable: true})
			}
			places[i] = append(places[i], place[key])
		}
	}
	t := table{schema: arrow.NewSchema(fields, nil), source: make([][]int, len(frames))}
	for i := range frames {
		t.source[i] = slices.Repeat([]int{-1}, len(fields))
		for j, at := range places[i] {
			t.source[i][at] = j
		}
	}
	return t
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

// rows returns some rows of the i-th frame as rows of the table.
func (t table) rows(i int, part *frame.Frame) arrow.RecordBatch {
	columns := make([]arrow.Array, t.schema.NumFields())
	for at, from := range t.source[i] {
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
