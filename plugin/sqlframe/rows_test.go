package sqlframe

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/frametest"
	"github.com/plugboard/plugboard/plugin"
)

// table is a database that answers every query with itself.
type table struct {
	names, types []string
	cells        [][]driver.Value
	repeat       int // how often the rows come, at least once
	asked        string
	next         *table        // result set
	onRow        func(row int) // may be nil
}

func (t *table) Connect(context.Context) (driver.Conn, error) { return t, nil }
func (t *table) Driver() driver.Driver                        { return nil }
func (t *table) Prepare(string) (driver.Stmt, error)          { return nil, errors.New("not here") }
func (t *table) Close() error                                 { return nil }
func (t *table) Begin() (driver.Tx, error)                    { return nil, errors.New("not here") }

func (t *table) QueryContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	if t.asked = query; query == "refused" {
		return nil, errors.New("refused")
	}
	return &cursor{table: t}, nil
}

// cursor is one answer.
type cursor struct {
	*table
	row int
}

func (c *cursor) Columns() []string                       { return c.names }
func (c *cursor) Close() error                            { return nil }
func (c *cursor) ColumnTypeDatabaseTypeName(i int) string { return c.types[i] }
func (c *cursor) ColumnTypeScanType(i int) reflect.Type {
	for _, row := range c.cells {
		if i < len(row) && row[i] != nil {
			return reflect.TypeOf(row[i])
		}
	}
	return reflect.TypeFor[string]()
}

func (c *cursor) Next(to []driver.Value) error {
	if c.row == max(1, c.repeat)*len(c.cells) {
		return io.EOF
	}
	copy(to, c.cells[c.row%len(c.cells)])
	if c.row++; c.onRow != nil {
		c.onRow(c.row)
	}
	return nil
}

