package transform

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/plugboard/plugboard/frame"
)

// LongToWide returns a wide frame of a long one, whose rows must be in the
// order of time; InTimeOrder makes it so. Each of the long frame's values
// becomes a field for each combination of factors, which become its labels: a
// null text is "", a null bool false. The fields are in the order of their
// names, then of their labels' values, as the factors are in the long frame.
// Of two rows with one time and the same factors the later one wins.
//
// It is an error if the frame is not long, has no rows, or lacks a time.
func LongToWide(long *frame.Frame, fill Fill) (*frame.Frame, error) {
	wide, err := longToWide(long, fill)
	if err != nil {
		return nil, fmt.Errorf("long to wide: %w", err)
	}
	return wide, nil
}

func longToWide(long *frame.Frame, fill Fill) (*frame.Frame, error) {
	s, err := schemaOf(long)
	if err != nil {
		return nil, err
	}
	factors, err := factorsOf(long, s)
	if err != nil {
		return nil, err
	}
	times, step, err := steps(long.Fields[s.time])
	if err != nil {
		return nil, err
	}
	series, of := factors.series(long.Rows())
	if err := checkSize(len(times), len(series)*len(s.values)); err != nil {
		return nil, err
	}
	rows := placed(step, of, len(times), len(series))
	if fill.Mode == FillPrevious {
		for i := range series {
			carry(rows[i*len(times) : (i+1)*len(times)])
		}
	}

	wide := &frame.Frame{Name: long.Name, RefID: long.RefID, Meta: metaOf(long, frame.TypeTimeSeriesWide)}
	wide.Meta.TypeVersion = [2]uint{0, 1}
	wide.Fields = append(wide.Fields, frame.NewField(long.Fields[s.time].Name, nil, times))
	for _, p := range factors.ordered(long, s, series) {
		value := long.Fields[p.value]
		nullable := value.Nullable() || fill.Mode == FillPrevious || fill.Mode == FillNull
		field := frame.NewFieldOf(value.Name, factors.labels(series[p.series]), value.Type(), nullable)
		gather(field, []*frame.Field{value}, rows[p.series*len(times):(p.series+1)*len(times)], fill)
		wide.Fields = append(wide.Fields, field)
	}
	return wide, nil
}

// steps returns the distinct times, and for each row which of them is its.
func steps(field *frame.Field) (times []time.Time, step []int32, err error) {
	if field.Len() == 0 {
		return nil, nil, errors.New("the frame has no rows")
	}
	step = make([]int32, field.Len())
	column := frame.Slice[int64](field)
	for row, at := range column {
		switch {
		case field.IsNull(row):
			return nil, nil, fmt.Errorf("row %d has no time", row)
		case row == 0 || at > column[row-1]:
			times = append(times, time.Unix(0, at).UTC())
		case at < column[row-1]:
			return nil, nil, fmt.Errorf("row %d is before the row above it: the times must ascend", row)
		}
		step[row] = int32(len(times) - 1)
	}
	return times, step, nil
}

// placed returns, series after series, the long row that belongs to each time,
// -1 where there is none.
func placed(step, series []int32, times, count int) []int32 {
	rows := make([]int32, times*count)
	for i := range rows {
		rows[i] = -1
	}
	for row, s := range series {
		rows[int(s)*times+int(step[row])] = int32(row)
	}
	return rows
}

// carry puts the row before where there is none.
func carry(rows []int32) {
	for i := 1; i < len(rows); i++ {
		if rows[i] < 0 {
			rows[i] = rows[i-1]
		}
	}
}

// factors are the columns that tell series apart.
type factors []*frame.Field

func factorsOf(long *frame.Frame, s schema) (factors, error) {
	if len(s.factors) == 0 {
		return nil, errors.New("no field of text or bools tells series apart: the frame is wide already")
	}
	var fs factors
	for _, i := range s.factors {
		field := long.Fields[i]
		if slices.ContainsFunc(fs, func(other *frame.Field) bool { return other.Name == field.Name }) {
			return nil, fmt.Errorf("two fields %q of text or bools would be one label", field.Name)
		}
		fs = append(fs, field)
	}
	return fs, nil
}

// text returns a factor of a row as its label has it.
func text(factor *frame.Field, row int) string {
	if factor.Type() == frame.Bool {
		v, _ := frame.Value[bool](factor, row)
		return strconv.FormatBool(v)
	}
	v, _ := frame.Value[string](factor, row)
	return v
}

// series returns the series in the order they come, each by its first row, and
// for each row which of them it belongs to.
//
// Series mostly take turns. So a row is first compared with the series that
// came after that of the row above the last time; only if that fails is it
// looked up.
func (fs factors) series(rows int) (first []int, of []int32) {
	known := map[string]int32{}
	of = make([]int32, rows)
	var next []int32 // by series: the one that came after it, -1 at first
	var key []byte
	for row := range rows {
		if row > 0 {
			if guess := next[of[row-1]]; guess >= 0 && fs.same(first[guess], row) {
				of[row] = guess
				continue
			}
		}
		key = fs.appendKey(key[:0], row)
		s, ok := known[string(key)]
		if !ok {
			s = int32(len(first))
			known[string(key)] = s
			first, next = append(first, row), append(next, -1)
		}
		of[row] = s
		if row > 0 {
			next[of[row-1]] = s
		}
	}
	return first, of
}

// same tells whether two rows belong to one series.
func (fs factors) same(a, b int) bool {
	for _, factor := range fs {
		if text(factor, a) != text(factor, b) {
			return false
		}
	}
	return true
}

// appendKey appends what is the same for the rows of a series, and only there.
func (fs factors) appendKey(key []byte, row int) []byte {
	for _, factor := range fs {
		v := text(factor, row)
		key = binary.AppendUvarint(key, uint64(len(v)))
		key = append(key, v...)
	}
	return key
}

func (fs factors) labels(row int) frame.Labels {
	labels := make(frame.Labels, len(fs))
	for _, factor := range fs {
		labels[factor.Name] = text(factor, row)
	}
	return labels
}

// point is a field of the wide frame: a value, by its index in the long frame,
// of a series.
type point struct{ value, series int }

// ordered returns the fields of the wide frame in their order.
func (fs factors) ordered(long *frame.Frame, s schema, series []int) []point {
	var points []point
	for i := range series {
		for _, value := range s.values {
			points = append(points, point{value, i})
		}
	}
	slices.SortStableFunc(points, func(a, b point) int {
		c := cmp.Compare(long.Fields[a.value].Name, long.Fields[b.value].Name)
		for i := 0; c == 0 && i < len(fs); i++ {
			c = cmp.Compare(text(fs[i], series[a.series]), text(fs[i], series[b.series]))
		}
		return c
	})
	return points
}
