package frame

import (
	"fmt"
	"slices"
)

// SliceRows returns the rows from, up to and not including to, as a frame that
// shares names, meta, configs and most of the columns' memory with f. Appending
// to it does not change f; values appended to f do not appear in it. It panics
// if f has no such rows.
func (f *Frame) SliceRows(from, to int) *Frame {
	if from < 0 || to < from || to > f.Rows() {
		panic(fmt.Sprintf("frame: SliceRows: rows %d to %d of %d", from, to, f.Rows()))
	}
	part := f.empty()
	for i, field := range f.Fields {
		part.Fields[i].col = field.col.slice(field.typ, from, to)
		part.Fields[i].err = field.err
	}
	return part
}

// AppendRows appends the rows of more, whose fields must have the same names,
// labels, types and nullability, in the same order. If it fails, f is as it was,
// unless a column would be over 2 GiB.
func (f *Frame) AppendRows(more *Frame) error {
	for _, g := range []*Frame{f, more} {
		if err := g.Validate(); err != nil {
			return err
		}
	}
	if err := f.sameFields(more); err != nil {
		return fmt.Errorf("frame %q: append rows: %w", f.Name, err)
	}
	for i, field := range f.Fields {
		if more.Rows() == 0 {
			break
		}
		if err := field.appendColumn(&more.Fields[i].col); err != nil {
			return fmt.Errorf("frame %q: append rows: field %q: %w", f.Name, field.Name, err)
		}
	}
	return nil
}

// slice returns rows from to to, as a view where it can.
func (c *column) slice(t Type, from, to int) column {
	part := column{n: to - from, borrowed: true}
	if part.n == 0 {
		return column{}
	}
	if c.valid != nil {
		part.valid = sliceBits(c.valid, from, to)
		if part.nulls = countZeros(part.valid, part.n); part.nulls == 0 {
			part.valid = nil
		}
	}
	switch {
	case t == Bool:
		part.data = sliceBits(c.data, from, to)
	case t.width() > 0:
		part.data = slices.Clip(c.data[from*t.width() : to*t.width()])
	default:
		first := c.offsets[from]
		part.data = slices.Clip(c.data[first:c.offsets[to]])
		if part.offsets = slices.Clip(c.offsets[from : to+1]); first != 0 {
			part.offsets = slices.Clone(part.offsets)
			for i := range part.offsets {
				part.offsets[i] -= first
			}
		}
	}
	return part
}

// sliceBits returns bits from to to: a view if they begin a byte.
func sliceBits(bitmap []byte, from, to int) []byte {
	shift, b := from&7, bitmap[from>>3:bitmapLen(to)]
	if shift == 0 {
		return slices.Clip(b)
	}
	moved := make([]byte, bitmapLen(to-from))
	for i := range moved {
		moved[i] = b[i] >> shift
		if i+1 < len(b) {
			moved[i] |= b[i+1] << (8 - shift)
		}
	}
	return moved
}
