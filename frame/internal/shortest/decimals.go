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

// below100 are the texts and floats of 0 to 99.99 in steps of a hundredth. Most
// of what is measured is percent, degrees or volts.
type below100 struct {
	// texts have up to five bytes, the first lowest, and their number in the
	// highest.
	texts  [10000]uint64
	values [10000]float64
}

// hundredths are made when first wanted: most programs that link this print
// none.
var hundredths = sync.OnceValue(func() *below100 {
	t := new(below100)
	for n := range t.texts {
		t.values[n] = float64(n) / 100
		text := Append64(nil, t.values[n])
		t.texts[n] = uint64(len(text)) << 56
		for i, c := range text {
			t.texts[n] |= uint64(c) << (8 * i)
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

// AppendRun appends values as Append does, each behind a comma, as long as they
// have two decimals and are between -100 and 100, and returns how many it has.
func (d Decimals) AppendRun(b []byte, values []float64) ([]byte, int) {
	if d != 2 {
		return b, 0
	}
	const longest = len(",-99.99")
	known := hundredths()
	b = slices.Grow(b, len(values)*longest+8) // a text is written with what is behind it in its 8 bytes
	for i, v := range values {
		positive := math.Abs(v)
		n := uint64(int64(positive*100 + 0.5))
		if n >= uint64(len(known.values)) || known.values[n] != positive { // NaN, too
			return b, i
		}
		text, minus := known.texts[n], int(math.Float64bits(v)>>63)
		at := len(b)
		b = b[:at+longest+3]
		b[at], b[at+1] = ',', '-'
		binary.LittleEndian.PutUint64(b[at+1+minus:], text)
		b = b[:at+1+minus+int(text>>56)]
	}
	return b, len(values)
}
