package transform

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/frametest"
)

func at(minutes ...int) []time.Time {
	times := make([]time.Time, len(minutes))
	for i, m := range minutes {
		times[i] = time.Date(2024, 1, 1, 0, m, 0, 0, time.UTC)
	}
	return times
}

func weather() *frame.Frame {
	return frame.New("weather",
		frame.NewField("time", nil, at(0, 0, 1, 3)),
		frame.NewField("city", nil, []string{"Seattle", "Oslo", "Seattle", "Oslo"}),
		frame.NewField("high", nil, []float64{12, -3, 11, -4}),
		frame.NewNullableField("days", nil, []*int64{new(int64(1)), new(int64(2)), nil, new(int64(4))}),
	)
}

func TestLongToWide(t *testing.T) {
	for _, test := range []struct {
		fill Fill
		want string
	}{
		{Fill{}, `
days{city="Oslo"} int64?: 2 null 4
days{city="Seattle"} int64?: 1 null null
high{city="Oslo"} float64: -3 0 -4
high{city="Seattle"} float64: 12 11 0`},
		{Fill{Mode: FillNull}, `
days{city="Oslo"} int64?: 2 null 4
days{city="Seattle"} int64?: 1 null null
high{city="Oslo"} float64?: -3 null -4
high{city="Seattle"} float64?: 12 11 null`},
		{Fill{Mode: FillPrevious}, `
days{city="Oslo"} int64?: 2 2 4
days{city="Seattle"} int64?: 1 null null
high{city="Oslo"} float64?: -3 -3 -4
high{city="Seattle"} float64?: 12 11 11`},
		{Fill{Mode: FillValue, Value: 7.5}, `
days{city="Oslo"} int64?: 2 7 4
days{city="Seattle"} int64?: 1 null 7
high{city="Oslo"} float64: -3 7.5 -4
high{city="Seattle"} float64: 12 11 7.5`},
	} {
		wide, err := LongToWide(weather(), test.fill)
		if err != nil {
			t.Errorf("%+v: %v", test.fill, err)
		} else if got := show(wide); got != "time time.Time: 0 1 3"+test.want {
			t.Errorf("%+v: got\n%s\nwant%s", test.fill, got, test.want)
		} else if wide.Meta.Type != frame.TypeTimeSeriesWide || wide.Meta.TypeVersion != [2]uint{0, 1} {
			t.Errorf("meta %+v", wide.Meta)
		}
	}
}

