package sql

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plugboard/plugboard/frame"
)

// timeSeries turns a table with a time column into wide time series: one row a
// point in time, one field for each column of values and each combination of
// texts, which become its labels. The times come out in order.
func timeSeries(table *frame.Frame) (*frame.Frame, error) {
	at, times, err := timeColumn(table)
	if err != nil {
		return nil, err
	}
	steps, rowOf := distinct(times)
	wide := frame.New(table.Name, frame.NewField("time", nil, steps))
	wide.Meta = &frame.Meta{Type: frame.TypeTimeSeriesWide, TypeVersion: [2]uint{0, 1}}

	var values, texts []*frame.Field
	for i, field := range table.Fields {
		switch {
		case i == at:
		case field.Type() == frame.String:
			texts = append(texts, field)
		default:
			values = append(values, field)
		}
	}
	for _, group := range groups(texts, times) {
		for _, value := range values {
			wide.Fields = append(wide.Fields, scatter(value, group, times, rowOf, len(steps)))
		}
	}
	if missing := nullTimes(times); missing > 0 {
		wide.Meta.Notices = append(wide.Meta.Notices, frame.Notice{
			Severity: frame.Warning,
			Text:     fmt.Sprintf("%d rows without a time were left out", missing),
		})
	}
	return wide, nil
}

// timeColumn finds the column named "time", or else the first of times, and
// returns its values, nil where it is null.
func timeColumn(table *frame.Frame) (at int, times []*time.Time, err error) {
	at = slices.IndexFunc(table.Fields, func(f *frame.Field) bool { return strings.EqualFold(f.Name, "time") })
	if at < 0 {
		at = slices.IndexFunc(table.Fields, func(f *frame.Field) bool { return f.Type() == frame.Time })
	}
	if at < 0 {
		return 0, nil, errors.New(`format time_series wants a column of times: name one "time", as $__time(column) does`)
	}
	field := table.Fields[at]
	times = make([]*time.Time, field.Len())
	for i := range times {
		value := field.At(i)
		if value == nil {
			continue
		}
		t, err := asTime(value)
		if err != nil {
			return 0, nil, fmt.Errorf("column %q, row %d: %w", field.Name, i+1, err)
		}
		times[i] = &t
	}
	return at, times, nil
}

// timeTexts are the spellings of times that SQLite's own functions read.
var timeTexts = []string{
	time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999",
	time.DateTime + ".999999999", "2006-01-02 15:04", "2006-01-02T15:04", time.DateOnly,
}

func asTime(value any) (time.Time, error) {
	switch v := value.(type) {
	case time.Time:
		return v, nil
	case int64:
		return epochTime(float64(v)), nil
	case float64:
		return epochTime(v), nil
	}
	for _, layout := range timeTexts {
		if t, err := time.Parse(layout, fmt.Sprint(value)); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time", fmt.Sprint(value))
}

// distinct returns the times in order, each once, and the place of each.
func distinct(times []*time.Time) ([]time.Time, map[int64]int) {
	steps := []time.Time{}
	for _, t := range times {
		if t != nil {
			steps = append(steps, *t)
		}
	}
	slices.SortFunc(steps, time.Time.Compare)
	steps = slices.CompactFunc(steps, time.Time.Equal)
	place := make(map[int64]int, len(steps))
	for i, t := range steps {
		place[t.UnixNano()] = i
	}
	return steps, place
}

// group is the rows that have the same texts.
type group struct {
	labels frame.Labels
	rows   []int
}

// groups returns the rows with a time by their texts, first come first.
func groups(texts []*frame.Field, times []*time.Time) []*group {
	if len(texts) == 0 {
		all := &group{}
		for row := range times {
			all.rows = append(all.rows, row)
		}
		return []*group{all}
	}
	var found []*group
	byKey := map[string]*group{}
	for row, t := range times {
		if t == nil {
			continue
		}
		key, labels := labelsOf(texts, row)
		if byKey[key] == nil {
			byKey[key] = &group{labels: labels}
			found = append(found, byKey[key])
		}
		byKey[key].rows = append(byKey[key].rows, row)
	}
	return found
}

// labelsOf returns the texts of a row; a null is no label.
func labelsOf(texts []*frame.Field, row int) (key string, labels frame.Labels) {
	labels = frame.Labels{}
	var b strings.Builder
	for _, field := range texts {
		text, ok := frame.Value[string](field, row)
		fmt.Fprintf(&b, "%t %q ", ok, text)
		if ok {
			labels[field.Name] = text
		}
	}
	return b.String(), labels
}

// scatter puts the values of a group's rows where their times stand. Of two
// rows with one time the later wins.
func scatter(value *frame.Field, g *group, times []*time.Time, place map[int64]int, steps int) *frame.Field {
	rows := make([]int, steps) // the row that goes to each step, counted from 1
	for _, row := range g.rows {
		if times[row] != nil {
			rows[place[times[row].UnixNano()]] = row + 1
		}
	}
	field := frame.NewFieldOf(value.Name, g.labels, value.Type(), true)
	for _, row := range rows {
		if row == 0 || value.IsNull(row-1) {
			field.AppendNull()
		} else {
			appendAs(field, value.At(row-1))
		}
	}
	return field
}

func nullTimes(times []*time.Time) (n int) {
	for _, t := range times {
		if t == nil {
			n++
		}
	}
	return n
}
