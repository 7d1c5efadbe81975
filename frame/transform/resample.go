package transform

import (
	"errors"
	"fmt"
	"time"

	"github.com/plugboard/plugboard/frame"
)

// Resample returns a wide frame with a row at from and at every interval after
// it, up to and including to. A row has the last point within the interval that
// ends with it; where there is none, fill says what: FillPrevious repeats the
// point before, even from before from, and FillNone is FillNull.
//
// The frame's times must ascend. It is an error if the frame is not wide or
// lacks a time, or if interval is not positive.
func Resample(wide *frame.Frame, fill Fill, from, to time.Time, interval time.Duration) (*frame.Frame, error) {
	even, err := resample(wide, fill, from, to, interval)
	if err != nil {
		return nil, fmt.Errorf("resample: %w", err)
	}
	return even, nil
}

func resample(wide *frame.Frame, fill Fill, from, to time.Time, interval time.Duration) (*frame.Frame, error) {
	s, err := wideSchema(wide)
	switch {
	case err != nil:
		return nil, err
	case interval <= 0:
		return nil, fmt.Errorf("an interval of %v", interval)
	case wide.Fields[s.time].Nulls() > 0:
		return nil, errors.New("a row has no time")
	}
	if count := to.Sub(from) / interval; count >= 0 {
		if count >= maxCells {
			return nil, fmt.Errorf("more than %d rows", maxCells)
		}
		if err := checkSize(int(count)+1, len(wide.Fields)); err != nil {
			return nil, err
		}
	}
	times, rows := sampled(frame.Slice[int64](wide.Fields[s.time]), fill, from, to, interval)

	even := &frame.Frame{Name: wide.Name, RefID: wide.RefID}
	if wide.Meta != nil {
		even.Meta = new(*wide.Meta)
	}
	for i, from := range wide.Fields {
		field := frame.NewFieldOf(from.Name, from.Labels, from.Type(), from.Nullable() || i != s.time && hasNulls(rows, fill, from.Type()))
		field.Config = from.Config
		if i == s.time {
			frame.Append(field, times...)
		} else {
			gather(field, []*frame.Field{from}, rows, fill)
		}
		even.Fields = append(even.Fields, field)
	}
	return even, nil
}

// sampled returns the even times and the row that each of them has, -1 where
// there is none.
func sampled(column []int64, fill Fill, from, to time.Time, interval time.Duration) (times []time.Time, rows []int32) {
	next := 0 // the first row after the time
	for at := from; !at.After(to); at = at.Add(interval) {
		begin := next
		for next < len(column) && column[next] <= at.UnixNano() {
			next++
		}
		row := int32(next) - 1
		fresh := next > begin && column[row] > at.Add(-interval).UnixNano()
		if !fresh && fill.Mode != FillPrevious {
			row = -1
		}
		times, rows = append(times, at), append(rows, row)
	}
	return times, rows
}

// hasNulls tells whether a gathered field of that type will hold nulls for want
// of a row.
func hasNulls(rows []int32, fill Fill, t frame.Type) bool {
	if fill.Mode == FillValue && t.Kind() == "number" {
		return false
	}
	for _, row := range rows {
		if row < 0 {
			return true
		}
	}
	return false
}
