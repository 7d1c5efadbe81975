// Package cell prints the cells of a frame one by one, for formats that go row
// by row.
package cell

import (
	"math"
	"strconv"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/internal/shortest"
)

// Form is how a format writes what formats write differently.
type Form struct {
	Null      string
	Text      func(b, text []byte) []byte // strings, times in RFC 3339, names of enums
	JSON      func(b, text []byte) []byte // JSON cells
	NotFinite func(b []byte, v float64) []byte
}

// Printer appends the cell in a row to b.
type Printer func(b []byte, row int) []byte

// Printers returns a printer for each field. They belong to one goroutine.
func (form Form) Printers(f *frame.Frame) []Printer {
	printers := make([]Printer, len(f.Fields))
	for i, field := range f.Fields {
		printers[i] = form.orNull(field, form.printer(field))
	}
	return printers
}

func (form Form) orNull(f *frame.Field, print Printer) Printer {
	if f.Nulls() == 0 {
		return print
	}
	return func(b []byte, row int) []byte {
		if f.IsNull(row) {
			return append(b, form.Null...)
		}
		return print(b, row)
	}
}

func (form Form) printer(f *frame.Field) Printer {
	switch f.Type() {
	case frame.Int8:
		return integers(frame.Slice[int8](f))
	case frame.Int16:
		return integers(frame.Slice[int16](f))
	case frame.Int32:
		return integers(frame.Slice[int32](f))
	case frame.Int64:
		return integers(frame.Slice[int64](f))
	case frame.Uint8:
		return unsigned(frame.Slice[uint8](f))
	case frame.Uint16:
		return unsigned(frame.Slice[uint16](f))
	case frame.Uint32:
		return unsigned(frame.Slice[uint32](f))
	case frame.Uint64:
		return unsigned(frame.Slice[uint64](f))
	case frame.Float32:
		return floats(form, frame.Slice[float32](f), shortest.Append32)
	case frame.Float64:
		values := frame.Slice[float64](f)
		return floats(form, values, shortest.DecimalsOf(values).Append)
	case frame.EnumType:
		return form.enums(f)
	case frame.Time:
		return form.times(frame.Slice[int64](f))
	case frame.Bool:
		bits := f.Buffers().Data
		return func(b []byte, row int) []byte { return strconv.AppendBool(b, bits[row>>3]&(1<<(row&7)) != 0) }
	case frame.JSON:
		return texts(f, form.JSON)
	default:
		return texts(f, form.Text)
	}
}

func integers[T int8 | int16 | int32 | int64](values []T) Printer {
	return func(b []byte, row int) []byte { return strconv.AppendInt(b, int64(values[row]), 10) }
}

func unsigned[T uint8 | uint16 | uint32 | uint64](values []T) Printer {
	return func(b []byte, row int) []byte { return strconv.AppendUint(b, uint64(values[row]), 10) }
}

func floats[T float32 | float64](form Form, values []T, print func([]byte, T) []byte) Printer {
	return func(b []byte, row int) []byte {
		if v := values[row]; v-v != 0 {
			return form.NotFinite(b, float64(v))
		}
		return print(b, values[row])
	}
}

func texts(f *frame.Field, print func(b, text []byte) []byte) Printer {
	text := f.Buffers()
	return func(b []byte, row int) []byte { return print(b, text.Data[text.Offsets[row]:text.Offsets[row+1]]) }
}

// enums prints the names of enums, and the numbers of those that have none.
func (form Form) enums(f *frame.Field) Printer {
	var names []string
	if f.Config != nil && f.Config.Type != nil && f.Config.Type.Enum != nil {
		names = f.Config.Type.Enum.Text
	}
	values := frame.Slice[frame.Enum](f)
	return func(b []byte, row int) []byte {
		if v := int(values[row]); v < len(names) {
			return form.Text(b, []byte(names[v]))
		}
		return strconv.AppendUint(b, uint64(values[row]), 10)
	}
}

func (form Form) times(values []int64) Printer {
	clock := clock{day: math.MinInt64}
	var room [40]byte
	return func(b []byte, row int) []byte { return form.Text(b, clock.append(room[:0], values[row])) }
}

// clock prints times in RFC 3339, in UTC. It keeps the date, which neighbours in
// a column mostly share.
type clock struct {
	day  int64 // since 1970
	date []byte
}

func (c *clock) append(b []byte, ns int64) []byte {
	const perDay = int64(24 * time.Hour)
	day, rest := ns/perDay, ns%perDay
	if rest < 0 {
		day, rest = day-1, rest+perDay
	}
	if day != c.day {
		c.day, c.date = day, time.Unix(0, ns).UTC().AppendFormat(c.date[:0], "2006-01-02T")
	}
	b = append(b, c.date...)
	seconds, rest := rest/1e9, rest%1e9
	b = append(appendTwo(b, seconds/3600), ':')
	b = append(appendTwo(b, seconds/60%60), ':')
	b = appendTwo(b, seconds%60)
	if rest > 0 {
		b = append(b, '.')
		for unit := int64(1e8); rest > 0; unit /= 10 {
			b = append(b, byte('0'+rest/unit))
			rest %= unit
		}
	}
	return append(b, 'Z')
}

func appendTwo(b []byte, v int64) []byte { return append(b, byte('0'+v/10), byte('0'+v%10)) }
