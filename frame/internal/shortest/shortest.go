// Package shortest prints floats as JSON has them: with the fewest digits that
// read back as the same float, and of those the nearest.
//
// It prints what strconv prints, faster: the search for the digits is Raffaello
// Giulietti's Schubfach, and numbers with few decimals, as measurements are,
// need no search at all (Decimals). Parse64 and Parse32 read them back as strconv
// does, by Daniel Lemire's and Michael Eisel's method.
package shortest

import (
	"math"
	"math/bits"
)

//go:generate go run ./powers

// Append64 appends v, which is neither NaN nor infinite: as
// strconv.AppendFloat(b, v, 'f', -1, 64), or with 'e' where abs(v) is below
// 1e-6 or not below 1e21.
func Append64(b []byte, v float64) []byte {
	u := math.Float64bits(v)
	if int64(u) < 0 {
		b = append(b, '-')
	}
	digits, exponent := shortest64(u &^ (1 << 63))
	return appendNumber(b, digits, exponent)
}

// Append32 is Append64 with the digits that a float32 needs. The form goes by
// the float32's own limits.
func Append32(b []byte, v float32) []byte {
	u := math.Float32bits(v)
	if int32(u) < 0 {
		b = append(b, '-')
	}
	digits, exponent := shortest32(u &^ (1 << 31))
	return appendNumber(b, uint64(digits), exponent)
}

// shortest64 returns the shortest decimal digits·10^exponent of a float64's
// bits, the sign apart. The digits may end in zeros.
func shortest64(u uint64) (digits uint64, exponent int) {
	const fraction, bias = 52, 1075
	c, q := u&(1<<fraction-1), int(u>>fraction)
	closer := c == 0 && q > 1 // the float below is only half as far away
	if q != 0 {
		c |= 1 << fraction
		q -= bias
		if -fraction <= q && q <= 0 && bits.TrailingZeros64(c) >= -q {
			return c >> -q, 0 // a whole number
		}
	} else {
		if c == 0 {
			return 0, 0
		}
		q = 1 - bias
	}

	// The floats that read back as this one lie between lower and upper, in
	// units of 10^k/4, where 10^k is the largest power of ten that fits in
	// between.
	odd := c & 1 // of two equally near floats the even one is read
	left, right := 4*c-2, 4*c+2
	k := (q * 1262611) >> 22
	if closer {
		left = 4*c - 1
		k = (q*1262611 - 524031) >> 22
	}
	shift := uint(q + (-k*1741647)>>19 + 1)
	g := &powers[-k-minPower]
	lower := scale(g, left<<shift) + odd
	value := scale(g, 4*c<<shift)
	upper := scale(g, right<<shift) - odd

	s := value / 4
	if s >= 10 { // a multiple of ten, if one is between
		tens := s / 10
		down, up := lower <= 40*tens, 40*tens+40 <= upper
		if down != up {
			if up {
				tens++
			}
			return tens, k + 1
		}
	}
	return nearest(s, value, lower, upper, false), k
}

// nearest returns s or s+1: the one between lower and upper, or the nearer one
// to value if both are; in the middle the even one, or with tieUp the upper. All
// but s are in quarters.
func nearest(s, value, lower, upper uint64, tieUp bool) uint64 {
	down, up := lower <= 4*s, 4*s+4 <= upper
	if down == up {
		middle := 4*s + 2
		up = value > middle || value == middle && (tieUp || s&1 != 0)
	}
	if up {
		return s + 1
	}
	return s
}

// scale returns the upper 64 bits of g·c, its last bit set if there is more
// behind them.
func scale(g *[2]uint64, c uint64) uint64 {
	carried, _ := bits.Mul64(g[1], c)
	high, low := bits.Mul64(g[0], c)
	low, carry := bits.Add64(low, carried, 0)
	high += carry
	if low > 1 {
		high |= 1
	}
	return high
}

// shortest32 is shortest64 for a float32.
func shortest32(u uint32) (digits uint32, exponent int) {
	const fraction, bias = 23, 150
	c, q := u&(1<<fraction-1), int(u>>fraction)
	closer := c == 0 && q > 1
	if q != 0 {
		c |= 1 << fraction
		q -= bias
		if -fraction <= q && q <= 0 && bits.TrailingZeros32(c) >= -q {
			return c >> -q, 0
		}
	} else {
		if c == 0 {
			return 0, 0
		}
		q = 1 - bias
	}

	odd := c & 1
	left, right := 4*c-2, 4*c+2
	k := (q * 1262611) >> 22
	if closer {
		left = 4*c - 1
		k = (q*1262611 - 524031) >> 22
	}
	shift := uint(q + (-k*1741647)>>19 + 1)
	g := powers[-k-minPower][0]
	if powers[-k-minPower][1] != 0 {
		g++ // 64 bits, rounded up
	}
	lower := scale32(g, left<<shift) + odd
	value := scale32(g, 4*c<<shift)
	upper := scale32(g, right<<shift) - odd

	s := value / 4
	if s >= 10 {
		tens := s / 10
		down, up := lower <= 40*tens, 40*tens+40 <= upper
		if down != up {
			if up {
				tens++
			}
			return tens, k + 1
		}
	}
	// The one power of two that is in the middle, 2^-12, goes up in strconv of
	// Go 1.26.
	return uint32(nearest(uint64(s), uint64(value), uint64(lower), uint64(upper), closer)), k
}

func scale32(g uint64, c uint32) uint32 {
	high, low := bits.Mul64(g, uint64(c))
	if uint32(low>>32) > 1 {
		high |= 1
	}
	return uint32(high)
}