// open returns the table as a database.
func (t *table) open(tb testing.TB) *sql.DB {
	db := sql.OpenDB(t)
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

// oneColumn is a table of one column of one type.
func oneColumn(of string, values ...driver.Value) *table {
	t := &table{names: []string{"c"}, types: []string{of}}
	for _, value := range values {
		t.cells = append(t.cells, []driver.Value{value})
	}
	return t
}

func read(t *testing.T, r Reader, from *table) (*frame.Frame, error) {
	t.Helper()
	rows, err := from.open(t).Query("")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	tables, err := r.Read(rows)
	if err != nil {
		return nil, err
	}
	return tables[0], nil
}

// query is the one frame that a query is answered with.
func query(t *testing.T, from *table, q Query) (*frame.Frame, string) {
	t.Helper()
	answer, executed, err := Reader{}.Query(t.Context(), from.open(t), q)
	if err != nil || len(answer) != 1 {
		t.Fatalf("%d frames, error %v", len(answer), err)
	}
	return answer[0], executed
}

// TestTypes reads what drivers return for the types of their databases. What
// the real drivers return, the tests of the bundled sql plugin read.
func TestTypes(t *testing.T) {
	at := time.Date(2012, 1, 2, 3, 4, 5, 6000, time.UTC)
	for _, test := range []struct {
		dialect Dialect
		of      string
		value   driver.Value
		want    any
	}{
		{PostgreSQL, "INT2", int64(-7), int16(-7)},
		{PostgreSQL, "INT4", []byte("7"), int32(7)},
		{PostgreSQL, "INT8", "-9007199254740993", int64(-9007199254740993)},
		{PostgreSQL, "FLOAT4", float64(float32(0.1)), float32(0.1)},
		{PostgreSQL, "FLOAT8", math.Inf(1), math.Inf(1)},
		{PostgreSQL, "NUMERIC", "12345.678", 12345.678},
		{PostgreSQL, "NUMERIC", "1e400", math.Inf(1)},
		{PostgreSQL, "BOOL", true, true},
		{PostgreSQL, "BOOL", "f", false},
		{PostgreSQL, "TIMESTAMPTZ", at, at},
		{PostgreSQL, "DATE", "2012-01-02", at.Truncate(24 * time.Hour)},
		{PostgreSQL, "DATE", "-infinity", nil},
		{PostgreSQL, "TIMESTAMP", at.AddDate(5000, 0, 0), nil},
		{PostgreSQL, "JSONB", []byte(`{"a":1}`), json.RawMessage(`{"a":1}`)},
		{PostgreSQL, "BYTEA", []byte("\xde\xad"), `\xdead`},
		{PostgreSQL, "TEXT", "a\xff", "a\ufffd"},
		{PostgreSQL, "UUID", []byte("0b4a"), "0b4a"},
		{PostgreSQL, "_INT4", "{1,2}", "{1,2}"},
		{PostgreSQL, "16412", "happy", "happy"},
		{PostgreSQL, "XID", int64(5), int64(5)},
		{PostgreSQL, "16413", true, true},
		{PostgreSQL, "16414", 2.5, 2.5},
		{PostgreSQL, "16415", at, at},
		{MySQL, "UNSIGNED BIGINT", uint64(math.MaxUint64), uint64(math.MaxUint64)},
		{MySQL, "UNSIGNED BIGINT", []byte("18446744073709551615"), uint64(math.MaxUint64)},
		{MySQL, "UNSIGNED TINYINT", int64(255), uint8(255)},
		{MySQL, "DECIMAL", []byte("1.5"), 1.5},
		{MySQL, "DATETIME", time.Time{}, nil},
		{MySQL, "BIT", []byte{1, 2}, uint64(258)},
		{MySQL, "BLOB", []byte("text"), "text"},
		{MySQL, "BLOB", []byte("\xff"), "0xff"},
		{MySQL, "TIME", []byte("-12:00:00"), "-12:00:00"},
		{MySQL, "FLOAT", float32(0.1), float32(0.1)},
	} {
		table, err := read(t, Reader{Dialect: test.dialect}, oneColumn(test.of, nil, test.value))
		if err != nil {
			t.Errorf("%s %v: %v", test.of, test.value, err)
			continue
		}
		got := table.Fields[0].At(1)
		if at, ok := got.(time.Time); ok && at.Equal(test.want.(time.Time)) {
			continue
		}
		if fmt.Sprintf("%T %s", got, got) != fmt.Sprintf("%T %s", test.want, test.want) || table.Fields[0].At(0) != nil {
			t.Errorf("%s %v: %T %v, want %T %v", test.of, test.value, got, got, test.want, test.want)
		}
		if lost := len(table.Meta.Notices); (lost > 0) != (test.want == nil) {
			t.Errorf("%s %v: notices %v", test.of, test.value, table.Meta.Notices)
		}
	}
}

func TestMisfits(t *testing.T) {
	for _, test := range []struct {
		of    string
		value driver.Value
		want  string
	}{
		{"INT2", int64(40000), `row 1: sql: Scan error on column index 0, name "c": "40000" (int64) is no int16`},
		{"INT4", "seven", `"seven" (string) is no int32`},
		{"INT4", true, `"true" (bool) is no int32`},
		{"NUMERIC", strings.Repeat("x", 100), `"` + strings.Repeat("x", 40) + `" (string) is no float64`},
		{"BOOL", "maybe", "is no bool"},
		{"DATE", "tomorrow", "is no time.Time"},
		{"JSON", math.Inf(1), "is no json.RawMessage"},
	} {
		_, err := read(t, Reader{}, oneColumn(test.of, test.value))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %v: error %v, want %s", test.of, test.value, err, test.want)
		}
	}
}

