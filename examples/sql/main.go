// Command sql is a data source over database/sql: what a query in SQL selects
// from an SQLite file, as a table or as time series.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"

	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/sqlframe"
)

func main() { plugin.Main(plugin.DataSource(open)) }

type settings struct {
	// Path is that of the SQLite file; empty means a database in memory.
	Path string `json:"path"`
	// MaxRows is how many rows an answer may have; 0 means 10000.
	MaxRows int `json:"maxRows"`
}

// model is SQL that may use Grafana's macros, such as $__timeFilter(column), and
// the parameters @from and @to, the time range in Unix seconds. The database
// gets those as values: there is nothing to quote.
type model struct {
	SQL    string          `json:"sql" plugboard:"text" language:"sql"`
	Format sqlframe.Format `json:"format"` // table or time_series
}

// database is one data source: a pool of connections that all queries share.
type database struct {
	*sql.DB
	reader sqlframe.Reader
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
	// sql.DB's Close closes the data source.
	return &database{db, sqlframe.Reader{Dialect: sqlframe.SQLite, Limit: s.Values.MaxRows}}, nil
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
	answer, _, err := d.reader.Query(ctx, conn, sqlframe.Query{
		SQL:       q.Model.SQL,
		Args:      []any{sql.Named("from", q.TimeRange.From.Unix()), sql.Named("to", q.TimeRange.To.Unix())},
		Format:    q.Model.Format,
		TimeRange: q.TimeRange,
		Interval:  q.Interval,
	})
	if ctx.Err() != nil {
		return nil, ctx.Err() // nobody waits for it any more
	}
	if err != nil {
		return nil, plugin.BadRequest("query: %w", err)
	}
	return answer, nil
}
