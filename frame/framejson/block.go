package framejson

import (
	"encoding/json"
	"strconv"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/internal/shortest"
)

// valid tells which rows of a block are not null.
type valid struct {
	bitmap []byte // nil: none is
	from   int    // the block's first row
}

func (v valid) at(i int) bool {
	i += v.from
	return v.bitmap == nil || v.bitmap[i>>3]&(1<<(i&7)) != 0
}

// next appends what comes before cell i of a block, and tells whether the cell
// has a value.
func (v valid) next(b []byte, i int) ([]byte, bool) {
	if i > 0 {
		b = append(b, ',')
	}
	if !v.at(i) {
		return append(b, "null"...), false
	}
	return b, true
}

func appendInts[T int8 | int16 | int32 | int64](b []byte, values []T, v valid) []byte {
	ok := false
	for i, n := range values {
		if b, ok = v.next(b, i); ok {
			b = strconv.AppendInt(b, int64(n), 10)
		}
	}
	return b
}

func appendUints[T uint8 | uint16 | uint32 | uint64 | frame.Enum](b []byte, values []T, v valid) []byte {
	ok := false
	for i, n := range values {
		if b, ok = v.next(b, i); ok {
			b = strconv.AppendUint(b, uint64(n), 10)
		}
	}
	return b
}

// appendFloat64s looks first how many decimals the block has.
func appendFloat64s(b []byte, values []float64, v valid) (_ []byte, need uint8) {
	decimals, ok := shortest.DecimalsOf(values), false
	for i := 0; i < len(values); i++ {
		if v.bitmap == nil && i > 0 {
			appended := 0
			if b, appended = decimals.AppendRun(b, values[i:]); appended > 0 {
				i += appended - 1
				continue
			}
		}
		n := values[i]
		switch b, ok = v.next(b, i); {
		case !ok:
		case n-n != 0: // only NaN and the infinities
			b, need = append(b, "null"...), needsEntities
		case decimals < 0:
			b = shortest.Append64(b, n)
		default:
			b = decimals.Append(b, n)
		}
	}
	return b, need
}

func appendFloat32s(b []byte, values []float32, v valid) (_ []byte, need uint8) {
	ok := false
	for i, n := range values {
		switch b, ok = v.next(b, i); {
		case !ok:
		case n-n != 0:
			b, need = append(b, "null"...), needsEntities
		default:
			b = shortest.Append32(b, n)
		}
	}
	return b, need
}

func appendBools(b []byte, bits []byte, from, to int, v valid) []byte {
	ok := false
	for i := from; i < to; i++ {
		if b, ok = v.next(b, i-from); ok {
			b = strconv.AppendBool(b, bits[i>>3]&(1<<(i&7)) != 0)
		}
	}
	return b
}

func appendStrings(b []byte, text frame.Buffers, from, to int, v valid) []byte {
	ok := false
	for i := from; i < to; i++ {
		if b, ok = v.next(b, i-from); ok {
			b = appendString(b, text.Data[text.Offsets[i]:text.Offsets[i+1]])
		}
	}
	return b
}

func appendRaw(b []byte, text frame.Buffers, from, to int, v valid) []byte {
	ok := false
	for i := from; i < to; i++ {
		if b, ok = v.next(b, i-from); !ok {
			continue
		}
		if cell := text.Data[text.Offsets[i]:text.Offsets[i+1]]; len(cell) > 0 && json.Valid(cell) {
			b = append(b, cell...)
		} else {
			b = append(b, "null"...)
		}
	}
	return b
}

// appendTimes appends nanoseconds as milliseconds, rounded down.
func appendTimes(b []byte, values []int64, v valid) (_ []byte, need uint8) {
	ok := false
	var printer timePrinter
	for i, ns := range values {
		if b, ok = v.next(b, i); !ok {
			continue
		}
		ms, rest := splitNanos(ns)
		if rest != 0 {
			need = needsNanos
		}
		b = printer.append(b, ms)
	}
	return b, need
}

// splitNanos returns the milliseconds at or before ns, and the nanoseconds
// since then.
func splitNanos(ns int64) (ms, rest int64) {
	ms, rest = ns/1e6, ns%1e6
	if rest < 0 {
		return ms - 1, rest + 1e6
	}
	return ms, rest
}

// timePrinter prints milliseconds. It keeps the leading digits, which neighbours
// in a column mostly share.
type timePrinter struct {
	high   int64 // the number without its last five digits
	digits [16]byte
	n      int // length of digits; 0: none yet
}

func (p *timePrinter) append(b []byte, ms int64) []byte {
	if ms < 1e5 {
		return strconv.AppendInt(b, ms, 10)
	}
	high, low := ms/1e5, uint32(ms%1e5)
	if high != p.high {
		p.high, p.n = high, len(strconv.AppendInt(p.digits[:0], high, 10))
	}
	b = append(b, p.digits[:p.n]...)
	return append(b, byte('0'+low/10000), byte('0'+low/1000%10), byte('0'+low/100%10), byte('0'+low/10%10), byte('0'+low%10))
}
