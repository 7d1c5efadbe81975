package frame

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unsafe"
)

// column is one Arrow array: the buffers of its type, without padding.
type column struct {
	n       int
	nulls   int
	valid   []byte  // bitmap, least significant bit first; nil while no row is null
	offsets []int32 // string and JSON: n+1 positions in data, nil while n is 0
	data    []byte  // values as they lie in memory, bits of bools, or bytes of strings

	// borrowed says that valid, and data of a bool column, are somebody else's:
	// a bit must not be set in them. (Other buffers have no spare capacity
	// then, so that append copies them by itself.)
	borrowed bool
}

// view returns b as values of T. b must be aligned for T.
func view[T any](b []byte) []T {
	size := int(unsafe.Sizeof(*new(T)))
	if cap(b) < size {
		return nil
	}
	p := (*T)(unsafe.Pointer(unsafe.SliceData(b)))
	return unsafe.Slice(p, cap(b)/size)[:len(b)/size]
}

// bytesOf returns the memory of s.
func bytesOf[T any](s []T) []byte {
	size := int(unsafe.Sizeof(*new(T)))
	p := (*byte)(unsafe.Pointer(unsafe.SliceData(s)))
	return unsafe.Slice(p, cap(s)*size)[:len(s)*size]
}

// as returns s as values of U, which T is known to be.
func as[U, T any](s []T) []U { return *(*[]U)(unsafe.Pointer(&s)) }

func bitAt(bitmap []byte, i int) bool { return bitmap[i>>3]&(1<<(i&7)) != 0 }

func bitmapLen(n int) int { return (n + 7) / 8 }

// appendBit appends bit n to a bitmap of n bits.
func appendBit(bitmap []byte, n int, bit bool) []byte {
	if n&7 == 0 {
		bitmap = append(bitmap, 0)
	}
	if bit {
		bitmap[n>>3] |= 1 << (n & 7)
	} else {
		bitmap[n>>3] &^= 1 << (n & 7)
	}
	return bitmap
}

// allSet returns a bitmap of n ones.
func allSet(n int) []byte {
	b := make([]byte, bitmapLen(n), bitmapLen(n)+8)
	for i := range b {
		b[i] = 0xff
	}
	if n&7 != 0 {
		b[len(b)-1] = 1<<(n&7) - 1
	}
	return b
}

// countZeros returns how many of the first n bits are zero.
func countZeros(bitmap []byte, n int) int {
	ones := 0
	for from := 0; from < n; from += 64 {
		ones += bits.OnesCount64(wordAt(bitmap, from, n))
	}
	return n - ones
}

// wordAt returns bits from to from+63 of a bitmap of n bits, 0 for those behind
// its end; from is a multiple of 64.
func wordAt(bitmap []byte, from, n int) (word uint64) {
	if n-from >= 64 {
		return binary.LittleEndian.Uint64(bitmap[from>>3:])
	}
	for i, b := range bitmap[from>>3 : bitmapLen(n)] {
		word |= uint64(b) << (8 * i)
	}
	return word & (1<<(n-from) - 1)
}

func (c *column) isNull(i int) bool { return c.valid != nil && !bitAt(c.valid, i) }

// bytesAt returns the bytes of row i of a string or JSON column.
func (c *column) bytesAt(i int) []byte {
	return c.data[c.offsets[i]:c.offsets[i+1]:c.offsets[i+1]]
}

// stringAt returns row i of a string column without copying it.
func (c *column) stringAt(i int) string {
	b := c.bytesAt(i)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// own makes bits settable.
func (c *column) own(t Type) {
	if !c.borrowed {
		return
	}
	c.valid = slices.Clone(c.valid)
	if t == Bool {
		c.data = slices.Clone(c.data)
	}
	c.borrowed = false
}

// markValid counts k appended rows that are not null. It is called after their
// values are in.
func (c *column) markValid(k int) {
	if c.valid != nil {
		for i := range k {
			c.valid = appendBit(c.valid, c.n+i, true)
		}
	}
	c.n += k
}

// markNull counts one appended row that is null.
func (c *column) markNull() {
	if c.valid == nil {
		c.valid = allSet(c.n)
	}
	c.valid = appendBit(c.valid, c.n, false)
	c.n++
	c.nulls++
}

// appendZero appends the value that lies under a null, without counting it.
func (c *column) appendZero(t Type) {
	switch t {
	case Bool:
		c.data = appendBit(c.data, c.n, false)
	case String, JSON:
		c.endBytes()
	default:
		c.data = appendFixed(c.data, bytesOf([]uint64{0})[:t.width()], t.width())
	}
}

// endBytes ends a row of a string or JSON column at the end of data.
func (c *column) endBytes() {
	if len(c.offsets) == 0 {
		c.offsets = append(c.offsets, 0)
	}
	c.offsets = append(c.offsets, int32(len(c.data)))
}
