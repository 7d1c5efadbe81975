package frame

import "encoding/binary"

// flatWriter appends a flatbuffer to b from front to back: a table first, with
// its offsets open, then what they lead to. Alignment counts from the beginning
// of b.
type flatWriter struct{ b []byte }

// layout is a kind of table: its vtable and an empty table, ready to be copied.
type layout struct {
	bytes []byte
	size  int // of the table, which is the end of bytes
}

// layoutOf returns the layout of a table of that size, a multiple of 4, whose
// fields lie at these positions, by slot; 0 is an absent field.
func layoutOf(size int, positions ...uint16) layout {
	vtable := 4 + 2*len(positions)
	padding := -vtable & 7
	b := make([]byte, padding, padding+vtable+size)
	b = binary.LittleEndian.AppendUint16(b, uint16(vtable))
	b = binary.LittleEndian.AppendUint16(b, uint16(size))
	for _, at := range positions {
		b = binary.LittleEndian.AppendUint16(b, at)
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(vtable))
	return layout{append(b, make([]byte, size-4)...), size}
}

// with returns the layout with a byte of its table set.
func (l layout) with(at int, v byte) layout {
	l.bytes[len(l.bytes)-l.size+at] = v
	return l
}

// root begins a flatbuffer and returns the position of its root table.
func (w *flatWriter) root(l layout) int {
	w.align(8)
	w.b = append(w.b, 0, 0, 0, 0)
	return w.table(len(w.b)-4, l)
}

// table appends a table that the offset at from leads to, and returns its
// position.
func (w *flatWriter) table(from int, l layout) int {
	w.align(8)
	w.b = append(w.b, l.bytes...)
	at := len(w.b) - l.size
	w.put32(from, uint32(at-from))
	return at
}

// vector appends a vector of n offsets or structs, 4 or 8 bytes aligned, that
// the offset at from leads to. The elements are to be appended.
func (w *flatWriter) vector(from, n, alignment int) {
	for (len(w.b)+4)%alignment != 0 || len(w.b)%4 != 0 {
		w.b = append(w.b, 0)
	}
	w.put32(from, uint32(len(w.b)-from))
	w.b = binary.LittleEndian.AppendUint32(w.b, uint32(n))
}

// offsets appends a vector of n offsets, still open, that the offset at from
// leads to. It returns the position of the first.
func (w *flatWriter) offsets(from, n int) int {
	w.vector(from, n, 4)
	at := len(w.b)
	w.b = append(w.b, make([]byte, 4*n)...)
	return at
}

// begin starts a string that the offset at from leads to. Its bytes are to be
// appended, then end be called with what begin returned.
func (w *flatWriter) begin(from int) int {
	w.vector(from, 0, 4)
	return len(w.b)
}

func (w *flatWriter) end(begun int) {
	w.put32(begun-4, uint32(len(w.b)-begun))
	w.b = append(w.b, 0)
}

func (w *flatWriter) string(from int, s string) {
	begun := w.begin(from)
	w.b = append(w.b, s...)
	w.end(begun)
}

func (w *flatWriter) align(to int) {
	for len(w.b)%to != 0 {
		w.b = append(w.b, 0)
	}
}

func (w *flatWriter) append64(v int64) {
	w.b = binary.LittleEndian.AppendUint64(w.b, uint64(v))
}

func (w *flatWriter) put32(at int, v uint32) { binary.LittleEndian.PutUint32(w.b[at:], v) }

func (w *flatWriter) put64(at int, v int64) { binary.LittleEndian.PutUint64(w.b[at:], uint64(v)) }
