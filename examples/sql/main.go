// Command sql is a data source over database/sql: what a query in SQL selects
// from an SQLite file, as a table.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

func main() { plugin.Main(plugin.DataSource(open)) }

type settings struct {
	// Path is that of the SQLite file; empty means a database in memory.
	Path string `json:"path"`
	// MaxRows is how many rows an answer may have; 0 means 10000.
	MaxRows int `json:"maxRows"`
}

// model is SQL that may use the parameters @from and @to, the time range in
// Unix seconds. The database gets them as values: there is nothing to quote.
type model struct {
	SQL string `json:"sql" plugboard:"text"`
}

// database is one data source: a pool of connections that all queries share.
type database struct {
	*sql.DB
	maxRows int
}

func open(ctx context.Context, s plugin.Settings[settings]) (*database, error) {
	name := ":memory:"
	if s.Values.Path != "" {
		path, err := filepath.Abs(s.Values.Path)
		if err != nil {
			return nil, plugin.BadRequest("settings: path: %w", err)
		}
		name = (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: "mode=ro&_pragma=query_only(1)"}).String()
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, plugin.BadRequest("settings: path: %w", err)
	}
	db.SetMaxOpenConns(4)
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		return nil, plugin.Downstream(fmt.Errorf("open %s: %w", s.Values.Path, err))
	}
	if s.Values.MaxRows <= 0 {
		s.Values.MaxRows = 10000
	}
	return &database{db, s.Values.MaxRows}, nil // sql.DB's Close closes the data source
}

func (d *database) Query(ctx context.Context, q plugin.Query[model]) (frame.Frames, error) {
	if q.Model.SQL == "" {
		return nil, plugin.BadRequest("query: sql is missing")
	}
	conn, err := d.Conn(ctx)
	if err != nil {
		return nil, plugin.Downstream(err)
	}
	defer conn.Close()
	// Without this limit, a query could ATTACH any other file.
	if _, err := sqlite.Limit(conn, sqlitelib.SQLITE_LIMIT_ATTACHED, 0); err != nil {
		return nil, err
	}
	rows, err := conn.QueryContext(ctx, q.Model.SQL, sql.Named("from", q.TimeRange.From.Unix()), sql.Named("to", q.TimeRange.To.Unix()))
	if ctx.Err() != nil {
		return nil, ctx.Err() // nobody waits for it any more
	}
	if err != nil {
		return nil, plugin.BadRequest("query: %w", err)
	}
	defer rows.Close()
	table, err := d.read(rows)
	if err != nil {
		return nil, plugin.Downstream(err)
	}
	table.Meta.ExecutedQueryString = q.Model.SQL
	return frame.Frames{table}, nil
}

// read reads rows column by column, and says so where it stops early.
func (d *database) read(rows *sql.Rows) (*frame.Frame, error) {
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	columns, row, targets := make([][]any, len(names)), make([]any, len(names)), make([]any, len(names))
	for i := range row {
		targets[i] = &row[i]
	}
	table := &frame.Frame{Meta: &frame.Meta{Type: frame.TypeTable}}
	for n := 0; rows.Next(); n++ {
		if n == d.maxRows {
			table.Meta.Notices = []frame.Notice{{Severity: frame.Warning, Text: fmt.Sprintf("only the first %d rows are shown", n)}}
			break
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		for i, value := range row {
			columns[i] = append(columns[i], value)
		}
	}
	for i, name := range names {
		table.Fields = append(table.Fields, field(name, columns[i]))
	}
	return table, rows.Err()
}

// field makes a column of values as the driver returns them. SQLite may mix
// types in one: such a column is text.
func field(name string, values []any) *frame.Field {
	switch {
	case all[int64](values):
		return typed[int64](name, frame.Int64, values)
	case all[float64](values):
		return typed[float64](name, frame.Float64, values)
	case all[time.Time](values):
		return typed[time.Time](name, frame.Time, values)
	}
	texts := make([]any, len(values))
	for i, value := range values {
		if value != nil {
			texts[i] = fmt.Sprint(value)
		}
	}
	return typed[string](name, frame.String, texts)
}

// all tells whether there are values, and all that are not null are of type T.
func all[T any](values []any) bool {
	some := false
	for _, value := range values {
		_, ok := value.(T)
		if !ok && value != nil {
			return false
		}
		some = some || ok
	}
	return some
}

func typed[T frame.Element](name string, t frame.Type, values []any) *frame.Field {
	column := frame.NewFieldOf(name, nil, t, true)
	for _, value := range values {
		if v, ok := value.(T); ok {
			frame.Append(column, v)
		} else {
			column.AppendNull()
		}
	}
	return column
}
