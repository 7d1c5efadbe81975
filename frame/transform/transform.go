// Package transform turns time series from one shape into another: long, wide,
// and evenly spaced.
//
// A long frame has a row for each point of each series, and columns of text or
// bools, its factors, that tell the series apart. A wide frame has a row for
// each time and a field for each series, with labels in place of factors. The
// first field of times is a frame's time field in either shape.
//
// What comes in is never changed, and shares nothing with what comes out but
// labels and configs.
package transform

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/plugboard/plugboard/frame"
)

// Fill says what stands where a series has no point. The zero Fill puts a null
// there if the field is nullable, and its type's zero value if it is not: of
// times, 1970.
type Fill struct {
	Mode FillMode
	// Value is put there with FillValue, converted to the field's type.
	Value float64
}

// FillMode is a way to fill.
type FillMode int

const (
	// FillNone is the zero Fill's.
	FillNone FillMode = iota
	// FillPrevious repeats the point before, or else is null.
	FillPrevious
	// FillNull puts a null, and makes every field nullable.
	FillNull
	// FillValue puts Fill.Value into fields of numbers; others are as with
	// FillNone.
	FillValue
)

// maxCells is how large a frame may become here: a few rows of many series
// each at a time of its own need rows times series cells.
const maxCells = 1 << 26

// schema is what the fields of a frame are to its series, by index.
type schema struct {
	time    int
	factors []int // text and bools
	values  []int // all others
}

func schemaOf(f *frame.Frame) (schema, error) {
	if err := f.Validate(); err != nil {
		return schema{}, err
	}
	s := schema{time: slices.IndexFunc(f.Fields, func(f *frame.Field) bool { return f.Type() == frame.Time })}
	if s.time < 0 {
		return s, errors.New("no field of times")
	}
	for i, field := range f.Fields {
		switch {
		case i == s.time:
		case field.Type() == frame.String || field.Type() == frame.Bool:
			s.factors = append(s.factors, i)
		default:
			s.values = append(s.values, i)
		}
	}
	if len(s.values) == 0 {
		return s, errors.New("no field of values")
	}
	return s, nil
}

// metaOf returns a copy of the frame's meta that says it is of this type.
func metaOf(f *frame.Frame, t frame.FrameType) *frame.Meta {
	meta := frame.Meta{}
	if f.Meta != nil {
		meta = *f.Meta
	}
	meta.Type = t
	return &meta
}

func checkSize(rows, fields int) error {
	if fields > 0 && rows > maxCells/fields {
		return fmt.Errorf("%d rows of %d fields are more than %d cells", rows, fields, maxCells)
	}
	return nil
}

// InTimeOrder returns the frame with its rows in the order of its time field,
// and the number of rows it left out because they have no time. Rows of one
// time stay in the order they were. A frame that is in order is returned as it
// is.
func InTimeOrder(f *frame.Frame) (ordered *frame.Frame, without int, err error) {
	s, err := schemaOf(f)
	if err != nil {
		return nil, 0, fmt.Errorf("time series: %w", err)
	}
	field := f.Fields[s.time]
	times := frame.Slice[int64](field)
	if field.Nulls() == 0 && slices.IsSorted(times) {
		return f, 0, nil
	}
	var rows []int32
	for row := range field.Len() {
		if !field.IsNull(row) {
			rows = append(rows, int32(row))
		}
	}
	slices.SortStableFunc(rows, func(a, b int32) int { return cmp.Compare(times[a], times[b]) })
	ordered = &frame.Frame{Name: f.Name, RefID: f.RefID, Meta: f.Meta}
	for _, from := range f.Fields {
		to := frame.NewFieldOf(from.Name, from.Labels, from.Type(), from.Nullable())
		to.Config = from.Config
		gather(to, []*frame.Field{from}, rows, Fill{})
		ordered.Fields = append(ordered.Fields, to)
	}
	return ordered, field.Nulls(), nil
}
