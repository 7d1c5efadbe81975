package sql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

// database is one SQLite file, open for reading.
type database struct {
	path string
	db   *sql.DB
}

// openDatabase opens the file, which must exist: SQLite would only notice at
// the first query.
func openDatabase(path string) (*database, error) {
	if info, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, plugin.BadRequest("no database at %s", path)
	} else if err != nil {
		return nil, plugin.BadRequest("database: %w", err)
	} else if info.IsDir() {
		return nil, plugin.BadRequest("database %s is a folder", path)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, plugin.BadRequest("database: %w", err)
	}
	uri := url.URL{Scheme: "file", Path: filepath.ToSlash(absolute), RawQuery: "mode=ro&_pragma=query_only(1)&_pragma=busy_timeout(5000)"}
	db, err := sql.Open("sqlite", uri.String())
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return &database{path: path, db: db}, nil
}

func (d *database) close() error { return d.db.Close() }

// query runs a query and returns its rows, limit of them at most.
//
// It is interrupted at once while it looks for its first row, and between rows
// after that.
func (d *database) query(ctx context.Context, query string, limit int) (*frame.Frame, error) {
	conn, err := d.db.Conn(ctx)
	if err != nil {
		return nil, d.fault(ctx, err)
	}
	defer conn.Close()
	if err := confine(conn); err != nil {
		return nil, d.fault(ctx, err)
	}
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return nil, d.fault(ctx, err)
	}
	defer rows.Close()
	table, err := readRows(rows, limit)
	if err != nil {
		return nil, d.fault(ctx, err)
	}
	return table, nil
}

// confine keeps a connection to its file: without it, ATTACH and VACUUM INTO
// reach, and create, others.
func confine(conn *sql.Conn) error {
	_, err := sqlite.Limit(conn, sqlitelib.SQLITE_LIMIT_ATTACHED, 0)
	return err
}

// readRows reads limit rows at most, and says so if there are more.
func readRows(rows *sql.Rows, limit int) (*frame.Frame, error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	columns := make([]column, len(types))
	values := make([]any, len(types))
	targets := make([]any, len(types))
	for i, t := range types {
		columns[i] = column{name: t.Name(), declared: t.DatabaseTypeName()}
		targets[i] = &values[i]
	}
	table := &frame.Frame{Meta: &frame.Meta{Type: frame.TypeTable, TypeVersion: [2]uint{0, 1}}}
	for n := 0; rows.Next(); n++ {
		if n == limit {
			table.Meta.Notices = append(table.Meta.Notices, frame.Notice{
				Severity: frame.Warning,
				Text:     fmt.Sprintf("only the first %d rows are shown: the data source's rowLimit", limit),
			})
			break
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		for i := range columns {
			columns[i].add(values[i])
		}
	}
	for i := range columns {
		table.Fields = append(table.Fields, columns[i].end())
	}
	return table, rows.Err()
}

// fault says whose fault an error is: the asker's, the query's or the file's,
// but hardly ours.
func (d *database) fault(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	failure, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return plugin.Downstream(fmt.Errorf("database %s: %w", d.path, err))
	}
	const primary = 0xff // the low byte of SQLite's extended codes
	switch failure.Code() & primary {
	case sqlitelib.SQLITE_ERROR, sqlitelib.SQLITE_READONLY, sqlitelib.SQLITE_AUTH, sqlitelib.SQLITE_MISMATCH,
		sqlitelib.SQLITE_RANGE, sqlitelib.SQLITE_TOOBIG:
		return plugin.BadRequest("query: %w", plain(failure))
	}
	return plugin.Downstream(fmt.Errorf("database %s: %w", d.path, plain(failure)))
}

// plain is SQLite's message without the driver's number and name of it.
func plain(failure *sqlite.Error) error {
	message := strings.TrimPrefix(failure.Error(), "SQL logic error: ")
	if at := strings.LastIndex(message, " ("); at > 0 {
		message = message[:at]
	}
	return errors.New(message)
}
