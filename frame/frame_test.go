package frame_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/frametest"
)

func TestValidateSaysEverything(t *testing.T) {
	f := frame.New("f",
		frame.NewField("a", nil, []int64{1, 2}),
		frame.NewField("b", nil, []string{"x"}),
		nil,
		&frame.Field{Name: "d"},
		frame.NewField("e", nil, []time.Time{{}, {}}),
	)
	err := f.Validate()
	for _, want := range []string{
		`frame "f": `,
		`field "b" has 1 rows, the first field 2`,
		`field 2 is nil`,
		`field "d" has no type`,
		`field "e": row 0: time 0001-01-01T00:00:00Z is outside 1677-09-21T00:12:43Z .. 2262-04-11T23:47:16Z`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
	if _, marshalErr := f.MarshalArrow(); marshalErr == nil || marshalErr.Error() != err.Error() {
		t.Errorf("MarshalArrow: %v, want %v", marshalErr, err)
	}
}

func TestTimesOutOfRange(t *testing.T) {
	for _, ns := range []int64{math.MinInt64, math.MinInt64 + 1e9, -1, 0, math.MaxInt64 - 1e9, math.MaxInt64} {
		f := frame.NewField("t", nil, []time.Time{time.Unix(0, ns)})
		if f.Err() != nil || frame.Slice[int64](f)[0] != ns {
			t.Errorf("%d: %v, %v", ns, f.Err(), frame.Slice[int64](f))
		}
	}
	for _, bad := range []time.Time{time.Unix(0, math.MinInt64).Add(-1), time.Unix(0, math.MaxInt64).Add(1), {}} {
		f := frame.NewFieldOf("t", nil, frame.Time, true)
		frame.Append(f, time.Unix(0, 0))
		f.AppendNull()
		frame.Append(f, bad)
		if f.Err() == nil || !strings.Contains(f.Err().Error(), `field "t": row 2: time `) {
			t.Errorf("%v: %v", bad, f.Err())
		}
	}
}

// TestAppendIsNew builds every kind of field twice: at once, and cell by cell.
func TestAppendIsNew(t *testing.T) {
	for rows := range 20 {
		all := frametest.Random(rand.New(rand.NewPCG(uint64(rows), 0)), rows)
		built := &frame.Frame{Name: all.Name, RefID: all.RefID, Meta: all.Meta}
		for _, f := range all.Fields {
			copied := frame.NewFieldOf(f.Name, f.Labels, f.Type(), f.Nullable())
			copied.Config = f.Config
			for i := range f.Len() {
				appendCell(copied, f, i)
			}
			built.Fields = append(built.Fields, copied)
		}
		frametest.Equal(t, built, all)
	}
}

func TestReading(t *testing.T) {
	f := frame.NewNullableField("n", nil, []*float64{new(1.5), nil, new(2.5)})
	if f.Len() != 3 || f.Nulls() != 1 || !f.IsNull(1) || f.IsNull(2) || f.At(1) != nil || f.At(2) != 2.5 {
		t.Errorf("%v nulls of %v, at 2 %v", f.Nulls(), f.Len(), f.At(2))
	}
	var rows []int
	for i, v := range frame.Values[float64](f) {
		if rows = append(rows, i); v != f.At(i) {
			t.Errorf("row %d: %v", i, v)
		}
	}
	if !slices.Equal(rows, []int{0, 2}) {
		t.Errorf("rows %v", rows)
	}
	if v, ok := frame.Value[float64](f, 1); ok {
		t.Errorf("row 1: %v", v)
	}
	if frame.New("", f).Field("n") != f || frame.New("", f).Field("m") != nil {
		t.Error("Field does not find by name")
	}
}

func TestNumbersAreAdopted(t *testing.T) {
	values := make([]float64, 2, 10)
	f := frame.NewField("v", nil, values)
	if values[0] = 7; f.At(0) != 7.0 {
		t.Error("the slice was copied")
	}
	frame.Append(f, 9.0)
	if values[:3][2] == 9 {
		t.Error("Append wrote behind the end of the adopted slice")
	}
	if s := frame.Slice[float64](f); cap(s) != len(s) {
		t.Error("a Slice can be appended to in place")
	}
}

func TestMisusePanics(t *testing.T) {
	f := frame.NewField("x", nil, []int64{1})
	for want, misuse := range map[string]func(){
		`frame: Append: field "x" holds int64, not int32`: func() { frame.Append(f, int32(1)) },
		`frame: Slice: field "x" holds int64, not enum`:   func() { frame.Slice[frame.Enum](f) },
		`frame: Values: field "x" holds int64, not bool`:  func() { frame.Values[bool](f) },
		`frame: Value: field "x" holds int64, not string`: func() { frame.Value[string](f, 0) },
		`frame: AppendNull: field "x" is not nullable`:    func() { f.AppendNull() },
		`frame: field "y": no such type: 99`:              func() { frame.NewFieldOf("y", nil, 99, false) },
	} {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("got %v, want %s", got, want)
				}
			}()
			misuse()
		}()
	}
}

// TestValuesOfNullable finds the rows with a value in columns of any length,
// behind which the bitmap goes on.
func TestValuesOfNullable(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 30))
	all := frame.NewFieldOf("v", nil, frame.Int32, true)
	for i := range 300 {
		if rng.IntN(3) == 0 {
			all.AppendNull()
		} else {
			frame.Append(all, int32(i))
		}
	}
	for from := range 20 {
		for to := from; to <= all.Len(); to++ {
			part, next := frame.New("", all).SliceRows(from, to).Fields[0], 0
			for i, v := range frame.Values[int32](part) {
				for ; next < i; next++ {
					if !part.IsNull(next) {
						t.Fatalf("rows %d to %d: row %d is left out", from, to, next)
					}
				}
				if part.IsNull(i) || v != int32(from+i) {
					t.Fatalf("rows %d to %d: row %d is %d", from, to, i, v)
				}
				if next++; i == 250 {
					break
				}
			}
			if nulls := countNulls(part); nulls != part.Nulls() {
				t.Fatalf("rows %d to %d: %d nulls, counted %d", from, to, nulls, part.Nulls())
			}
		}
	}
}

func countNulls(f *frame.Field) (n int) {
	for i := range f.Len() {
		if f.IsNull(i) {
			n++
		}
	}
	return n
}
