package transform

import (
	"encoding/json"
	"time"

	"github.com/plugboard/plugboard/frame"
)

// gather appends to a field, for each of these rows, the row's value from each
// of the sources, which hold what the field holds. Where the row is -1 or the
// source nil, fill says what comes instead, FillPrevious being FillNull.
func gather(to *frame.Field, sources []*frame.Field, rows []int32, fill Fill) {
	to.Grow(len(rows) * len(sources))
	switch to.Type() {
	case frame.Int8:
		gatherNumbers[int8](to, sources, rows, fill)
	case frame.Int16:
		gatherNumbers[int16](to, sources, rows, fill)
	case frame.Int32:
		gatherNumbers[int32](to, sources, rows, fill)
	case frame.Int64:
		gatherNumbers[int64](to, sources, rows, fill)
	case frame.Uint8:
		gatherNumbers[uint8](to, sources, rows, fill)
	case frame.Uint16:
		gatherNumbers[uint16](to, sources, rows, fill)
	case frame.Uint32:
		gatherNumbers[uint32](to, sources, rows, fill)
	case frame.Uint64:
		gatherNumbers[uint64](to, sources, rows, fill)
	case frame.Float32:
		gatherNumbers[float32](to, sources, rows, fill)
	case frame.Float64:
		gatherNumbers[float64](to, sources, rows, fill)
	case frame.Bool:
		gatherCells[bool](to, sources, rows, nil)
	case frame.String:
		gatherCells[string](to, sources, rows, nil)
	case frame.Time:
		gatherTimes(to, sources, rows)
	case frame.JSON:
		gatherCells[json.RawMessage](to, sources, rows, nil)
	case frame.EnumType:
		gatherCells[frame.Enum](to, sources, rows, nil)
	}
}

// number is an element that a Fill.Value converts to.
type number interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64
}

func gatherNumbers[T number](to *frame.Field, sources []*frame.Field, rows []int32, fill Fill) {
	if fill.Mode == FillValue {
		gatherCells(to, sources, rows, new(T(fill.Value)))
		return
	}
	gatherCells[T](to, sources, rows, nil)
}

func gatherTimes(to *frame.Field, sources []*frame.Field, rows []int32) {
	if to.Nullable() {
		gatherCells[time.Time](to, sources, rows, nil)
		return
	}
	gatherCells(to, sources, rows, new(time.Unix(0, 0))) // a column cannot tell the zero time
}

// gatherCells is gather for one type. What is missing becomes the instead, or
// if that is nil, null or the type's zero value.
func gatherCells[T frame.Element](to *frame.Field, sources []*frame.Field, rows []int32, instead *T) {
	if instead == nil && !to.Nullable() {
		instead = new(T)
	}
	batch := make([]T, 0, min(len(rows)*len(sources), 1024)) // values to append at once
	for _, row := range rows {
		for _, source := range sources {
			var value T
			ok := false
			switch {
			case source != nil && row >= 0:
				value, ok = frame.Value[T](source, int(row))
			case instead != nil:
				value, ok = *instead, true
			}
			if ok && len(batch) < cap(batch) {
				batch = append(batch, value)
				continue
			}
			frame.Append(to, batch...)
			batch = batch[:0]
			if ok {
				batch = append(batch, value)
			} else {
				to.AppendNull()
			}
		}
	}
	frame.Append(to, batch...)
}
