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

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/sqlframe"
)

// openSQLite opens a file for reading. It must exist: SQLite would only notice
// at the first query.
//
// A query is interrupted at once while it looks for its first row, and between
// rows after that.
func openSQLite(s settings) (*database, error) {
	if s.Path == "" {
		return nil, plugin.BadRequest("settings: path is missing: it names the SQLite file")
	}
	if info, err := os.Stat(s.Path); errors.Is(err, fs.ErrNotExist) {
		return nil, plugin.BadRequest("no database at %s", s.Path)
	} else if err != nil {
		return nil, plugin.BadRequest("database: %w", err)
	} else if info.IsDir() {
		return nil, plugin.BadRequest("database %s is a folder", s.Path)
	}
	absolute, err := filepath.Abs(s.Path)
	if err != nil {
		return nil, plugin.BadRequest("database: %w", err)
	}
	uri := url.URL{Scheme: "file", Path: filepath.ToSlash(absolute), RawQuery: "mode=ro&_pragma=query_only(1)&_pragma=busy_timeout(5000)"}
	db, err := sql.Open("sqlite", uri.String())
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", s.Path, err)
	}
	return &database{
		db: db, dialect: sqlframe.SQLite, product: "SQLite", place: s.Path,
		prepare: confine, refused: refusedBySQLite, plain: plainSQLite,
		statements: statements{
			version: "SELECT sqlite_version()",
			tables: `SELECT name FROM sqlite_schema
				WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name`,
			columns: "SELECT name, type FROM pragma_table_info(?) ORDER BY cid",
			words: `SELECT t.name, c.name, c.type FROM sqlite_schema t, pragma_table_info(t.name) c
				WHERE t.type IN ('table', 'view') AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY t.name, c.cid`,
		},
	}, nil
}

// confine keeps a connection to its file: without it, ATTACH and VACUUM INTO
// reach, and create, others.
func confine(_ context.Context, conn *sql.Conn) (func(), error) {
	_, err := sqlite.Limit(conn, sqlitelib.SQLITE_LIMIT_ATTACHED, 0)
	return func() {}, err
}

func refusedBySQLite(err error, _ string) (string, bool) {
	failure, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return "", false
	}
	const primary = 0xff // the low byte of SQLite's extended codes
	switch failure.Code() & primary {
	case sqlitelib.SQLITE_ERROR, sqlitelib.SQLITE_READONLY, sqlitelib.SQLITE_AUTH, sqlitelib.SQLITE_MISMATCH,
		sqlitelib.SQLITE_RANGE, sqlitelib.SQLITE_TOOBIG:
		return plainSQLite(err), true
	}
	return "", false
}

// plainSQLite is SQLite's message without the driver's number and name of it.
func plainSQLite(err error) string {
	message := strings.TrimPrefix(err.Error(), "SQL logic error: ")
	if _, ok := errors.AsType[*sqlite.Error](err); !ok {
		return message
	}
	if at := strings.LastIndex(message, " ("); at > 0 {
		message = message[:at]
	}
	return message
}
