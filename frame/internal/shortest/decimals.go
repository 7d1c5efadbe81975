package shortest

import (
	"encoding/binary"
	"math"
	"slices"
	"sync"
)

// Decimals is how many digits behind the point the numbers of a column have:
// none, two or four, or -1 if they have more.
type Decimals int

// DecimalsOf looks at a few of the values, and returns what suits all of those.
func DecimalsOf(values []float64) Decimals {
	const looks = 16
	step := max(len(values)/looks, 1)
	for _, d := range []Decimals{0, 2, 4} {
		fits := true
		for i := 0; i < len(values) && fits; i += step {
			_, fits = d.whole(values[i])
		}
		if fits {
			return d
		}
	}
	return -1
}

// whole returns v without its sign in units of its last digit, if d is how many
// it has behind the point, at most 15 in all. Of decimals that short no two are
// the same float: if one reads as v, it is v's shortest, zeros at its end apart.
func (d Decimals) whole(v float64) (uint64, bool) {
	if d < 0 {
		return 0, false
	}
	unit := units[d]
	v = math.Abs(v)
	if !(v < limits[d]) { // NaN, too
		return 0, false
	}
	n := uint64(int64(v*unit + 0.5))
	return n, float64(int64(n))/unit == v
}

var (
	units  = [...]float64{0: 1, 2: 100, 4: 10000}
	limits = [...]float64{0: 1e15, 2: 1e13, 4: 1e11} // of 15 digits
)

// percent is how many hundredths short has the texts of, on each side of 0.
const percent = 100_00

// short are the texts of -100 to 100 in steps of a hundredth, each behind a
// comma: up to seven bytes, the first lowest, and how many those are in the
// highest. They are made when first wanted: most programs that link this print
// none.
var short = sync.OnceValue(func() *[2*percent + 1]uint64 {
	t := new([2*percent + 1]uint64)
	for i := range t {
		text := Append64([]byte{','}, float64(i-percent)/100)
		t[i] = uint64(len(text)) << 56
		for at, c := range text {
			t[i] |= uint64(c) << (8 * at)
		}
	}
	return t
})

// Append appends v as Append64 does, faster if it has that many decimals.
func (d Decimals) Append(b []byte, v float64) []byte {
	n, ok := d.whole(v)
	if !ok || n == 0 && d == 4 { // below 1e-6 it may be
		return Append64(b, v)
	}
	if math.Signbit(v) {
		b = append(b, '-')
	}
	var behind uint64
	switch d {
	case 2:
		n, behind = n/100, n%100
	case 4:
		n, behind = n/10000, n%10000
	}
	if n < 10 {
		b = append(b, byte('0'+n))
	} else {
		b = appendDigits(b, n, length(n))
	}
	if behind == 0 {
		return b
	}
	if d == 4 {
		if behind%100 != 0 {
			b = append(b, '.', byte(pairs[behind/100]), byte(pairs[behind/100]>>8))
			behind %= 100
		} else {
			b, behind = append(b, '.'), behind/100
		}
	} else {
		b = append(b, '.')
	}
	b = append(b, byte(pairs[behind]))
	if last := byte(pairs[behind] >> 8); last != '0' {
		b = append(b, last)
	}
	return b
}

// AppendHundredths appends values as Append64 does, each behind a comma, as long
// as they have two decimals at most, are less than a hundred million from 0 and
// not its negative, and returns how many it has. That is most of what is
// measured, and most of that is percent, degrees or volts.
func AppendHundredths(b []byte, values []float64) ([]byte, int) {
	const (
		longest = len(",-99999999.99")
		integer = 3 << 51 // what is added to it has no bits behind the point
	)
	known := short()
	b = slices.Grow(b, len(values)*longest+8) // a text is written with what is behind it in its 8 bytes
	at, to := len(b), b[:cap(b)]
	for i, v := range values {
		rounded := float64(v*100+integer) - integer
		n := int64(rounded)
		if rounded/100 != v || n == 0 && math.Signbit(v) { // NaN, too
			return b[:at], i
		}
		if i := uint64(n + percent); i < uint64(len(known)) {
			binary.LittleEndian.PutUint64(to[at:], known[i])
			at += int(known[i] >> 56)
			continue
		}
		if math.Abs(rounded) >= 1e10 {
			return b[:at], i
		}
		to[at], to[at+1] = ',', '-'
		at++
		if n < 0 {
			n, at = -n, at+1
		}
		whole := n / 100
		digits := length(uint64(whole))
		binary.LittleEndian.PutUint64(to[at:], eight(uint32(whole))>>((64-8*digits)&63))
		behind := known[percent+n-100*whole] // ",0" and what is wanted
		binary.LittleEndian.PutUint32(to[at+digits:], uint32(behind>>16))
		at += digits + int(behind>>56) - len(",0")
	}
	return b[:at], len(values)
}
