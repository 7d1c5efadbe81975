package frame

import (
	"encoding/binary"
	"errors"
)

// flat reads a flatbuffer that a stranger wrote. Every position is checked, and
// so is the sum of what is read: a flatbuffer may refer to one string or table
// any number of times, and small ones could stand for gigabytes.
//
// After a fault everything reads as absent, and err says what it was.
type flat struct {
	b      []byte
	budget int // bytes that may still be read
	err    error
}

var (
	errFlatRange  = errors.New("broken metadata: a position is outside the file")
	errFlatBudget = errors.New("broken metadata: it refers to the same bytes again and again")
)

// table is a flatbuffers table; the zero table has no fields.
type table struct {
	f   *flat
	pos int // 0: absent
}

// readFlat returns a reader of b and its root table.
func readFlat(b []byte) (*flat, table) {
	f := &flat{b: b, budget: 8*len(b) + 1024}
	return f, f.tableAt(0)
}

// at returns n bytes at pos, nil if they are not there.
func (f *flat) at(pos, n int) []byte {
	switch {
	case f.err != nil:
		return nil
	case pos < 0 || n < 0 || pos > len(f.b) || n > len(f.b)-pos:
		f.err = errFlatRange
		return nil
	}
	if f.budget -= n; f.budget < 0 {
		f.err = errFlatBudget
		return nil
	}
	return f.b[pos : pos+n]
}

func (f *flat) uint16(pos int) uint16 {
	if b := f.at(pos, 2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (f *flat) uint32(pos int) uint32 {
	if b := f.at(pos, 4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (f *flat) int64(pos int) int64 {
	if b := f.at(pos, 8); b != nil {
		return int64(binary.LittleEndian.Uint64(b))
	}
	return 0
}

// tableAt returns the table that the offset at pos leads to.
func (f *flat) tableAt(pos int) table {
	to := pos + int(f.uint32(pos))
	if f.at(to, 4); f.err != nil {
		return table{}
	}
	return table{f, to}
}

// field returns the position of a field's value, 0 if it is absent.
func (t table) field(slot int) int {
	if t.pos == 0 {
		return 0
	}
	vtable := t.pos - int(int32(t.f.uint32(t.pos)))
	entry := 4 + 2*slot
	if entry+2 > int(t.f.uint16(vtable)) {
		return 0
	}
	offset := int(t.f.uint16(vtable + entry))
	if offset == 0 || t.f.err != nil {
		return 0
	}
	return t.pos + offset
}

func (t table) uint8(slot int) uint8 {
	if pos := t.field(slot); pos != 0 {
		if b := t.f.at(pos, 1); b != nil {
			return b[0]
		}
	}
	return 0
}

func (t table) int16(slot int) int16 {
	if pos := t.field(slot); pos != 0 {
		return int16(t.f.uint16(pos))
	}
	return 0
}

func (t table) int32(slot int) int32 {
	if pos := t.field(slot); pos != 0 {
		return int32(t.f.uint32(pos))
	}
	return 0
}

func (t table) int64(slot int) int64 {
	if pos := t.field(slot); pos != 0 {
		return t.f.int64(pos)
	}
	return 0
}

// table returns the table in a field.
func (t table) table(slot int) table {
	if pos := t.field(slot); pos != 0 {
		return t.f.tableAt(pos)
	}
	return table{}
}

// vector returns where the elements of a vector begin, and how many of that
// size there are.
func (t table) vector(slot, size int) (pos, n int) {
	field := t.field(slot)
	if field == 0 {
		return 0, 0
	}
	start := field + int(t.f.uint32(field))
	n = int(t.f.uint32(start))
	if t.f.err == nil && n > (len(t.f.b)-start-4)/size {
		t.f.err = errFlatRange
	}
	if t.f.err != nil {
		return 0, 0
	}
	return start + 4, n
}

// string returns the string in a field.
func (t table) string(slot int) string {
	pos, n := t.vector(slot, 1)
	if n == 0 {
		return ""
	}
	return string(t.f.at(pos, n))
}
