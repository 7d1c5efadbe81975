package sql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/sqlframe"
)

// database is one database, whatever it is.
type database struct {
	db      *sql.DB
	dialect sqlframe.Dialect
	product string // PostgreSQL
	place   string // where it is, for messages: an address or a path
	// statements of our own
	statements statements
	// prepare makes a connection ready for one query; nil where there is
	// nothing to do. What it returns is called when the query has ended.
	prepare func(ctx context.Context, conn *sql.Conn) (end func(), err error)
	// refused tells what the database says is wrong with the query, and
	// false if an error is of another kind.
	refused func(err error, query string) (string, bool)
	// plain is an error's message for people, where Error is not.
	plain func(err error) string
	more  []io.Closer // beside db
}

// statements answer with columns of text; columns takes a table's name. words
// are all columns: table, name and type.
type statements struct{ version, tables, columns, words string }

// grafanaTypes are Grafana's own data sources that this one stands in for.
var grafanaTypes = map[string]func(settings) (*database, error){
	"postgres":                      openPostgres,
	"grafana-postgresql-datasource": openPostgres,
	"mysql":                         openMySQL,
}

// openDatabase opens what the type of the data source says, or else its
// settings.
func openDatabase(typ string, s settings) (*database, error) {
	if open, ok := grafanaTypes[typ]; ok {
		return open(s)
	}
	switch s.Engine {
	case "postgres":
		return openPostgres(s)
	case "mysql":
		return openMySQL(s)
	default:
		return openSQLite(s)
	}
}

// Close closes the connections, once those in use are no longer.
func (d *database) Close() error {
	errs := []error{d.db.Close()}
	for _, c := range d.more {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// ask asks a query on a connection of its own.
func (d *database) ask(ctx context.Context, reader sqlframe.Reader, q sqlframe.Query) (answer frame.Frames, err error) {
	err = d.with(ctx, func(conn *sql.Conn) (executed string, err error) {
		answer, executed, err = reader.Query(ctx, conn, q)
		return executed, err
	})
	return answer, err
}

// askChunks is ask for answers in pieces. send's errors are returned as they are.
func (d *database) askChunks(ctx context.Context, reader sqlframe.Reader, q sqlframe.Query, send func(*frame.Frame) error) error {
	var unsent error
	err := d.with(ctx, func(conn *sql.Conn) (executed string, err error) {
		return reader.QueryChunks(ctx, conn, q, func(f *frame.Frame) error {
			unsent = send(f)
			return unsent
		})
	})
	if unsent != nil {
		return unsent
	}
	return err
}

// with lends a connection to use, which returns the query it executed.
func (d *database) with(ctx context.Context, use func(*sql.Conn) (executed string, err error)) error {
	conn, err := d.db.Conn(ctx)
	if err != nil {
		return d.fault(ctx, err, "")
	}
	defer conn.Close()
	if d.prepare != nil {
		end, err := d.prepare(ctx, conn)
		if err != nil {
			return d.fault(ctx, err, "")
		}
		defer end()
	}
	if executed, err := use(conn); err != nil {
		return d.fault(ctx, err, executed)
	}
	return nil
}

// fault says whose fault an error is: the asker's, the query's or the
// database's, but hardly ours.
func (d *database) fault(ctx context.Context, err error, query string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if _, ok := errors.AsType[*plugin.Error](err); ok {
		return err
	}
	if message, ok := d.refused(err, query); ok {
		return plugin.BadRequest("query: %s", message)
	}
	message := err.Error()
	if strings.Contains(message, " arguments, got ") { // database/sql, about parameters, has no type for it
		return plugin.BadRequest("query: %s", strings.TrimPrefix(message, "sql: "))
	}
	if d.plain != nil {
		message = d.plain(err)
	}
	if failure, ok := errors.AsType[*net.OpError](err); ok && failure.Op == "dial" {
		message = "cannot connect: " + failure.Err.Error()
	}
	return plugin.Downstream(fmt.Errorf("%s at %s: %s", d.product, d.place, message))
}
