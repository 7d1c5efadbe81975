package framejson

import (
	"math"
	"strconv"

	"github.com/plugboard/plugboard/frame"
)

// beside writes one element per field, null for those without the need, and
// ends the array.
func (o *output) beside(batches frame.Frames, needs []uint8, need uint8, write func(o *output, batches frame.Frames, i int)) {
	for i := range needs {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		if needs[i]&need == 0 {
			o.b = append(o.b, "null"...)
		} else {
			write(o, batches, i)
		}
	}
	o.b = append(o.b, ']')
}

func (o *output) nanos(batches frame.Frames, i int) {
	o.b = append(o.b, '[')
	first := true
	for _, batch := range batches {
		f := batch.Fields[i]
		for row, ns := range frame.Slice[int64](f) {
			if !first {
				o.b = append(o.b, ',')
			}
			first = false
			rest := int64(0)
			if !f.IsNull(row) {
				_, rest = splitNanos(ns)
			}
			o.b = strconv.AppendInt(o.b, rest, 10)
			o.flush(flushSize)
		}
	}
	o.b = append(o.b, ']')
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

// entities writes the rows of each kind of entity that there is.
func (o *output) entities(batches frame.Frames, i int) {
	o.b = append(o.b, '{')
	first := true
	for _, entity := range entities {
		found, before := false, 0 // rows of the batches before
		for _, batch := range batches {
			f := batch.Fields[i]
			for row := range f.Len() {
				if f.IsNull(row) || !entity.is(floatAt(f, row)) {
					continue
				}
				switch {
				case found:
					o.b = append(o.b, ',')
				case first:
					o.b = append(append(append(o.b, '"'), entity.name...), `":[`...)
				default:
					o.b = append(append(append(o.b, `,"`...), entity.name...), `":[`...)
				}
				first, found = false, true
				o.b = strconv.AppendInt(o.b, int64(before+row), 10)
				o.flush(flushSize)
			}
			before += f.Len()
		}
		if found {
			o.b = append(o.b, ']')
		}
	}
	o.b = append(o.b, '}')
}

func floatAt(f *frame.Field, i int) float64 {
	if f.Type() == frame.Float32 {
		return float64(frame.Slice[float32](f)[i])
	}
	return frame.Slice[float64](f)[i]
}
