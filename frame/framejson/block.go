package framejson

import (
	"encoding/binary"
	"encoding/json"
	"math/bits"
	"slices"
	"strconv"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/internal/shortest"
)

// valid tells which rows of a block are not null.
type valid struct {
	bitmap []byte // nil: none is
	from   int    // the block's first row
}

// run returns how many cells from i on, before to, are not null.
func (v valid) run(i, to int) int {
	if v.bitmap == nil {
		return to - i
	}
	for at := i; at < to; {
		row := at + v.from
		known := 8 - row&7
		if n := bits.TrailingZeros8(^(v.bitmap[row>>3] >> (row & 7))); n < known {
			return min(at+n, to) - i
		}
		at += known
	}
	return to - i
}

// appendCells appends n cells, each behind a comma: those of a block that are
// not null in runs by write.
func appendCells(b []byte, n int, v valid, write func(b []byte, from, to int) []byte) []byte {
	for i := 0; i < n; {
		run := v.run(i, n)
		if run == 0 {
			b = append(b, ",null"...)
			i++
			continue
		}
		b = write(b, i, i+run)
		i += run
	}
	return b
}

func appendInts[T int8 | int16 | int32 | int64](b []byte, values []T, v valid) []byte {
	return appendCells(b, len(values), v, func(b []byte, from, to int) []byte {
		for _, n := range values[from:to] {
			b = strconv.AppendInt(append(b, ','), int64(n), 10)
		}
		return b
	})
}

func appendUints[T uint8 | uint16 | uint32 | uint64 | frame.Enum](b []byte, values []T, v valid) []byte {
	return appendCells(b, len(values), v, func(b []byte, from, to int) []byte {
		for _, n := range values[from:to] {
			b = strconv.AppendUint(append(b, ','), uint64(n), 10)
		}
		return b
	})
}

func appendFloat64s(b []byte, values []float64, v valid) (_ []byte, need uint8) {
	b = appendCells(b, len(values), v, func(b []byte, from, to int) []byte {
		var more uint8
		b, more = appendFloatRun(b, values[from:to])
		need |= more
		return b
	})
	return b, need
}

// appendFloatRun tries the commonest form first, and only then looks how many
// decimals the values have.
func appendFloatRun(b []byte, values []float64) (_ []byte, need uint8) {
	b, done := shortest.AppendHundredths(b, values)
	if done == len(values) {
		return b, 0
	}
	decimals := shortest.DecimalsOf(values[done:])
	for i := done; i < len(values); i++ {
		if n := values[i]; n-n != 0 { // only NaN and the infinities
			b, need = append(b, ",null"...), needsEntities
		} else {
			b = decimals.Append(append(b, ','), n)
		}
		if decimals == 2 {
			b, done = shortest.AppendHundredths(b, values[i+1:])
			i += done
		}
	}
	return b, need
}

func appendFloat32s(b []byte, values []float32, v valid) (_ []byte, need uint8) {
	b = appendCells(b, len(values), v, func(b []byte, from, to int) []byte {
		for _, n := range values[from:to] {
			if n-n != 0 {
				b, need = append(b, ",null"...), needsEntities
			} else {
				b = shortest.Append32(append(b, ','), n)
			}
		}
		return b
	})
	return b, need
}

func appendBools(b []byte, bits []byte, begin, end int, v valid) []byte {
	return appendCells(b, end-begin, v, func(b []byte, from, to int) []byte {
		for i := begin + from; i < begin+to; i++ {
			b = strconv.AppendBool(append(b, ','), bits[i>>3]&(1<<(i&7)) != 0)
		}
		return b
	})
}

func appendStrings(b []byte, text frame.Buffers, begin, end int, v valid) []byte {
	return appendCells(b, end-begin, v, func(b []byte, from, to int) []byte {
		for i := begin + from; i < begin+to; i++ {
			b = appendString(append(b, ','), text.Data[text.Offsets[i]:text.Offsets[i+1]])
		}
		return b
	})
}

func appendRaw(b []byte, text frame.Buffers, begin, end int, v valid) []byte {
	return appendCells(b, end-begin, v, func(b []byte, from, to int) []byte {
		for i := begin + from; i < begin+to; i++ {
			if cell := text.Data[text.Offsets[i]:text.Offsets[i+1]]; len(cell) > 0 && json.Valid(cell) {
				b = append(append(b, ','), cell...)
			} else {
				b = append(b, ",null"...)
			}
		}
		return b
	})
}

// appendTimes appends nanoseconds as milliseconds, rounded down.
func appendTimes(b []byte, values []int64, v valid) (_ []byte, need uint8) {
	var printer timePrinter
	b = appendCells(b, len(values), v, func(b []byte, from, to int) []byte {
		var more uint8
		b, more = printer.append(b, values[from:to])
		need |= more
		return b
	})
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
	// lead is a comma and what is before the last six digits, the first
	// character lowest: a million times that many milliseconds fit in an int64 of
	// nanoseconds.
	lead uint64
	n    int   // characters of lead; 0: none yet
	from int64 // the first nanosecond with that lead
}

// leadSpan is how many nanoseconds have the same lead.
const leadSpan = 1e6 * 1e6

func (p *timePrinter) append(b []byte, values []int64) (_ []byte, need uint8) {
	const longest = len(",-9223372036855")
	b = slices.Grow(b, len(values)*longest+8) // digits are written in words
	at, to := len(b), b[:cap(b)]
	inexact := uint64(0)
	for _, ns := range values {
		if ns < p.from || ns-p.from >= leadSpan || p.n == 0 {
			if ns < leadSpan {
				ms, rest := splitNanos(ns)
				inexact |= uint64(rest)
				at = len(strconv.AppendInt(append(to[:at], ','), ms, 10))
				continue
			}
			p.keep(ns / leadSpan)
		}
		since := uint64(ns - p.from)
		low := since / 1e6
		inexact |= since - low*1e6
		binary.LittleEndian.PutUint64(to[at:], p.lead)
		at += p.n
		upper := low / 1000
		binary.LittleEndian.PutUint64(to[at:], uint64(threeDigits[upper])|uint64(threeDigits[low-upper*1000])<<24)
		at += len("000000")
	}
	if inexact != 0 {
		need = needsNanos
	}
	return b[:at], need
}

func (p *timePrinter) keep(high int64) {
	var lead [8]byte
	p.n = len(strconv.AppendInt(append(lead[:0], ','), high, 10))
	p.lead, p.from = binary.LittleEndian.Uint64(lead[:]), high*leadSpan
}

// threeDigits are the texts of 0 to 999, the first digit lowest.
var threeDigits = func() (t [1000]uint32) {
	for i := range t {
		t[i] = uint32('0'+i/100) | uint32('0'+i/10%10)<<8 | uint32('0'+i%10)<<16
	}
	return t
}()
