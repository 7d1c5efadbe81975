package shortest

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// Parse64 reads the JSON number at b[i:], and returns where it ends. It is what
// strconv.ParseFloat makes of it. Parse64 is false for what is no number, and
// for the few numbers that it leaves to strconv: those with an exponent, with
// more than 19 digits, and some that lie in the middle of two floats.
//
// What stands behind the number is not looked at, apart from an exponent.
func Parse64(b []byte, i int) (v float64, end int, ok bool) {
	d, end, ok := parseDecimal(b, i)
	if !ok {
		return 0, end, false
	}
	switch {
	case d.digits < 1<<53 && d.behind < len(exact):
		v = float64(d.digits) / exact[d.behind] // one rounding of two exact numbers
	case d.behind > 0:
		if v, ok = multiply(d.digits, -d.behind); !ok {
			return 0, end, false
		}
	default:
		v = float64(d.digits)
	}
	if d.negative {
		v = -v
	}
	return v, end, true
}

// Parse32 is Parse64 for float32. It leaves all but short numbers to strconv.
func Parse32(b []byte, i int) (v float32, end int, ok bool) {
	d, end, ok := parseDecimal(b, i)
	if !ok || d.digits >= 1<<24 || d.behind > 10 {
		return 0, end, false
	}
	v = float32(d.digits) / float32(exact[d.behind])
	if d.negative {
		v = -v
	}
	return v, end, true
}

// ParseInt reads the JSON number at b[i:], an integer of up to 18 digits, and
// returns where it ends. It is false for anything else.
func ParseInt(b []byte, i int) (v int64, end int, ok bool) {
	d, end, ok := parseDecimal(b, i)
	if !ok || end-i > 18 || d.behind > 0 {
		return 0, end, false
	}
	if d.negative {
		return -int64(d.digits), end, true
	}
	return int64(d.digits), end, true
}

// exact are the powers of ten that a float64 holds exactly.
var exact = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// decimal is a number of at most 19 digits, not counting zeros in front.
type decimal struct {
	digits   uint64
	behind   int // how many of them are behind the point
	negative bool
}

func parseDecimal(b []byte, i int) (d decimal, end int, ok bool) {
	if i < len(b) && b[i] == '-' {
		d.negative = true
		i++
	}
	from := i
	for i < len(b) && b[i]-'0' <= 9 {
		d.digits = d.digits*10 + uint64(b[i]-'0')
		i++
	}
	count := i - from
	if count == 0 || count > 1 && b[from] == '0' {
		return d, i, false
	}
	if i < len(b) && b[i] == '.' {
		i++
		point := i
		if d.digits == 0 {
			for count = 0; i < len(b) && b[i] == '0'; i++ {
			}
		}
		count -= i
		for len(b)-i >= 8 {
			eight := binary.LittleEndian.Uint64(b[i:])
			if !eightDigits(eight) {
				break
			}
			d.digits = d.digits*100_000_000 + parseEight(eight)
			i += 8
		}
		for i < len(b) && b[i]-'0' <= 9 {
			d.digits = d.digits*10 + uint64(b[i]-'0')
			i++
		}
		count += i
		if d.behind = i - point; d.behind == 0 {
			return d, i, false
		}
	}
	if count > 19 || i < len(b) && b[i]|0x20 == 'e' {
		return d, i, false
	}
	return d, i, true
}

// eightDigits tells whether eight bytes are all digits.
func eightDigits(v uint64) bool {
	return v&0xf0f0f0f0f0f0f0f0 == 0x3030303030303030 && (v+0x0606060606060606)&0xf0f0f0f0f0f0f0f0 == 0x3030303030303030
}

// parseEight returns the number of eight digits, the first in the lowest byte:
// neighbours are joined to pairs, pairs to fours, fours to the whole.
func parseEight(v uint64) uint64 {
	v -= 0x3030303030303030
	v = v*10 + v>>8
	return (v&0x000000ff000000ff*(100+1_000_000<<32) + v>>16&0x000000ff000000ff*(1+10_000<<32)) >> 32
}

// multiply returns the float nearest to m·10^k for a negative k, and false if it
// cannot tell.
func multiply(m uint64, k int) (float64, bool) {
	if m == 0 {
		return 0, true
	}
	if k < minPower {
		return 0, false
	}
	// The table is rounded up, and no negative power is exact.
	low, borrow := bits.Sub64(powers[k-minPower][1], 1, 0)
	high := powers[k-minPower][0] - borrow

	shift := bits.LeadingZeros64(m)
	m <<= shift
	exponent := (217706*k)>>16 + 64 + 1023 - shift
	top, rest := bits.Mul64(m, high)
	if top&0x1ff == 0x1ff && rest+m < m { // the lower half may matter
		more, least := bits.Mul64(m, low)
		var carry uint64
		rest, carry = bits.Add64(rest, more, 0)
		top += carry
		if top&0x1ff == 0x1ff && rest+1 == 0 && least+m < m {
			return 0, false
		}
	}
	bit := int(top >> 63)
	fraction := top >> (bit + 9)
	exponent -= 1 - bit
	if rest == 0 && top&0x1ff == 0 && fraction&3 == 1 {
		return 0, false // in the middle
	}
	fraction = (fraction + fraction&1) >> 1
	if fraction>>53 > 0 {
		fraction >>= 1
		exponent++
	}
	if exponent < 1 || exponent > 0x7fe {
		return 0, false
	}
	return math.Float64frombits(uint64(exponent)<<52 | fraction&(1<<52-1)), true
}
