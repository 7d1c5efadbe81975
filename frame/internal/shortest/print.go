package shortest

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// appendNumber appends digits·10^exponent.
func appendNumber(b []byte, digits uint64, exponent int) []byte {
	if digits == 0 {
		return append(b, '0')
	}
	if exponent < 0 {
		digits, exponent = trimmed(digits, exponent)
	}
	n := length(digits)
	point := n + exponent // how many digits are before the point
	switch {
	case point > 21 || point < -5:
		return appendScientific(b, digits, point-1)
	case point <= 0:
		b = append(b, "0.00000"[:2-point]...)
		return appendDigits(b, digits, n)
	case exponent >= 0:
		b = appendDigits(b, digits, n)
		return append(b, "000000000000000000000"[:exponent]...)
	}
	b = slices.Grow(b, 32)
	from := len(b)
	if n > 8 {
		b = b[:from+n+1]
		putPointed((*[32]byte)(b[from:from+32]), digits, n, point)
		return b
	}
	b = appendDigits(b[:from+1], digits, n)
	copy(b[from:], b[from+1:from+1+point])
	b[from+point] = '.'
	return b
}

// putPointed writes the n digits of v, 9 to 17 of them, with a point behind the
// first ones: most floats are that long, and are put together in two words.
func putPointed(to *[32]byte, v uint64, n, point int) {
	const upper = 1e16
	at := 0
	if n == 17 {
		first := v / upper
		v -= first * upper
		to[0], at = byte('0'+first), 1
		n, point = n-1, point-1
	}
	high := v / 100_000_000
	a, c := eight(uint32(high)), eight(uint32(v-high*100_000_000))
	empty := uint(16-n) * 8 & 63 // bits in front of the first digit
	a, c = a>>empty|c<<(64-empty), c>>empty
	if point < 8 {
		before := uint64(1)<<(uint(point)*8&63) - 1
		a, c, to[at+16] = a&before|(a&^before)<<8|'.'<<(uint(point)*8&63), a>>56|c<<8, byte(c>>56)
	} else {
		before := uint64(1)<<(uint(point-8)*8&63) - 1
		c, to[at+16] = c&before|(c&^before)<<8|'.'<<(uint(point-8)*8&63), byte(c>>56)
	}
	binary.LittleEndian.PutUint64(to[at:], a)
	binary.LittleEndian.PutUint64(to[at+8:], c)
}

// eight returns the text of v, which has at most eight digits, with zeros in
// front, the first digit lowest: halves are parted side by side.
func eight(v uint32) uint64 {
	const zeros = 0x3030303030303030
	high := uint64(v) / 10000
	fours := high | (uint64(v)-high*10000)<<32
	hundreds := fours * 5243 >> 19 & 0x7f_0000_007f
	pairs := hundreds | (fours-hundreds*100)<<16
	tens := pairs * 103 >> 10 & 0x000f_000f_000f_000f
	return tens | (pairs-tens*10)<<8 | zeros
}

// appendScientific appends digits as d.ddde±xx.
func appendScientific(b []byte, digits uint64, exponent int) []byte {
	digits, _ = trimmed(digits, 0)
	n := length(digits)
	b = slices.Grow(b, 32)
	from := len(b)
	if n == 1 {
		b = append(b, byte('0'+digits))
	} else {
		b = appendDigits(b[:from+1], digits, n)
		b[from], b[from+1] = b[from+1], '.'
	}
	sign := byte('+')
	if exponent < 0 {
		sign, exponent = '-', -exponent
	}
	b = append(b, 'e', sign)
	if exponent >= 100 {
		b = append(b, byte('0'+exponent/100))
		exponent %= 100
	}
	return append(b, byte('0'+exponent/10), byte('0'+exponent%10))
}

// trimmed returns the same number without zeros at its end.
func trimmed(digits uint64, exponent int) (uint64, int) {
	if digits%10 != 0 {
		return digits, exponent
	}
	for digits%100_000_000 == 0 {
		digits, exponent = digits/100_000_000, exponent+8
	}
	for {
		tenth := digits / 10
		if tenth*10 != digits {
			return digits, exponent
		}
		digits, exponent = tenth, exponent+1
	}
}

var powersOfTen = [20]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

// length returns the number of decimal digits of v, which is not 0.
func length(v uint64) int {
	n := bits.Len64(v) * 1233 >> 12
	if v >= powersOfTen[n] {
		n++
	}
	return n
}

// pairs are the two digits of the numbers below 100.
var pairs = func() (p [100]uint16) {
	for i := range p {
		p[i] = uint16('0'+i/10) | uint16('0'+i%10)<<8
	}
	return p
}()

// appendDigits appends the n digits of v.
func appendDigits(b []byte, v uint64, n int) []byte {
	b = slices.Grow(b, 24)
	b = b[:len(b)+n]
	to := b[len(b)-n:]
	for n > 8 {
		rest := v / 100_000_000
		n -= 8
		binary.LittleEndian.PutUint64(to[n:], eight(uint32(v-rest*100_000_000)))
		v = rest
	}
	low := uint32(v)
	for n >= 2 {
		n -= 2
		binary.LittleEndian.PutUint16(to[n:], pairs[low%100])
		low /= 100
	}
	if n > 0 {
		to[0] = byte('0' + low)
	}
	return b
}
