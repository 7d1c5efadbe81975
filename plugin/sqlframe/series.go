package sqlframe

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/transform"
	"github.com/plugboard/plugboard/plugin"
)

// timeNames are the names of columns that hold the times of a result.
var timeNames = []string{"time", "time_sec"}

func isTime(f *frame.Field) bool {
	return slices.Contains(timeNames, strings.ToLower(f.Name))
}

// timeName is what the field of times is called in time series: Grafana's word.
const timeName = "Time"

// nameTimes makes times of the numbers in the columns that are named for them.
func nameTimes(table *frame.Frame) {
	for i, field := range table.Fields {
		if isTime(field) && field.Type() != frame.Time && field.Type().Kind() == "number" {
			if times, err := timesOf(field); err == nil {
				table.Fields[i] = times
			}
		}
	}
}

// timeSeries turns a table into wide time series, as Format TimeSeries says.
func timeSeries(table *frame.Frame, even spacing, within plugin.TimeRange) (*frame.Frame, error) {
	long, err := longSeries(table)
	if err != nil {
		return nil, err
	}
	if long.Rows() == 0 {
		long.Fields = long.Fields[:1]
		long.Meta.Type = frame.TypeTimeSeriesWide
		return long, nil
	}
	long, without, err := transform.InTimeOrder(long)
	if err != nil {
		return nil, err
	}
	if without > 0 {
		warn(long, "rows without a time were left out: %d", without)
	}
	wide := long
	if slices.ContainsFunc(long.Fields, func(f *frame.Field) bool { return f.Type() == frame.String }) && long.Rows() > 0 {
		if wide, err = transform.LongToWide(long, even.fill); err != nil {
			return nil, err
		}
		if len(long.Fields) == 3 {
			nameByMetric(wide)
		}
	}
	wide.Meta.Type = frame.TypeTimeSeriesWide
	if even.interval > 0 {
		return transform.Resample(wide, even.fill, roundDown(within.From, even.interval), within.To, even.interval)
	}
	return wide, nil
}

// roundDown rounds as the macros have the database do it: to the earlier time,
// before 1970 too.
func roundDown(t time.Time, to time.Duration) time.Time {
	past := t.UnixNano() % to.Nanoseconds()
	if past < 0 {
		past += to.Nanoseconds()
	}
	return time.Unix(0, t.UnixNano()-past)
}

// longSeries returns the table with its times first and its numbers as float64,
// and a meta of its own.
func longSeries(table *frame.Frame) (*frame.Frame, error) {
	at := slices.IndexFunc(table.Fields, isTime)
	if at < 0 {
		at = slices.IndexFunc(table.Fields, func(f *frame.Field) bool { return f.Type() == frame.Time })
	}
	if at < 0 {
		return nil, errors.New(`it wants a column of times: name one "time", as $__time(column) does`)
	}
	times, err := timesOf(table.Fields[at])
	if err != nil {
		return nil, err
	}
	times.Name = timeName
	long := &frame.Frame{Name: table.Name, Meta: new(*table.Meta), Fields: []*frame.Field{times}}
	for i, field := range table.Fields {
		switch {
		case i == at:
		case field.Type() == frame.Bool || field.Type().Kind() == "number":
			long.Fields = append(long.Fields, floatsOf(field))
		default:
			long.Fields = append(long.Fields, field)
		}
	}
	if !slices.ContainsFunc(long.Fields[1:], func(f *frame.Field) bool { return f.Type() != frame.String }) {
		return nil, errors.New("it wants a column of numbers beside the times")
	}
	return long, nil
}

// timesOf reads a field of times, of numbers that are Unix times, or of texts.
func timesOf(field *frame.Field) (*frame.Field, error) {
	if field.Type() == frame.Time {
		return new(*field), nil
	}
	times := frame.NewFieldOf(field.Name, nil, frame.Time, true)
	times.Grow(field.Len())
	for row := range field.Len() {
		value := field.At(row)
		if value == nil {
			times.AppendNull()
			continue
		}
		var at time.Time
		var err error
		if n, ok := float(value); ok {
			at = epochTime(n)
		} else if at, err = parseTime(fmt.Sprint(value)); err != nil {
			return nil, fmt.Errorf("column %q, row %d: %w", field.Name, row+1, err)
		}
		frame.Append(times, at)
	}
	if err := times.Err(); err != nil {
		return nil, err
	}
	return times, nil
}

func floatsOf(field *frame.Field) *frame.Field {
	if field.Type() == frame.Float64 {
		return field
	}
	floats := frame.NewFieldOf(field.Name, nil, frame.Float64, true)
	floats.Grow(field.Len())
	for row := range field.Len() {
		if n, ok := float(field.At(row)); ok {
			frame.Append(floats, n)
		} else {
			floats.AppendNull()
		}
	}
	return floats
}

func float(value any) (float64, bool) {
	switch v := value.(type) {
	case float64:
		return v, true
	case float32:
		return float64(v), true
	case int8:
		return float64(v), true
	case int16:
		return float64(v), true
	case int32:
		return float64(v), true
	case int64:
		return float64(v), true
	case uint8:
		return float64(v), true
	case uint16:
		return float64(v), true
	case uint32:
		return float64(v), true
	case uint64:
		return float64(v), true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

// nameByMetric names series by their label "metric", where that is the only
// one: as Grafana's SQL sources do since before there were labels.
func nameByMetric(wide *frame.Frame) {
	for _, field := range wide.Fields[1:] {
		if name, ok := field.Labels["metric"]; ok && len(field.Labels) == 1 {
			field.Name, field.Labels = name, nil
		}
	}
}
