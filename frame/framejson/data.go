package framejson

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/plugboard/plugboard/frame"
)

// sizeHint guesses the length of the JSON from the columns.
func sizeHint(f *frame.Frame, include Include) int {
	size := 256 + 128*len(f.Fields)
	if include == IncludeSchemaOnly {
		return size
	}
	for _, field := range f.Fields {
		switch field.Type() {
		case frame.Float64:
			size += 19 * field.Len()
		case frame.Time:
			size += 14 * field.Len()
		case frame.String, frame.JSON:
			size += 4*field.Len() + len(field.Buffers().Data)
		default:
			size += 6 * field.Len()
		}
	}
	return size
}

// What a column needs beside its values.
const (
	needsEntities = 1 << iota // it holds NaN or an infinity
	needsNanos                // it holds a time between two milliseconds
)

func appendData(b []byte, f *frame.Frame) []byte {
	b = append(b, `{"values":[`...)
	needs, all := make([]uint8, len(f.Fields)), uint8(0)
	for i, field := range f.Fields {
		if i > 0 {
			b = append(b, ',')
		}
		b, needs[i] = appendColumn(append(b, '['), field)
		b = append(b, ']')
		all |= needs[i]
	}
	b = append(b, ']')
	if all&needsEntities != 0 {
		b = appendBeside(append(b, `,"entities":[`...), f, needs, needsEntities, appendEntities)
	}
	if all&needsNanos != 0 {
		b = appendBeside(append(b, `,"nanos":[`...), f, needs, needsNanos, appendNanos)
	}
	return append(b, '}')
}

// appendBeside appends one element per field, null for those without the need,
// and ends the array.
func appendBeside(b []byte, f *frame.Frame, needs []uint8, need uint8, add func([]byte, *frame.Field) []byte) []byte {
	for i, field := range f.Fields {
		if i > 0 {
			b = append(b, ',')
		}
		if needs[i]&need == 0 {
			b = append(b, "null"...)
		} else {
			b = add(b, field)
		}
	}
	return append(b, ']')
}

// appendColumn appends the cells, and tells what is needed beside them.
func appendColumn(b []byte, f *frame.Field) ([]byte, uint8) {
	buffers := f.Buffers()
	switch f.Type() {
	case frame.Int8:
		return appendInts(b, frame.Slice[int8](f), buffers.Valid), 0
	case frame.Int16:
		return appendInts(b, frame.Slice[int16](f), buffers.Valid), 0
	case frame.Int32:
		return appendInts(b, frame.Slice[int32](f), buffers.Valid), 0
	case frame.Int64:
		return appendInts(b, frame.Slice[int64](f), buffers.Valid), 0
	case frame.Uint8:
		return appendUints(b, frame.Slice[uint8](f), buffers.Valid), 0
	case frame.Uint16:
		return appendUints(b, frame.Slice[uint16](f), buffers.Valid), 0
	case frame.Uint32:
		return appendUints(b, frame.Slice[uint32](f), buffers.Valid), 0
	case frame.Uint64:
		return appendUints(b, frame.Slice[uint64](f), buffers.Valid), 0
	case frame.EnumType:
		return appendUints(b, frame.Slice[frame.Enum](f), buffers.Valid), 0
	case frame.Float32:
		return appendFloats(b, frame.Slice[float32](f), buffers.Valid, 32)
	case frame.Float64:
		return appendFloats(b, frame.Slice[float64](f), buffers.Valid, 64)
	case frame.Time:
		return appendTimes(b, frame.Slice[int64](f), buffers.Valid)
	case frame.Bool:
		return appendBools(b, f.Len(), buffers), 0
	case frame.JSON:
		return appendRaw(b, f.Len(), buffers), 0
	default:
		return appendStrings(b, f.Len(), buffers), 0
	}
}

// next appends what comes before row i, and tells whether the row has a value.
func next(b []byte, valid []byte, i int) ([]byte, bool) {
	if i > 0 {
		b = append(b, ',')
	}
	if valid != nil && valid[i>>3]&(1<<(i&7)) == 0 {
		return append(b, "null"...), false
	}
	return b, true
}

