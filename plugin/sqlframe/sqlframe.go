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
	SQLServer                  // github.com/microsoft/go-mssqldb
	ClickHouse                 // github.com/ClickHouse/clickhouse-go/v2
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

// Query asks the database and returns the answer in the query's format: one
// frame, or one for each result set where the statement has several. The first
// frame's Meta.ExecutedQueryString is the query with its macros expanded, which
// is returned too when the database refuses it.
//
// What is wrong with macros, or keeps the rows from being time series, is a
// plugin.BadRequest; errors of the database are returned as they are.
func (r Reader) Query(ctx context.Context, db Database, q Query) (answer frame.Frames, executed string, err error) {
	executed, err = r.query(ctx, db, q, 0, func(f *frame.Frame) error {
		answer = append(answer, f)
		return nil
	})
	if err != nil {
		return nil, executed, err
	}
	return answer, executed, nil
}

// QueryChunks is Query for answers that need not be in memory at once, as a
// plugin.ChunkQuerier sends them: tables and logs in pieces of a few thousand
// rows or about a megabyte, each read from the database when send has returned from the last; a time
// series, which may need all rows to be put in order, whole. In SQLite, a column
// whose later values are of a wider type starts another frame.
func (r Reader) QueryChunks(ctx context.Context, db Database, q Query, send func(*frame.Frame) error) (executed string, err error) {
	piece := pieceRows
	if q.Format == TimeSeries {
		piece = 0
	}
	return r.query(ctx, db, q, piece, send)
}

// A piece ends at so many rows, or with the row that brings its texts to so many
// bytes: enough that what comes with each piece is little beside it.
const (
	pieceRows  = 8192
	pieceBytes = 1 << 20
)

func (r Reader) query(ctx context.Context, db Database, q Query, piece int, send func(*frame.Frame) error) (executed string, err error) {
	executed, even, err := r.expand(q)
	if err != nil {
		return "", plugin.BadRequest("query: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rows, err := db.QueryContext(ctx, executed, q.Args...)
	if err != nil {
		return executed, err
	}
	defer rows.Close()
	defer cancel() // first, or some drivers read the rest of the rows
	first := true
	sent, err := r.read(rows, piece, func(table *frame.Frame) error {
		answer, err := q.formatted(table, even)
		if err != nil {
			return err
		}
		if first {
			answer.Meta.ExecutedQueryString, first = executed, false
		}
		return send(answer)
	})
	if err == nil && sent == 0 { // a statement that has no rows
		err = send(&frame.Frame{Meta: &frame.Meta{ExecutedQueryString: executed}})
	}
	return executed, err
}

// formatted makes of a table what the query's format says.
func (q Query) formatted(table *frame.Frame, even spacing) (*frame.Frame, error) {
	switch q.Format {
	case TimeSeries:
		series, err := timeSeries(table, even, q.TimeRange)
		if err != nil {
			return nil, plugin.BadRequest("query: format time_series: %w", err)
		}
		return series, nil
	case Logs:
		table.Meta.Type = ""
		table.Meta.Visualization = "logs"
	}
	nameTimes(table)
	return table, nil
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