func TestLongToWideFaults(t *testing.T) {
	one := frame.NewField("v", nil, []float64{1})
	text := frame.NewField("s", nil, []string{""})
	for want, long := range map[string]*frame.Frame{
		"no field of times":       frame.New("", text, one),
		"no field of values":      frame.New("", frame.NewField("t", nil, at(0)), text),
		"the frame is wide":       frame.New("", frame.NewField("t", nil, at(0)), one),
		"the frame has no rows":   frame.New("", frame.NewField("t", nil, at()), frame.NewField("s", nil, []string{}), frame.NewField("v", nil, []int8{})),
		"row 0 has no time":       frame.New("", frame.NewNullableField("t", nil, []*time.Time{nil}), text, one),
		`two fields "s"`:          frame.New("", frame.NewField("t", nil, at(0)), text, text, one),
		"row 1 is before the row": frame.New("", frame.NewField("t", nil, at(1, 0)), frame.NewField("s", nil, []string{"", ""}), frame.NewField("v", nil, []int8{1, 2})),
		`field "v"`:               frame.New("", frame.NewField("t", nil, at(0, 0)), frame.NewField("s", nil, []string{"", ""}), one),
	} {
		_, err := LongToWide(long, Fill{})
		if err == nil || !strings.HasPrefix(err.Error(), "long to wide: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// TestTooLarge has a series and a time of its own in each row.
func TestTooLarge(t *testing.T) {
	const rows = 10_000
	times, names := make([]time.Time, rows), make([]string, rows)
	for i := range rows {
		times[i], names[i] = time.Unix(int64(i), 0), fmt.Sprint(i)
	}
	long := frame.New("", frame.NewField("t", nil, times), frame.NewField("s", nil, names), frame.NewField("v", nil, make([]int8, rows)))
	if _, err := LongToWide(long, Fill{}); err == nil || !strings.Contains(err.Error(), "10000 rows of 10000 fields are more than") {
		t.Errorf("long to wide: error %v", err)
	}
	wide := frame.New("", frame.NewField("t", nil, at(0)), frame.NewField("v", nil, []int8{1}))
	for _, to := range []time.Time{times[rows-1], time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if _, err := Resample(wide, Fill{}, times[0], to, time.Microsecond); err == nil || !strings.Contains(err.Error(), "more than") {
			t.Errorf("resample: error %v", err)
		}
	}
}

func TestWideToLong(t *testing.T) {
	wide := frame.New("w",
		frame.NewField("time", nil, at(0, 1)),
		frame.NewField("high", frame.Labels{"city": "Seattle"}, []float64{12, 11}),
		frame.NewField("high", frame.Labels{"city": "Oslo", "kind": "snow"}, []float64{-3, -4}),
		frame.NewNullableField("days", frame.Labels{"city": "Seattle"}, []*int64{nil, new(int64(2))}),
	)
	long, err := WideToLong(wide)
	if err != nil {
		t.Fatal(err)
	}
	want := `time time.Time: 0 0 1 1
days int64?: null null null 2
high float64: -3 12 -4 11
city string: Oslo Seattle Oslo Seattle
kind string: snow  snow `
	if got := show(long); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if long.Meta.Type != frame.TypeTimeSeriesLong {
		t.Errorf("meta %+v", long.Meta)
	}
}

func TestWideToLongFaults(t *testing.T) {
	time0 := frame.NewField("t", nil, at(0))
	for want, wide := range map[string]*frame.Frame{
		"the frame is not wide":            weather(),
		"the frame has no rows":            frame.New("", frame.NewField("t", nil, at()), frame.NewField("v", nil, []int8{})),
		"a row has no time":                frame.New("", frame.NewNullableField("t", nil, []*time.Time{nil}), frame.NewField("v", nil, []int8{1})),
		"hold int8 and nullable int8":      frame.New("", time0, frame.NewField("v", nil, []int8{1}), frame.NewNullableField("v", nil, []*int8{nil})),
		`fields named "v" hold int8 and i`: frame.New("", time0, frame.NewField("v", nil, []int8{1}), frame.NewField("v", nil, []int16{1})),
	} {
		if _, err := WideToLong(wide); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestResample(t *testing.T) {
	wide := frame.New("w",
		frame.NewField("time", nil, at(0, 2, 3, 4, 9)),
		frame.NewField("v", nil, []int64{1, 2, 3, 4, 5}),
	)
	minute := at(1, 10)
	for _, test := range []struct {
		fill Fill
		want string
	}{
		{Fill{}, "v int64?: 1 3 4 null 5"},
		{Fill{Mode: FillNull}, "v int64?: 1 3 4 null 5"},
		{Fill{Mode: FillPrevious}, "v int64: 1 3 4 4 5"},
		{Fill{Mode: FillValue, Value: -1}, "v int64: 1 3 4 -1 5"},
	} {
		even, err := Resample(wide, test.fill, minute[0], minute[1], 2*time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if got := show(even); got != "time time.Time: 1 3 5 7 9\n"+test.want {
			t.Errorf("%+v: got\n%s\nwant %s", test.fill, got, test.want)
		}
	}
	if _, err := Resample(wide, Fill{}, minute[0], minute[1], 0); err == nil {
		t.Error("no interval: no error")
	}
	if even, err := Resample(wide, Fill{}, minute[1], minute[0], time.Minute); err != nil || even.Rows() != 0 {
		t.Errorf("a range that ends before it begins: %v", err)
	}
}

func TestInTimeOrder(t *testing.T) {
	times := at(2, 0, 0, 1)
	f := frame.New("f",
		frame.NewNullableField("time", nil, []*time.Time{&times[0], nil, &times[1], &times[3], &times[2]}),
		frame.NewField("v", nil, []int64{1, 2, 3, 4, 5}),
	)
	ordered, without, err := InTimeOrder(f)
	if err != nil || without != 1 {
		t.Fatalf("%d rows left out, error %v", without, err)
	}
	if got, want := show(ordered), "time time.Time?: 0 0 1 2\nv int64: 3 5 4 1"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if again, _, err := InTimeOrder(ordered); err != nil || again != ordered {
		t.Errorf("a frame in order was copied, error %v", err)
	}
}

// TestInputsStay checks that a transform changes nothing of what it is given,
// and that changing its result does not either.
func TestInputsStay(t *testing.T) {
	long := weather()
	long.Meta = &frame.Meta{Channel: "c", Type: frame.TypeTable}
	wide, err := LongToWide(long, Fill{Mode: FillNull})
	if err != nil {
		t.Fatal(err)
	}
	want := weather()
	want.Meta = &frame.Meta{Channel: "c", Type: frame.TypeTable}
	wide.Meta.Channel = "changed"
	frame.Append(wide.Fields[1], int64(99))
	frametest.Equal(t, long, want)
}

// TestTurns checks that series are told apart when they take turns and when
// they do not.
func TestTurns(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const rows = 1000
	names := []string{"", "a", "b", "ab", "c"}
	a, b := make([]string, rows), make([]string, rows)
	for i := range rows {
		a[i], b[i] = names[rng.IntN(len(names))], names[i%len(names)]
	}
	fs := factors{frame.NewField("a", nil, a), frame.NewField("b", nil, b)}
	first, of := fs.series(rows)
	if len(first) != len(names)*len(names) {
		t.Errorf("%d series", len(first))
	}
	for row, s := range of {
		if a[first[s]] != a[row] || b[first[s]] != b[row] {
			t.Fatalf("row %d: series of row %d", row, first[s])
		}
	}
}

// show prints a frame's columns as "name{labels} type: values", times in
// minutes.
func show(f *frame.Frame) string {
	var lines []string
	for _, field := range f.Fields {
		line := field.Name
		if len(field.Labels) > 0 {
			line += strings.ReplaceAll(fmt.Sprintf("{%v}", field.Labels), "map[", "")
			line = strings.ReplaceAll(strings.ReplaceAll(line, "]}", `"}`), "city:", `city="`)
		}
		line += " " + field.Type().String()
		if field.Nullable() {
			line += "?"
		}
		line += ":"
		for i := range field.Len() {
			switch v := field.At(i).(type) {
			case nil:
				line += " null"
			case time.Time:
				line += fmt.Sprintf(" %d", v.Minute())
			default:
				line += fmt.Sprintf(" %v", v)
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
