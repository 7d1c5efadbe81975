package testsource

import (
	"context"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

// The most that a query may ask for: beyond it, one query would fill memory.
const (
	maxSeries = 1000
	maxCells  = 20_000_000
)

// randomWalk returns series that go up and down by chance over the time range.
func randomWalk(_ context.Context, q plugin.Query[model]) (*frame.Frame, error) {
	series := q.Model.SeriesCount
	if series == 0 {
		series = 1
	}
	if series < 0 || series > maxSeries {
		return nil, plugin.BadRequest("query: seriesCount is %d, not 1 to %d", series, maxSeries)
	}
	times := steps(q)
	walk := frame.New("random walk", frame.NewField("time", nil, times))
	walk.Meta = &frame.Meta{Type: frame.TypeTimeSeriesWide, TypeVersion: [2]uint{0, 1}}
	for i := range series {
		values := make([]float64, len(times))
		at := 100 * rand.Float64()
		for row := range values {
			at += rand.Float64() - 0.5
			values[row] = at
		}
		walk.Fields = append(walk.Fields, frame.NewField("value", frame.Labels{"series": strconv.Itoa(i + 1)}, values))
	}
	return walk, nil
}

// steps are the times that a query wants points at: its interval apart, and
// not more than it asks for.
func steps(q plugin.Query[model]) []time.Time {
	span := q.TimeRange.To.Sub(q.TimeRange.From)
	points := min(max(q.MaxDataPoints, 1), maxCells/maxSeries)
	step := max(q.Interval, time.Millisecond, (span+time.Duration(points)-1)/time.Duration(points))
	times := []time.Time{}
	for at := q.TimeRange.From; at.Before(q.TimeRange.To); at = at.Add(step) {
		times = append(times, at)
	}
	return times
}

// table returns waves as a table of any size.
func table(_ context.Context, q plugin.Query[model]) (*frame.Frame, error) {
	rows, columns := q.Model.Rows, q.Model.Columns
	if rows == 0 {
		rows = 100
	}
	if columns == 0 {
		columns = 5
	}
	if rows < 0 || columns < 0 || rows > maxCells/columns {
		return nil, plugin.BadRequest("query: a table of %d rows and %d columns is not one of 1 to %d cells", rows, columns, maxCells)
	}
	times := make([]time.Time, rows)
	for row := range times {
		times[row] = q.TimeRange.From.Add(time.Duration(row) * time.Second)
	}
	waves := frame.New("table", frame.NewField("time", nil, times))
	for column := range columns - 1 {
		values := make([]float64, rows)
		for row := range values {
			values[row] = 100 * math.Sin(float64(row+column)/10)
		}
		waves.Fields = append(waves.Fields, frame.NewField("wave"+strconv.Itoa(column+1), nil, values))
	}
	return waves, nil
}
