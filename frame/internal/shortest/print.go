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
	b = appendDigits(b[:from+1], digits, n)
	copy(b[from:], b[from+1:from+1+point])
	b[from+point] = '.'
	return b
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
		putEight(to[n:n+8], uint32(v-rest*100_000_000))
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

// putEight writes eight digits.
func putEight(to []byte, v uint32) {
	_ = to[7]
	high, low := v/10000, v%10000
	binary.LittleEndian.PutUint16(to, pairs[high/100])
	binary.LittleEndian.PutUint16(to[2:], pairs[high%100])
	binary.LittleEndian.PutUint16(to[4:], pairs[low/100])
	binary.LittleEndian.PutUint16(to[6:], pairs[low%100])
}