// TestUntyped reads SQLite's columns, which have the types of their values.
func TestUntyped(t *testing.T) {
	for _, test := range []struct {
		of     string
		values []driver.Value
		want   string
	}{
		{"", []driver.Value{nil, int64(1), 2.5}, "float64 [<nil> 1 2.5]"},
		{"", []driver.Value{int64(1), nil, "two", 3.5}, "string [1 <nil> two 3.5]"},
		{"", []driver.Value{true, int64(1)}, "string [true 1]"},
		{"INTEGER", nil, "int64 []"},
		{"decimal(10,2)", []driver.Value{int64(5)}, "float64 [5]"},
		{"BOOLEAN", []driver.Value{int64(1)}, "bool [true]"},
		{"DATETIME", []driver.Value{int64(0)}, "time.Time [1970-01-01 00:00:00 +0000 UTC]"},
		{"BLOB", []driver.Value{[]byte("\xff")}, "string [0xff]"},
		{"DATE", []driver.Value{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, "time.Time [<nil>]"},
	} {
		table, err := read(t, Reader{Dialect: SQLite}, oneColumn(test.of, test.values...))
		if err != nil {
			t.Fatal(err)
		}
		values := make([]any, table.Rows())
		for i := range values {
			values[i] = table.Fields[0].At(i)
		}
		if got := fmt.Sprint(table.Fields[0].Type(), " ", values); got != test.want {
			t.Errorf("%s %v: got %s, want %s", test.of, test.values, got, test.want)
		}
	}
}

func TestEpochTime(t *testing.T) {
	want := time.Date(2012, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, v := range []float64{1325473445, 1325473445e3, 1325473445e6, 1325473445e9} {
		if got := epochTime(v); !got.Equal(want) {
			t.Errorf("%g: %v", v, got)
		}
	}
	if got := epochTime(-86400); !got.Equal(time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("before 1970: %v", got)
	}
}

func TestLimit(t *testing.T) {
	three := oneColumn("INT4", int64(1), int64(2), int64(3))
	limited, err := read(t, Reader{Limit: 2}, three)
	if err != nil || limited.Rows() != 2 || len(limited.Meta.Notices) != 1 || !strings.Contains(limited.Meta.Notices[0].Text, "first 2 rows") {
		t.Errorf("%d rows, notices %v, error %v", limited.Rows(), limited.Meta.Notices, err)
	}
	whole, err := read(t, Reader{Limit: 3}, three)
	if err != nil || whole.Rows() != 3 || whole.Meta.Notices != nil {
		t.Errorf("%d rows, notices %v, error %v", whole.Rows(), whole.Meta.Notices, err)
	}
}

func TestConverters(t *testing.T) {
	r := Reader{Converters: []Converter{{
		TypeNames: []string{"POINT"}, Type: frame.Float64,
		Append: func(to *frame.Field, value any) error {
			var x, y float64
			if _, err := fmt.Sscanf(value.(string), "(%g,%g)", &x, &y); err != nil {
				return err
			}
			frame.Append(to, math.Hypot(x, y))
			return nil
		},
	}}}
	table, err := read(t, r, oneColumn("point", "(3,4)", nil))
	if err != nil || table.Fields[0].At(0) != 5.0 || table.Fields[0].At(1) != nil {
		t.Errorf("%v, error %v", frametest.Text(table), err)
	}
}

func TestFormats(t *testing.T) {
	source := &table{
		names: []string{"time", "city", "high", "ok"}, types: []string{"INT8", "TEXT", "INT4", "BOOL"},
		cells: [][]driver.Value{
			{int64(1325376120), "Oslo", int64(-3), true},
			{int64(1325376000), "Seattle", int64(12), nil},
			{nil, "Seattle", int64(1), nil},
		},
	}
	for _, format := range []string{"table", "time_series", "logs"} {
		q := Query{SQL: "SELECT $__timeGroup(time, 1m, NULL)", TimeRange: plugin.TimeRange{From: time.Unix(1325376010, 0), To: time.Unix(1325376130, 0)}}
		var err error
		if q.Format, err = ParseFormat(format); err != nil {
			t.Fatal(err)
		}
		answer, executed := query(t, source, q)
		if executed != answer.Meta.ExecutedQueryString || source.asked != executed || !strings.HasPrefix(executed, "SELECT floor(") {
			t.Errorf("asked %q, executed %q", source.asked, executed)
		}
		frametest.Golden(t, "testdata/"+format+".txt", answer, *update)
	}
}

func TestMetric(t *testing.T) {
	source := &table{
		names: []string{"time", "metric", "value"}, types: []string{"TIMESTAMP", "TEXT", "INT4"},
		cells: [][]driver.Value{{time.Unix(0, 0), "cpu", int64(1)}, {time.Unix(0, 0), "mem", int64(2)}},
	}
	answer, _ := query(t, source, Query{Format: TimeSeries})
	if f := answer.Field("cpu"); f == nil || f.Labels != nil || answer.Field("mem") == nil {
		t.Error(frametest.Text(answer))
	}
}

func TestNoRows(t *testing.T) {
	source := &table{names: []string{"time", "v"}, types: []string{"TIMESTAMP", "INT4"}}
	answer, _ := query(t, source, Query{SQL: "$__timeGroup(a, 1s, 0)", Format: TimeSeries})
	if answer.Rows() != 0 || len(answer.Fields) != 1 {
		t.Errorf("%v", answer)
	}
}

func TestQueryFaults(t *testing.T) {
	text := oneColumn("TEXT", "noon")
	text.names[0] = "time"
	for _, test := range []struct {
		from   *table
		sql    string
		want   string
		status int
	}{
		{text, "refused", "refused", 0},
		{text, "$__nosuch", "query: no macro $__nosuch", 400},
		{text, "", `query: format time_series: column "time", row 1: "noon" is not a time`, 400},
		{oneColumn("TEXT", "a"), "", "query: format time_series: it wants a column of times", 400},
		{oneColumn("TIMESTAMP", time.Unix(0, 0)), "", "query: format time_series: it wants a column of numbers", 400},
		{oneColumn("INT2", "x"), "", "is no int16", 0},
	} {
		_, _, err := Reader{}.Query(t.Context(), test.from.open(t), Query{SQL: test.sql, Format: TimeSeries})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v, want %s", err, test.want)
		}
		if failure, ok := errors.AsType[*plugin.Error](err); ok != (test.status > 0) || ok && failure.Status != test.status {
			t.Errorf("%s: %+v", test.want, failure)
		}
	}
}

func TestFormatJSON(t *testing.T) {
	for text, want := range map[string]Format{`"table"`: Table, `"time_series"`: TimeSeries, `"timeseries"`: TimeSeries, `"logs"`: Logs, "1": Table, "0": TimeSeries} {
		var got Format
		if err := got.UnmarshalJSON([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{`"graph"`, "7", `""`, "{}"} {
		if err := new(Format).UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}

// measured are the rows that allocations are counted by.
func measured(rows int) *table {
	t := &table{names: []string{"time", "host", "value", "count", "price"}, types: []string{"TIMESTAMPTZ", "TEXT", "FLOAT8", "INT4", "NUMERIC"}, repeat: rows / 4}
	for i := range 4 {
		t.cells = append(t.cells, []driver.Value{time.Unix(int64(i), 0), "host.example", 1.5, int64(i), "12.34"})
	}
	return t
}

// TestReadAllocations holds Read to buffers that grow, and nothing per row.
func TestReadAllocations(t *testing.T) {
	count := func(rows int) float64 {
		db := measured(rows).open(t)
		return testing.AllocsPerRun(5, func() {
			rows, err := db.Query("")
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			if _, err := (Reader{}).Read(rows); err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := count(1000), count(100_000); many-few > 100 {
		t.Errorf("%v allocations for 1000 rows, %v for 100000", few, many)
	}
}

func BenchmarkRead(b *testing.B) {
	const rows = 100_000
	db := measured(rows).open(b)
	b.ReportAllocs()
	for b.Loop() {
		rows, err := db.Query("")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := (Reader{}).Read(rows); err != nil {
			b.Fatal(err)
		}
		_ = rows.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}
