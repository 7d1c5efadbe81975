package sqlframe

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

// NextResultSet goes on with the table that follows.
func (c *cursor) NextResultSet() error {
	if !c.HasNextResultSet() {
		return io.EOF
	}
	c.table, c.row = c.next, 0
	return nil
}

func (c *cursor) HasNextResultSet() bool { return c.next != nil }

func TestResultSets(t *testing.T) {
	first, empty, last := oneColumn("INT4", int64(1)), &table{}, oneColumn("TEXT", "a", "b")
	first.next, empty.next = empty, last
	answer, executed, err := Reader{}.Query(t.Context(), first.open(t), Query{SQL: "CALL both()"})
	if err != nil || len(answer) != 2 {
		t.Fatalf("%d frames, %v", len(answer), err)
	}
	if a, b := answer[0], answer[1]; a.Rows() != 1 || a.Name != "" || a.Meta.ExecutedQueryString != executed ||
		b.Rows() != 2 || b.Name != "result 2" || b.Meta.ExecutedQueryString != "" {
		t.Errorf("%+v and %+v", a, b)
	}
	none, _, err := Reader{}.Query(t.Context(), (&table{}).open(t), Query{SQL: "SET x = 1"})
	if err != nil || len(none) != 1 || len(none[0].Fields) != 0 || none[0].Meta.ExecutedQueryString != "SET x = 1" {
		t.Errorf("a statement without rows: %v, %v", none, err)
	}
}

func TestSharedNames(t *testing.T) {
	twice := &table{names: []string{"id", "id"}, types: []string{"INT4", "TEXT"}, cells: [][]driver.Value{{int64(1), "one"}}}
	got, err := read(t, Reader{}, twice)
	if err != nil || got.Fields[0].At(0) != int32(1) || got.Fields[1].At(0) != "one" || got.Fields[1].Name != "id" {
		t.Errorf("%v, %v", got, err)
	}
	encoded, err := got.MarshalArrow()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := frame.UnmarshalArrow(encoded); err != nil || len(again.Fields) != 2 {
		t.Errorf("%v, %v", again, err)
	}
}

// TestQueryChunks checks that no row is lost or read early between pieces.
func TestQueryChunks(t *testing.T) {
	for _, rows := range []int{0, 1, pieceRows, pieceRows + 1, 3*pieceRows - 1} {
		from := &table{names: []string{"n"}, types: []string{"INT8"}}
		for i := range rows {
			from.cells = append(from.cells, []driver.Value{int64(i)})
		}
		next, pieces := int64(0), 0
		executed, err := Reader{}.QueryChunks(t.Context(), from.open(t), Query{SQL: "SELECT n"}, func(f *frame.Frame) error {
			for i := range f.Rows() {
				if got := f.Fields[0].At(i); got != next {
					t.Fatalf("row %d is %v", next, got)
				}
				next++
			}
			if pieces++; (f.Meta.ExecutedQueryString == "SELECT n") != (pieces == 1) || f.Rows() > pieceRows {
				t.Errorf("piece %d of %d rows: %+v", pieces, f.Rows(), f.Meta)
			}
			return nil
		})
		if want := max(1, (rows+pieceRows-1)/pieceRows); err != nil || executed != "SELECT n" || next != int64(rows) || pieces != want {
			t.Errorf("%d rows: %d in %d pieces, want %d; %q, %v", rows, next, pieces, want, executed, err)
		}
	}
}

// TestQueryChunksStops checks that an error of send ends the reading.
func TestQueryChunksStops(t *testing.T) {
	full := errors.New("no more, please")
	from := oneColumn("INT8", int64(1))
	from.repeat = 10 * pieceRows
	from.onRow = func(row int) {
		if row > pieceRows+1 {
			t.Fatal("read on")
		}
	}
	_, err := Reader{}.QueryChunks(t.Context(), from.open(t), Query{}, func(*frame.Frame) error { return full })
	if !errors.Is(err, full) {
		t.Error(err)
	}
}

// TestQueryChunksWidens: a column of SQLite whose values change their type
// between pieces does not change back.
func TestQueryChunksWidens(t *testing.T) {
	from := &table{names: []string{"v"}, types: []string{""}}
	for i := range 3 * pieceRows {
		value := driver.Value(int64(i))
		if i == pieceRows+1 {
			value = 0.5
		}
		from.cells = append(from.cells, []driver.Value{value})
	}
	var types []string
	_, err := Reader{Dialect: SQLite}.QueryChunks(t.Context(), from.open(t), Query{}, func(f *frame.Frame) error {
		types = append(types, f.Fields[0].Type().String())
		return nil
	})
	if got := strings.Join(types, " "); err != nil || got != "int64 float64 float64" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestQueryChunksOfSeries(t *testing.T) {
	from := &table{names: []string{"time", "host", "v"}, types: []string{"INT8", "TEXT", "INT8"}}
	for i := range 2 * pieceRows {
		from.cells = append(from.cells, []driver.Value{int64(i / 2), fmt.Sprint("h", i%2), int64(i)})
	}
	pieces := 0
	_, err := Reader{}.QueryChunks(t.Context(), from.open(t), Query{Format: TimeSeries}, func(f *frame.Frame) error {
		if pieces++; f.Rows() != pieceRows || len(f.Fields) != 3 {
			t.Errorf("%d rows, %d fields", f.Rows(), len(f.Fields))
		}
		return nil
	})
	if err != nil || pieces != 1 {
		t.Errorf("%d pieces, %v", pieces, err)
	}
}

// TestGridBefore1970: the grid that is filled is the one that SQL rounds to.
func TestGridBefore1970(t *testing.T) {
	from := &table{
		names: []string{"time", "v"}, types: []string{"INT8", "INT8"},
		cells: [][]driver.Value{{int64(-600), int64(1)}, {int64(0), int64(2)}},
	}
	answer, _ := query(t, from, Query{
		SQL: "$__timeGroup(at, 5m, NULL)", Format: TimeSeries,
		TimeRange: plugin.TimeRange{From: time.Unix(-450, 0), To: time.Unix(0, 0)},
	})
	var got []int64
	for i := range answer.Rows() {
		at, _ := frame.Value[time.Time](answer.Fields[0], i)
		got = append(got, at.Unix())
	}
	if want := []int64{-600, -300, 0}; !reflect.DeepEqual(got, want) {
		t.Errorf("times %v, want %v", got, want)
	}
}
