package frame

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// UnmarshalArrow reads an Arrow IPC file. The frame's columns are views of b:
// b must not change while the frame, or a string, JSON value or slice taken
// from it, is in use. Appending to the frame's fields does not write to b.
//
// Columns are copied where they cannot be views: several record batches become
// one column, string views become strings, and a buffer that is not aligned for
// its type is moved.
//
// Whatever is in b, UnmarshalArrow does not panic.
func UnmarshalArrow(b []byte) (f *Frame, err error) {
	defer func() {
		// arrow-go trusts the offsets in what it reads.
		if p := recover(); p != nil {
			f, err = nil, fmt.Errorf("read arrow: broken file: %v", p)
		}
	}()
	r, err := ipc.NewMappedFileReader(b)
	if err != nil {
		return nil, fmt.Errorf("read arrow: %w", err)
	}
	if f, err = frameOf(r.Schema()); err != nil {
		return nil, fmt.Errorf("read arrow: %w", err)
	}
	for {
		batch, err := r.Read()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read arrow: %w", err)
		}
		if err := f.addBatch(batch); err != nil {
			return nil, fmt.Errorf("read arrow: %w", err)
		}
	}
}

// frameOf returns a frame of that schema, without rows.
func frameOf(schema *arrow.Schema) (*Frame, error) {
	meta := schema.Metadata()
	f := &Frame{Fields: make([]*Field, schema.NumFields())}
	f.Name, _ = meta.GetValue(keyName)
	f.RefID, _ = meta.GetValue(keyRefID)
	if err := readMetadata(meta, keyMeta, &f.Meta); err != nil {
		return nil, err
	}
	for i := range f.Fields {
		field, err := fieldOf(schema.Field(i))
		if err != nil {
			return nil, fmt.Errorf("field %q: %w", schema.Field(i).Name, err)
		}
		f.Fields[i] = field
	}
	return f, nil
}

func fieldOf(a arrow.Field) (*Field, error) {
	f := &Field{Name: a.Name, nullable: a.Nullable}
	if err := readMetadata(a.Metadata, keyLabels, &f.Labels); err != nil {
		return nil, err
	}
	if err := readMetadata(a.Metadata, keyConfig, &f.Config); err != nil {
		return nil, err
	}
	kind, _ := a.Metadata.GetValue(keyKind)
	var err error
	f.typ, err = typeOfArrow(a.Type, kind)
	return f, err
}

