package frame

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"unsafe"
)

// reader reads the record batches of one Arrow file or stream.
type reader struct {
	room  int    // how many more bytes string views may become
	views []bool // by field: strings come as views
}

// batch is a record batch being read: where its columns' lengths and buffers
// are told, and the body that the buffers lie in.
type batch struct {
	flat    *flat
	rows    int
	body    []byte
	buffers int // position of the next buffer's struct
	left    int // number of buffers not yet taken
	end     int // end of the last buffer taken
}

// addBatch appends the rows of a record batch.
func (r *reader) addBatch(f *Frame, message, body []byte) error {
	// Ahead of the flatbuffer stand 0xffffffff and its length.
	if binary.LittleEndian.Uint32(message) != math.MaxUint32 {
		return errors.New("no message where the footer says")
	}
	flat, root := readFlat(message[8:])
	// Message: 0 version, 1 kind of header (3 is a record batch), 2 header.
	if root.uint8(1) != 3 {
		return errors.Join(flat.err, errors.New("not a record batch"))
	}
	// RecordBatch: 0 length, 1 nodes, 2 buffers, 3 compression, 4 numbers of
	// the string views' buffers.
	head := root.table(2)
	if head.field(3) != 0 {
		return errors.New("compressed columns are not known here")
	}
	b := &batch{flat: flat, body: body}
	rows := head.int64(0)
	nodes, n := head.vector(1, 16)
	b.buffers, b.left = head.vector(2, 16)
	variadic, variadics := head.vector(4, 8)
	if flat.err != nil {
		return flat.err
	}
	if rows < 0 || rows > math.MaxInt32 {
		return fmt.Errorf("%d rows", rows)
	}
	if b.rows = int(rows); n != len(f.Fields) {
		return fmt.Errorf("%d columns for %d fields", n, len(f.Fields))
	}
	for i, field := range f.Fields {
		if length := flat.int64(nodes + 16*i); length != rows {
			return fmt.Errorf("field %q: %d values in a record batch of %d rows", field.Name, length, rows)
		}
		dataBuffers := int64(-1)
		if r.views[i] {
			if variadics == 0 {
				return fmt.Errorf("field %q: string views without their number of buffers", field.Name)
			}
			dataBuffers = flat.int64(variadic)
			variadic, variadics = variadic+8, variadics-1
		}
		if err := r.addColumn(b, field, dataBuffers); err != nil {
			return fmt.Errorf("field %q: %w", field.Name, err)
		}
	}
	return flat.err
}

// addColumn appends the next column to the field. dataBuffers is the number of
// buffers behind string views, -1 if the column is not one of those.
func (r *reader) addColumn(b *batch, f *Field, dataBuffers int64) error {
	var c column
	var err error
	if dataBuffers >= 0 {
		c, err = r.stringViews(b, f, dataBuffers)
	} else {
		c, err = b.column(f)
	}
	switch {
	case err != nil || b.rows == 0:
		return err
	case f.col.n == 0:
		f.col = c
		return nil
	}
	return f.appendColumn(&c)
}

// next returns the next buffer. Buffers lie one behind the other, so that a
// file cannot show the same bytes as many columns.
func (b *batch) next() ([]byte, error) {
	if b.left == 0 {
		return nil, errors.New("a buffer is missing")
	}
	offset, length := b.flat.int64(b.buffers), b.flat.int64(b.buffers+8)
	b.buffers, b.left = b.buffers+16, b.left-1
	if length == 0 {
		return nil, nil
	}
	size := int64(len(b.body))
	if offset < int64(b.end) || length < 0 || offset > size || length > size-offset {
		return nil, fmt.Errorf("a buffer at %d of %d bytes does not lie in %d bytes behind the one before", offset, length, size)
	}
	b.end = int(offset + length)
	return b.body[offset:b.end:b.end], nil
}

// column takes a column as a view, after checking that its buffers are what
// they claim to be.
func (b *batch) column(f *Field) (column, error) {
	c := column{n: b.rows, borrowed: true}
	if err := b.takeValid(f, &c); err != nil {
		return c, err
	}
	var offsets []byte
	var err error
	if f.typ == String || f.typ == JSON {
		if offsets, err = b.next(); err != nil {
			return c, err
		}
	}
	if c.data, err = b.next(); err != nil || c.n == 0 {
		return c, err
	}
	width := f.typ.width()
	switch {
	case f.typ == Bool && len(c.data) < bitmapLen(c.n), width > 0 && len(c.data)/width < c.n:
		return c, fmt.Errorf("%d bytes are too few for %d values", len(c.data), c.n)
	case f.typ == Bool:
		c.data = slices.Clip(c.data[:bitmapLen(c.n)])
	case width > 0:
		c.data = aligned(c.data[:c.n*width], width)
	default:
		return c, c.takeOffsets(offsets)
	}
	return c, nil
}

// takeValid takes the validity bitmap, and counts the nulls rather than
// believing the file. A column that is not nullable has none, whatever the file
// says.
func (b *batch) takeValid(f *Field, c *column) error {
	bitmap, err := b.next()
	if err != nil || !f.nullable || len(bitmap) == 0 {
		return err
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

// maxExpansion is how many times the size of a file, or of a message of a stream,
// all its string views may become: any number of views may show the same bytes.
const maxExpansion = 64

// stringViews turns a column of string views into one of strings.
func (r *reader) stringViews(b *batch, f *Field, dataBuffers int64) (column, error) {
	c := column{n: b.rows}
	if err := b.takeValid(f, &c); err != nil {
		return c, err
	}
	views, err := b.next()
	if err != nil {
		return c, err
	}
	if len(views)/16 < c.n || dataBuffers > int64(b.left) {
		return c, fmt.Errorf("%d bytes, %d buffers, are too few for %d string views", len(views), b.left, c.n)
	}
	data := make([][]byte, dataBuffers)
	for i := range data {
		if data[i], err = b.next(); err != nil {
			return c, err
		}
	}
	size := 0
	for i := range c.n {
		text, ok := stringView(views[16*i:16*i+16], data)
		switch {
		case c.isNull(i):
			continue
		case !ok:
			return c, fmt.Errorf("string view %d is outside its buffer", i)
		case len(text) > min(r.room, math.MaxInt32-size):
			return c, fmt.Errorf("string views become over %d times the file", maxExpansion)
		}
		r.room -= len(text)
		size += len(text)
	}
	c.valid = slices.Clone(c.valid)
	c.data, c.offsets = make([]byte, 0, size), make([]int32, 0, c.n+1)
	for i := range c.n {
		if !c.isNull(i) {
			text, _ := stringView(views[16*i:16*i+16], data)
			c.data = append(c.data, text...)
		}
		c.endBytes()
	}
	return c, nil
}

// stringView returns the text of a view: int32 length, then up to 12 bytes of
// text, or 4 bytes of it, int32 buffer and int32 offset.
func stringView(v []byte, data [][]byte) ([]byte, bool) {
	length := binary.NativeEndian.Uint32(v)
	if length <= 12 {
		return v[4 : 4+length], true
	}
	buffer, offset := binary.NativeEndian.Uint32(v[8:]), binary.NativeEndian.Uint32(v[12:])
	if int64(buffer) >= int64(len(data)) || int64(offset)+int64(length) > int64(len(data[buffer])) {
		return nil, false
	}
	return data[buffer][offset : offset+length], true
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
			return errors.New("the column is over 2 GiB")
		}
		if len(c.offsets) == 0 {
			c.offsets = append(c.offsets, 0)
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
