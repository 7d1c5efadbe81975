package sqlframe

import (
	"database/sql"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/plugboard/plugboard/frame"
)

// Converter reads columns of the types that it names.
type Converter struct {
	// TypeNames are names of database types as the driver tells them, such as
	// "VARCHAR", in upper case.
	TypeNames []string
	// Type is the type of the field, which is nullable.
	Type frame.Type
	// Append appends to the field what the driver read: an int64, float64,
	// bool, []byte, string or time.Time, not nil; bytes are the driver's again
	// afterwards. It appends one value or null, or fails.
	Append func(to *frame.Field, value any) error
}

// column is one column of a result. It is a sql.Scanner, so that a value goes
// from the driver into the field's buffers without a copy in between.
type column interface {
	sql.Scanner
	// end returns the finished field, and how many of its values were times
	// that a field cannot hold.
	end() (field *frame.Field, times int)
}

// Read reads rows into a table of nullable fields, named as the columns are. It
// does not close the rows.
//
// A column's type is that of the database: numbers of all sizes as they are,
// decimals as float64; times and dates as times, in UTC if they are without a
// zone; JSON as JSON; everything else, arrays, intervals, times of day and
// types that are not known here among it, as text. Bytes are hexadecimal, of
// MySQL and SQLite only where they are not UTF-8. In SQLite every value has a
// type of its own, so there a column has the narrowest type that holds all of
// them. Times before 1677 or after 2262 become null, with a notice.
func (r Reader) Read(rows *sql.Rows) (*frame.Frame, error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	columns := make([]column, len(types))
	targets := make([]any, len(types))
	for i, t := range types {
		columns[i] = r.column(t)
		targets[i] = columns[i]
	}
	limit := r.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	table := &frame.Frame{Meta: &frame.Meta{Type: frame.TypeTable, TypeVersion: [2]uint{0, 1}}}
	for n := 0; rows.Next(); n++ {
		if n == limit {
			warn(table, "only the first %d rows are shown: the row limit was reached", limit)
			break
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, fmt.Errorf("row %d: %w", n+1, err)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, c := range columns {
		field, times := c.end()
		if times > 0 {
			warn(table, "column %q: times before 1677 or after 2262 are shown as null: %d", field.Name, times)
		}
		table.Fields = append(table.Fields, field)
	}
	return table, nil
}

func warn(f *frame.Frame, format string, args ...any) {
	f.Meta.Notices = append(f.Meta.Notices, frame.Notice{Severity: frame.Warning, Text: fmt.Sprintf(format, args...)})
}

// column returns how a column is read.
func (r Reader) column(t *sql.ColumnType) column {
	name := strings.ToUpper(t.DatabaseTypeName())
	for _, c := range r.Converters {
		if slices.Contains(c.TypeNames, name) {
			return &typed{field: frame.NewFieldOf(t.Name(), nil, c.Type, true), convert: c.Append}
		}
	}
	if r.Dialect == SQLite {
		return &untyped{name: t.Name(), declared: name}
	}
	of, read := r.Dialect.reading(name, t)
	return &typed{field: frame.NewFieldOf(t.Name(), nil, of, true), read: read}
}

// reading returns the type of a column's field, and how its values are read.
func (d Dialect) reading(name string, t *sql.ColumnType) (frame.Type, reading) {
	known := postgres
	if d == MySQL {
		known = mysql
	}
	of, ok := known[name]
	switch {
	case d != MySQL && name == "BYTEA":
		return frame.String, readBytea
	case d == MySQL && name == "BIT":
		return frame.Uint64, readBits
	case !ok:
		of = scanned(t.ScanType())
	}
	return of, readings[of]
}

// postgres are the types that are not text, by the names of pgx and pq.
var postgres = map[string]frame.Type{
	"BOOL": frame.Bool,
	"INT2": frame.Int16, "INT4": frame.Int32, "INT8": frame.Int64,
	"FLOAT4": frame.Float32, "FLOAT8": frame.Float64, "NUMERIC": frame.Float64,
	"DATE": frame.Time, "TIMESTAMP": frame.Time, "TIMESTAMPTZ": frame.Time,
	"JSON": frame.JSON, "JSONB": frame.JSON,
	"TEXT": frame.String, "VARCHAR": frame.String, "BPCHAR": frame.String, "UUID": frame.String,
	"TIME": frame.String, "TIMETZ": frame.String, "INTERVAL": frame.String, "MONEY": frame.String,
}

// mysql are the types that are not text, by the names of the driver.
var mysql = map[string]frame.Type{
	"TINYINT": frame.Int8, "SMALLINT": frame.Int16, "MEDIUMINT": frame.Int32, "INT": frame.Int32, "BIGINT": frame.Int64,
	"UNSIGNED TINYINT": frame.Uint8, "UNSIGNED SMALLINT": frame.Uint16, "UNSIGNED MEDIUMINT": frame.Uint32,
	"UNSIGNED INT": frame.Uint32, "UNSIGNED BIGINT": frame.Uint64, "YEAR": frame.Int16,
	"FLOAT": frame.Float32, "DOUBLE": frame.Float64, "DECIMAL": frame.Float64,
	"DATE": frame.Time, "DATETIME": frame.Time, "TIMESTAMP": frame.Time,
	"JSON": frame.JSON,
	"CHAR": frame.String, "VARCHAR": frame.String, "TEXT": frame.String, "TIME": frame.String,
}

// scanned is the type of a column whose name is not known, by what the driver
// says its values are.
func scanned(t reflect.Type) frame.Type {
	if t == nil {
		return frame.String
	}
	switch t.Kind() {
	case reflect.Bool:
		return frame.Bool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return frame.Int64
	case reflect.Uint, reflect.Uint64:
		return frame.Uint64
	case reflect.Float32, reflect.Float64:
		return frame.Float64
	case reflect.Struct:
		switch t.String() {
		case "time.Time", "sql.NullTime":
			return frame.Time
		case "sql.NullInt64", "sql.NullInt32", "sql.NullInt16":
			return frame.Int64
		case "sql.NullFloat64":
			return frame.Float64
		case "sql.NullBool":
			return frame.Bool
		}
	}
	return frame.String
}