func appendInts[T int8 | int16 | int32 | int64](b []byte, values []T, valid []byte) []byte {
	ok := false
	for i, v := range values {
		if b, ok = next(b, valid, i); ok {
			b = strconv.AppendInt(b, int64(v), 10)
		}
	}
	return b
}

func appendUints[T uint8 | uint16 | uint32 | uint64 | frame.Enum](b []byte, values []T, valid []byte) []byte {
	ok := false
	for i, v := range values {
		if b, ok = next(b, valid, i); ok {
			b = strconv.AppendUint(b, uint64(v), 10)
		}
	}
	return b
}

func appendFloats[T float32 | float64](b []byte, values []T, valid []byte, bits int) ([]byte, uint8) {
	need, ok := uint8(0), false
	for i, v := range values {
		if b, ok = next(b, valid, i); !ok {
			continue
		}
		if v-v != 0 { // only NaN and the infinities
			b, need = append(b, "null"...), needsEntities
			continue
		}
		format := byte('f')
		if abs := max(v, -v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
			format = 'e'
		}
		b = strconv.AppendFloat(b, float64(v), format, -1, bits)
	}
	return b, need
}

func appendBools(b []byte, n int, bits frame.Buffers) []byte {
	ok := false
	for i := range n {
		if b, ok = next(b, bits.Valid, i); ok {
			b = strconv.AppendBool(b, bits.Data[i>>3]&(1<<(i&7)) != 0)
		}
	}
	return b
}

func appendStrings(b []byte, n int, text frame.Buffers) []byte {
	ok := false
	for i := range n {
		if b, ok = next(b, text.Valid, i); ok {
			b = appendString(b, text.Data[text.Offsets[i]:text.Offsets[i+1]])
		}
	}
	return b
}

func appendRaw(b []byte, n int, text frame.Buffers) []byte {
	ok := false
	for i := range n {
		if b, ok = next(b, text.Valid, i); !ok {
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
func appendTimes(b []byte, values []int64, valid []byte) ([]byte, uint8) {
	need, ok := uint8(0), false
	var printer timePrinter
	for i, ns := range values {
		if b, ok = next(b, valid, i); !ok {
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

func appendNanos(b []byte, f *frame.Field) []byte {
	b = append(b, '[')
	for i, ns := range frame.Slice[int64](f) {
		if i > 0 {
			b = append(b, ',')
		}
		rest := int64(0)
		if !f.IsNull(i) {
			_, rest = splitNanos(ns)
		}
		b = strconv.AppendInt(b, rest, 10)
	}
	return append(b, ']')
}

// The numbers that JSON has no word for, in the order of the official output.
var entities = [...]struct {
	name string
	is   func(float64) bool
}{
	{"NaN", math.IsNaN},
	{"Inf", func(v float64) bool { return math.IsInf(v, 1) }},
	{"NegInf", func(v float64) bool { return math.IsInf(v, -1) }},
}

// appendEntities appends the rows of each kind of entity that there is.
func appendEntities(b []byte, f *frame.Field) []byte {
	b = append(b, '{')
	first := true
	for _, entity := range entities {
		found := false
		for i := range f.Len() {
			if f.IsNull(i) || !entity.is(floatAt(f, i)) {
				continue
			}
			switch {
			case found:
				b = append(b, ',')
			case first:
				b = append(append(append(b, '"'), entity.name...), `":[`...)
			default:
				b = append(append(append(b, `,"`...), entity.name...), `":[`...)
			}
			first, found = false, true
			b = strconv.AppendInt(b, int64(i), 10)
		}
		if found {
			b = append(b, ']')
		}
	}
	return append(b, '}')
}

func floatAt(f *frame.Field, i int) float64 {
	if f.Type() == frame.Float32 {
		return float64(frame.Slice[float32](f)[i])
	}
	return frame.Slice[float64](f)[i]
}