// readMetadata reads the JSON under key, if there is any, into v.
func readMetadata(meta arrow.Metadata, key string, v any) error {
	text, ok := meta.GetValue(key)
	if !ok {
		return nil
	}
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

func typeOfArrow(a arrow.DataType, kind string) (Type, error) {
	if ts, ok := a.(*arrow.TimestampType); ok && ts.Unit != arrow.Nanosecond {
		return 0, fmt.Errorf("timestamps in %s are not known here, only nanoseconds", ts.Unit)
	}
	switch {
	case a.ID() == arrow.UINT16 && kind == EnumType.Kind():
		return EnumType, nil
	case a.ID() == arrow.STRING_VIEW:
		return String, nil
	}
	for t := Int8; t < EnumType; t++ {
		if arrowTypes[t].ID() == a.ID() {
			return t, nil
		}
	}
	return 0, fmt.Errorf("columns of Arrow's %s are not known here", a)
}

// addBatch appends the rows of a record batch.
func (f *Frame) addBatch(batch arrow.RecordBatch) error {
	rows := int(batch.NumRows())
	if rows == 0 {
		return nil
	}
	for i, field := range f.Fields {
		data := batch.Column(i).Data()
		if data.Len() != rows || data.Offset() != 0 {
			return fmt.Errorf("field %q: a column of %d rows in a record batch of %d", field.Name, data.Len(), rows)
		}
		col, err := field.columnOf(data)
		if err != nil {
			return fmt.Errorf("field %q: %w", field.Name, err)
		}
		if field.col.n == 0 {
			field.col = col
		} else if err := field.appendColumn(&col); err != nil {
			return err
		}
	}
	return nil
}

// columnOf returns the array as a view, after checking that its buffers are
// what they claim to be.
func (f *Field) columnOf(a arrow.ArrayData) (column, error) {
	n := a.Len()
	if a.DataType().ID() == arrow.STRING_VIEW {
		return f.copyStringViews(a)
	}
	buffers := a.Buffers()
	c := column{n: n, borrowed: true, data: bytesIn(buffers[len(buffers)-1])}
	if err := c.takeValid(f.nullable, bytesIn(buffers[0])); err != nil {
		return column{}, err
	}
	switch width := f.typ.width(); {
	case f.typ == Bool && len(c.data) < bitmapLen(n), len(c.data)/max(width, 1) < n && width > 0:
		return column{}, fmt.Errorf("%d bytes are too few for %d values", len(c.data), n)
	case f.typ == Bool:
		c.data = slices.Clip(c.data[:bitmapLen(n)])
	case width > 0:
		c.data = aligned(c.data[:n*width], width)
	default:
		return c, c.takeOffsets(bytesIn(buffers[1]))
	}
	return c, nil
}

// takeValid takes the validity bitmap, and counts the nulls rather than
// believing the file. A column that is not nullable has none, whatever the file
// says.
func (c *column) takeValid(nullable bool, bitmap []byte) error {
	if !nullable || len(bitmap) == 0 {
		return nil
	}
	if len(bitmap) < bitmapLen(c.n) {
		return fmt.Errorf("a validity bitmap of %d bytes is too short for %d rows", len(bitmap), c.n)
	}
	if c.nulls = countZeros(bitmap, c.n); c.nulls > 0 {
		c.valid = slices.Clip(bitmap[:bitmapLen(c.n)])
	}
	return nil
}

// takeOffsets takes the offsets of a string or JSON column.
func (c *column) takeOffsets(b []byte) error {
	if len(b)/4 < c.n+1 {
		return fmt.Errorf("%d bytes are too few for the offsets of %d values", len(b), c.n)
	}
	c.offsets = slices.Clip(view[int32](aligned(b[:4*(c.n+1)], 4)))
	last := int32(0)
	for _, o := range c.offsets {
		if o < last {
			return fmt.Errorf("offset %d after offset %d", o, last)
		}
		last = o
	}
	if int(last) > len(c.data) {
		return fmt.Errorf("offset %d is outside %d bytes", last, len(c.data))
	}
	c.data = slices.Clip(c.data[:last])
	return nil
}

// copyStringViews turns an array of string views into a string column.
func (f *Field) copyStringViews(a arrow.ArrayData) (column, error) {
	views := array.NewStringViewData(a)
	defer views.Release()
	copied := NewFieldOf(f.Name, nil, String, f.nullable)
	for i := range views.Len() {
		if f.nullable && views.IsNull(i) {
			copied.AppendNull()
		} else {
			Append(copied, views.Value(i))
		}
	}
	return copied.col, copied.err
}

// appendColumn appends the rows of another column of the same type.
func (f *Field) appendColumn(more *column) error {
	c, n := &f.col, f.col.n
	c.own(f.typ)
	switch {
	case f.typ == Bool:
		for i := range more.n {
			c.data = appendBit(c.data, n+i, bitAt(more.data, i))
		}
	case f.typ.width() > 0:
		c.data = appendFixed(c.data, more.data, f.typ.width())
	default:
		first := more.offsets[0]
		if len(more.data)-int(first) > math.MaxInt32-len(c.data) {
			return fmt.Errorf("field %q: row %d: the column is over 2 GiB", f.Name, n)
		}
		base := int32(len(c.data)) - first
		c.data = append(c.data, more.data[first:]...)
		for _, o := range more.offsets[1:] {
			c.offsets = append(c.offsets, base+o)
		}
	}
	for i := range more.n {
		if more.isNull(i) {
			c.markNull()
		} else {
			c.markValid(1)
		}
	}
	return nil
}

// appendFixed appends values of that width, and keeps them aligned.
func appendFixed(b, more []byte, width int) []byte {
	switch width {
	case 1:
		return append(b, more...)
	case 2:
		return bytesOf(append(view[uint16](b), view[uint16](more)...))
	case 4:
		return bytesOf(append(view[uint32](b), view[uint32](more)...))
	default:
		return bytesOf(append(view[uint64](b), view[uint64](more)...))
	}
}

// aligned returns b, or a copy of it, clipped and aligned for values of that
// width.
func aligned(b []byte, width int) []byte {
	if uintptr(unsafe.Pointer(unsafe.SliceData(b)))%uintptr(width) == 0 {
		return slices.Clip(b)
	}
	moved := bytesOf(make([]uint64, (len(b)+7)/8))[:len(b)]
	copy(moved, b)
	return slices.Clip(moved)
}

func bytesIn(b *memory.Buffer) []byte {
	if b == nil {
		return nil
	}
	return b.Bytes()
}
