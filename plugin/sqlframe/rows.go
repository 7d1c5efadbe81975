package sqlframe

import (
	"database/sql"
	"reflect"
	"slices"
	"strings"

	"github.com/plugboard/plugboard/frame"
)

// Converter reads columns of the types that it names.
type Converter struct {
	// TypeNames are names of database types as the driver tells them, such as
	// "VARCHAR", in upper case and without a size.
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
	// end returns the field of the values so far, and how many of them were
	// times that a field cannot hold. What is scanned next begins a new field.
	end() (field *frame.Field, times int)
}

// column returns how a column is read, which adds to size the bytes of texts.
func (r Reader) column(t *sql.ColumnType, size *int) column {
	name := typeName(t)
	for _, c := range r.Converters {
		if slices.Contains(c.TypeNames, name) {
			return newTyped(t.Name(), c.Type, size, func(to *typed, value any) error { return c.Append(to.field, value) })
		}
	}
	if r.Dialect == SQLite {
		return &untyped{name: t.Name(), declared: name, size: size}
	}
	of, read := r.Dialect.reading(name, t)
	return newTyped(t.Name(), of, size, read)
}

// typeName is a column's type in upper case, without its size: DECIMAL for
// Decimal(10, 2). ClickHouse says in it, too, what may be null and how values
// are kept.
func typeName(t *sql.ColumnType) string {
	name := strings.ToUpper(t.DatabaseTypeName())
	for _, wrapper := range []string{"LOWCARDINALITY(", "NULLABLE("} {
		if inner, wrapped := strings.CutPrefix(name, wrapper); wrapped {
			name = strings.TrimSuffix(inner, ")")
		}
	}
	name, _, _ = strings.Cut(name, "(")
	return name
}

// reading returns the type of a column's field, and how its values are read.
func (d Dialect) reading(name string, t *sql.ColumnType) (frame.Type, reading) {
	of, ok := d.types()[name]
	switch {
	case d.postgres() && name == "BYTEA":
		return frame.String, readBytea
	case d == MySQL && name == "BIT":
		return frame.Uint64, readBits
	case d == SQLServer && name == "UNIQUEIDENTIFIER":
		return frame.String, readMixedUUID
	case (d == SQLServer || d.postgres()) && name == "TIME":
		return frame.String, readTimeOfDay
	case d.postgres() && name == "TIMETZ":
		return frame.String, readTimeAndZone
	case !ok:
		of = scanned(t.ScanType())
	}
	return of, readings[of]
}

// types are the types of a dialect that are known.
func (d Dialect) types() map[string]frame.Type {
	switch d {
	case MySQL:
		return mysql
	case SQLServer:
		return sqlServer
	case ClickHouse:
		return clickHouse
	}
	return postgres
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

// sqlServer are the types that are not text, by the names of the driver.
var sqlServer = map[string]frame.Type{
	"BIT": frame.Bool, "TINYINT": frame.Uint8, "SMALLINT": frame.Int16, "INT": frame.Int32, "BIGINT": frame.Int64,
	"REAL": frame.Float32, "FLOAT": frame.Float64, "DECIMAL": frame.Float64, "NUMERIC": frame.Float64,
	"MONEY": frame.Float64, "SMALLMONEY": frame.Float64,
	"DATE": frame.Time, "DATETIME": frame.Time, "DATETIME2": frame.Time, "SMALLDATETIME": frame.Time, "DATETIMEOFFSET": frame.Time,
	"CHAR": frame.String, "VARCHAR": frame.String, "NCHAR": frame.String, "NVARCHAR": frame.String, "TEXT": frame.String, "NTEXT": frame.String,
	"XML": frame.String, "BINARY": frame.String, "VARBINARY": frame.String,
}

// clickHouse are the types that are not text, by the names of the driver.
var clickHouse = map[string]frame.Type{
	"BOOL": frame.Bool, "INT8": frame.Int8, "INT16": frame.Int16, "INT32": frame.Int32, "INT64": frame.Int64,
	"UINT8": frame.Uint8, "UINT16": frame.Uint16, "UINT32": frame.Uint32, "UINT64": frame.Uint64,
	"FLOAT32": frame.Float32, "FLOAT64": frame.Float64, "DECIMAL": frame.Float64,
	"DATE": frame.Time, "DATE32": frame.Time, "DATETIME": frame.Time, "DATETIME64": frame.Time,
	"ARRAY": frame.JSON, "MAP": frame.JSON, "TUPLE": frame.JSON, "NESTED": frame.JSON,
	"STRING": frame.String, "FIXEDSTRING": frame.String, "UUID": frame.String, "ENUM8": frame.String, "ENUM16": frame.String,
	"IPV4": frame.String, "IPV6": frame.String,
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
