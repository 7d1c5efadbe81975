package framejson

import (
	"io"

	"github.com/plugboard/plugboard/frame"
)

// sizeHint guesses the length of the JSON from the columns.
func sizeHint(f *frame.Frame, include Include) int {
	size := 256 + 128*len(f.Fields)
	if include == IncludeSchemaOnly {
		return size
	}
	for _, field := range f.Fields {
		switch field.Type() {
		case frame.Float64:
			size += 19 * field.Len()
		case frame.Time:
			size += 14 * field.Len()
		case frame.String, frame.JSON:
			size += 4*field.Len() + len(field.Buffers().Data)
		default:
			size += 6 * field.Len()
		}
	}
	return size
}

// flushSize is how much JSON an output collects before it hands it on.
const flushSize = 32 << 10

// blockRows is how many cells are written before the output is looked at.
const blockRows = 1024

// output is JSON on its way: into b, and from there to w, unless that is nil.
type output struct {
	b   []byte
	w   io.Writer
	err error // w's first
}

// flush hands b on if it holds that much.
func (o *output) flush(size int) {
	if o.w == nil || len(o.b) < size {
		return
	}
	if o.err == nil {
		_, o.err = o.w.Write(o.b)
	}
	o.b = o.b[:0]
}

// What a column needs beside its values.
const (
	needsEntities = 1 << iota // it holds NaN or an infinity
	needsNanos                // it holds a time between two milliseconds
)

func (o *output) data(batches frame.Frames) {
	o.b = append(o.b, `{"values":[`...)
	fields := len(batches[0].Fields)
	needs, all := make([]uint8, fields), uint8(0)
	for i := range fields {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		needs[i] = o.column(batches, i)
		all |= needs[i]
	}
	o.b = append(o.b, ']')
	if all&needsEntities != 0 {
		o.b = append(o.b, `,"entities":[`...)
		o.beside(batches, needs, needsEntities, (*output).entities)
	}
	if all&needsNanos != 0 {
		o.b = append(o.b, `,"nanos":[`...)
		o.beside(batches, needs, needsNanos, (*output).nanos)
	}
	o.b = append(o.b, '}')
}

// column writes the cells of field i as an array, block by block, and tells what
// is needed beside it.
func (o *output) column(batches frame.Frames, i int) (needs uint8) {
	start, first := len(o.b), true
	for _, batch := range batches {
		f := batch.Fields[i]
		for from := 0; from < f.Len() && o.err == nil; {
			to := min(from+blockRows, f.Len())
			if t := f.Type(); t == frame.String || t == frame.JSON {
				to = textBlock(f.Buffers().Offsets, from, to)
			}
			var need uint8
			o.b, need = appendBlock(o.b, f, from, to)
			needs |= need
			if first {
				o.b[start] = '[' // instead of the comma
			}
			from, first = to, false
			o.flush(flushSize)
		}
	}
	if first {
		o.b = append(o.b, '[')
	}
	o.b = append(o.b, ']')
	return needs
}

// textBlock returns where a block of text ends that is to end at to at the
// latest: texts may be large.
func textBlock(offsets []int32, from, to int) int {
	size := func(to int) int { return int(offsets[to] - offsets[from]) }
	for size(to) > 2*flushSize && to > from+1 {
		to = from + (to-from)/2
	}
	return to
}

// appendBlock appends the cells of rows from to to, each behind a comma, and
// tells what is needed beside them.
func appendBlock(b []byte, f *frame.Field, from, to int) ([]byte, uint8) {
	v := valid{f.Buffers().Valid, from}
	switch f.Type() {
	case frame.Int8:
		return appendInts(b, frame.Slice[int8](f)[from:to], v), 0
	case frame.Int16:
		return appendInts(b, frame.Slice[int16](f)[from:to], v), 0
	case frame.Int32:
		return appendInts(b, frame.Slice[int32](f)[from:to], v), 0
	case frame.Int64:
		return appendInts(b, frame.Slice[int64](f)[from:to], v), 0
	case frame.Uint8:
		return appendUints(b, frame.Slice[uint8](f)[from:to], v), 0
	case frame.Uint16:
		return appendUints(b, frame.Slice[uint16](f)[from:to], v), 0
	case frame.Uint32:
		return appendUints(b, frame.Slice[uint32](f)[from:to], v), 0
	case frame.Uint64:
		return appendUints(b, frame.Slice[uint64](f)[from:to], v), 0
	case frame.EnumType:
		return appendUints(b, frame.Slice[frame.Enum](f)[from:to], v), 0
	case frame.Float32:
		return appendFloat32s(b, frame.Slice[float32](f)[from:to], v)
	case frame.Float64:
		return appendFloat64s(b, frame.Slice[float64](f)[from:to], v)
	case frame.Time:
		return appendTimes(b, frame.Slice[int64](f)[from:to], v)
	case frame.Bool:
		return appendBools(b, f.Buffers().Data, from, to, v), 0
	case frame.JSON:
		return appendRaw(b, f.Buffers(), from, to, v), 0
	default:
		return appendStrings(b, f.Buffers(), from, to, v), 0
	}
}
