// Package sqlframe answers queries from a database: it expands the macros of a
// query, reads the rows of database/sql into a frame with typed columns, and
// turns them into time series.
package sqlframe

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

// Dialect is the SQL that a database speaks. The zero Dialect is PostgreSQL.
type Dialect int

// The dialects, with the drivers whose type names are known.
const (
	PostgreSQL  Dialect = iota // github.com/jackc/pgx/v5/stdlib, github.com/lib/pq
	TimescaleDB                // PostgreSQL with time_bucket
	MySQL                      // and MariaDB: github.com/go-sql-driver/mysql, with its ParseTime
	SQLite                     // modernc.org/sqlite, github.com/mattn/go-sqlite3
)

// Reader reads what a database answers. The zero Reader reads PostgreSQL. It
// may be used from many goroutines.
type Reader struct {
	Dialect Dialect
	// Limit is the most rows that a frame has; one that would have more says
	// so in a notice. 0 is 1000000.
	Limit int
	// Macros are further macros by name, such as "__table", or replace ours.
	Macros map[string]Macro
	// Converters are for columns of types that are not known here, or are to
	// be read otherwise.
	Converters []Converter
}

const defaultLimit = 1_000_000

// Query is what a database is asked.
type Query struct {
	// SQL may use macros: see Reader.Expand.
	SQL string
	// Args are the query's parameters, as database/sql takes them.
	Args   []any
	Format Format
	// TimeRange and Interval are what the macros know.
	TimeRange plugin.TimeRange
	Interval  time.Duration
}

// Database is a *sql.DB, *sql.Conn or *sql.Tx.
type Database interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Query asks the database and returns the answer in the query's format. The
// frame's Meta.ExecutedQueryString is the query with its macros expanded, which
// is returned too when the database refuses it.
//
// What is wrong with macros, or keeps the rows from being time series, is a
// plugin.BadRequest; errors of the database are returned as they are.
func (r Reader) Query(ctx context.Context, db Database, q Query) (answer *frame.Frame, executed string, err error) {
	executed, even, err := r.expand(q)
	if err != nil {
		return nil, "", plugin.BadRequest("query: %w", err)
	}
	rows, err := db.QueryContext(ctx, executed, q.Args...)
	if err != nil {
		return nil, executed, err
	}
	defer rows.Close()
	answer, err = r.Read(rows)
	if err != nil {
		return nil, executed, err
	}
	switch q.Format {
	case TimeSeries:
		if answer, err = timeSeries(answer, even, q.TimeRange); err != nil {
			return nil, executed, plugin.BadRequest("query: format time_series: %w", err)
		}
	case Logs:
		answer.Meta.Type = ""
		answer.Meta.Visualization = "logs"
		fallthrough
	default:
		nameTimes(answer)
	}
	answer.Meta.ExecutedQueryString = executed
	return answer, executed, nil
}

// Format is what a query's rows are to become.
type Format int

const (
	// Table is the rows as they are. Numbers in a column named "time" or
	// "time_sec" are times, as in the other formats.
	Table Format = iota
	// TimeSeries is a wide time series: a row for each time, a field for each
	// column of numbers and each combination of texts, which are its labels.
	// The times are those of the column named "time" or "time_sec", or else
	// of the first one of times; they come out in order, in a field "Time".
	// Numbers become float64. A text column "metric" beside one of numbers
	// gives the series their names.
	TimeSeries
	// Logs is a table that asks to be shown as logs.
	Logs
)

// formats are the spellings that queries use.
var formats = map[string]Format{
	"table": Table, "time_series": TimeSeries, "timeseries": TimeSeries, "logs": Logs,
	// sqlutil, of the official SDK, counts.
	"0": TimeSeries, "1": Table, "2": Logs,
}

// ParseFormat reads a format as queries spell it: table, time_series or logs.
func ParseFormat(text string) (Format, error) {
	if format, ok := formats[text]; ok {
		return format, nil
	}
	return 0, fmt.Errorf("format %q is none of table, time_series and logs", text)
}

// UnmarshalJSON reads a string as ParseFormat does, or the number that the
// official SDK's queries have.
func (f *Format) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) != nil {
		text = string(b)
	}
	format, err := ParseFormat(text)
	if err == nil {
		*f = format
	}
	return err
}
