package tape

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// sqlAnswer is the result sets of a query, or the effect of a statement.
type sqlAnswer struct {
	Sets     []*resultSet `json:"sets,omitempty"`
	Affected int64        `json:"affected,omitempty"`
	LastID   int64        `json:"lastId,omitempty"`
}

type resultSet struct {
	Columns []sqlColumn `json:"columns"`
	Rows    [][]cell    `json:"rows"`
}

type sqlColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`           // as the database calls it
	Scan string `json:"scan,omitempty"` // as the driver does
}

// DB is a database that asks next and records what it answers, or answers from
// the recording; next may be nil then. It is closed with the test, and next is
// not. Errors come out of a recording with their text alone, and a connection's
// Raw does not reach the driver.
func (t *Tape) DB(next *sql.DB) *sql.DB {
	db := sql.OpenDB(connector{t, next})
	t.t.Cleanup(func() { _ = db.Close() })
	return db
}

type connector struct {
	tape *Tape
	next *sql.DB
}

func (c connector) Driver() driver.Driver { return nil }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	if !c.tape.record {
		return &conn{tape: c.tape}, nil
	}
	next, err := c.next.Conn(ctx)
	return &conn{c.tape, next}, err
}

// conn is a connection; next is nil when it only plays.
type conn struct {
	tape *Tape
	next *sql.Conn
}

func (c *conn) Close() error {
	if c.next == nil {
		return nil
	}
	return c.next.Close()
}

// CheckNamedValue takes what the database beneath will check.
func (c *conn) CheckNamedValue(*driver.NamedValue) error { return nil }

func (c *conn) Prepare(query string) (driver.Stmt, error) { return stmt{c, query}, nil }

func (c *conn) Begin() (driver.Tx, error) { return nil, errors.New("tape: use BeginTx") }

func (c *conn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	if c.next == nil {
		return noTx{}, nil
	}
	return c.next.BeginTx(ctx, &sql.TxOptions{Isolation: sql.IsolationLevel(options.Isolation), ReadOnly: options.ReadOnly})
}

type noTx struct{}

func (noTx) Commit() error   { return nil }
func (noTx) Rollback() error { return nil }

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	e, err := c.exchange(query, args, func(args []any) (*sqlAnswer, error) {
		rows, err := c.next.QueryContext(ctx, query, args...)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		return readSets(rows)
	})
	if err != nil {
		return nil, err
	}
	return &player{sets: e.SQL.Sets}, nil
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	e, err := c.exchange(query, args, func(args []any) (*sqlAnswer, error) {
		result, err := c.next.ExecContext(ctx, query, args...)
		if err != nil {
			return nil, err
		}
		answer := &sqlAnswer{}
		answer.Affected, _ = result.RowsAffected() // not every database tells
		answer.LastID, _ = result.LastInsertId()
		return answer, nil
	})
	if err != nil {
		return nil, err
	}
	return result{e.SQL}, nil
}

type result struct{ *sqlAnswer }

func (r result) LastInsertId() (int64, error) { return r.LastID, nil }
func (r result) RowsAffected() (int64, error) { return r.Affected, nil }

// exchange asks the database and records it, or plays.
func (c *conn) exchange(query string, args []driver.NamedValue, ask func([]any) (*sqlAnswer, error)) (*exchange, error) {
	lines := strings.Split(query, "\n")
	values := make([]any, len(args))
	for i, arg := range args {
		lines = append(lines, fmt.Sprintf("%s%d: %T %v", arg.Name, arg.Ordinal, arg.Value, arg.Value))
		if values[i] = arg.Value; arg.Name != "" {
			values[i] = sql.Named(arg.Name, arg.Value)
		}
	}
	if c.next == nil {
		e, err := c.tape.find(lines)
		if err == nil && e.SQL == nil {
			err = errors.New(e.Error)
		}
		return e, err
	}
	answer, err := ask(values)
	if err != nil {
		c.tape.add(&exchange{Ask: lines, Error: c.tape.hide.Replace(err.Error())})
		return nil, err
	}
	kept := &exchange{Ask: lines, SQL: answer.without(c.tape.hide)}
	c.tape.add(kept)
	return &exchange{SQL: answer}, nil
}

// without is the answer with its secrets taken out.
func (a *sqlAnswer) without(hide *strings.Replacer) *sqlAnswer {
	kept := *a
	kept.Sets = nil
	for _, set := range a.Sets {
		clean := &resultSet{Columns: set.Columns, Rows: make([][]cell, len(set.Rows))}
		for i, row := range set.Rows {
			for j, c := range row {
				clean.Rows[i] = append(clean.Rows[i], c.without(hide, secretName.MatchString(set.Columns[j].Name)))
			}
		}
		kept.Sets = append(kept.Sets, clean)
	}
	return &kept
}

func readSets(rows *sql.Rows) (*sqlAnswer, error) {
	answer := &sqlAnswer{}
	for more := true; more; more = rows.NextResultSet() {
		types, err := rows.ColumnTypes()
		if err != nil {
			return nil, err
		}
		set := &resultSet{Columns: []sqlColumn{}, Rows: [][]cell{}}
		for _, t := range types {
			c := sqlColumn{Name: t.Name(), Type: t.DatabaseTypeName()}
			if t.ScanType() != nil {
				c.Scan = t.ScanType().String()
			}
			set.Columns = append(set.Columns, c)
		}
		for rows.Next() {
			row, targets := make([]cell, len(types)), make([]any, len(types))
			for i := range row {
				targets[i] = &row[i].value
			}
			if err := rows.Scan(targets...); err != nil {
				return nil, err
			}
			set.Rows = append(set.Rows, row)
		}
		answer.Sets = append(answer.Sets, set)
	}
	return answer, rows.Err()
}

// stmt is a prepared statement, which asks like any other.
type stmt struct {
	*conn
	query string
}

func (stmt) Close() error  { return nil }
func (stmt) NumInput() int { return -1 } // the database beneath knows
func (stmt) Exec([]driver.Value) (driver.Result, error) {
	return nil, errors.New("tape: use ExecContext")
}
func (stmt) Query([]driver.Value) (driver.Rows, error) {
	return nil, errors.New("tape: use QueryContext")
}

func (s stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.conn.QueryContext(ctx, s.query, args)
}

func (s stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.conn.ExecContext(ctx, s.query, args)
}

// player is the rows of an answer.
type player struct {
	sets []*resultSet
	set  int
	row  int
}

func (p *player) current() *resultSet {
	if p.set < len(p.sets) {
		return p.sets[p.set]
	}
	return &resultSet{}
}

func (p *player) Columns() []string {
	names := []string{}
	for _, c := range p.current().Columns {
		names = append(names, c.Name)
	}
	return names
}

func (p *player) ColumnTypeDatabaseTypeName(i int) string { return p.current().Columns[i].Type }

func (p *player) ColumnTypeScanType(i int) reflect.Type {
	if known, ok := scanTypes[p.current().Columns[i].Scan]; ok {
		return known
	}
	return reflect.TypeFor[any]()
}

func (p *player) Close() error           { return nil }
func (p *player) HasNextResultSet() bool { return p.set+1 < len(p.sets) }
func (p *player) NextResultSet() error {
	if !p.HasNextResultSet() {
		return io.EOF
	}
	p.set, p.row = p.set+1, 0
	return nil
}

func (p *player) Next(to []driver.Value) error {
	set := p.current()
	if p.row == len(set.Rows) {
		return io.EOF
	}
	for i, c := range set.Rows[p.row] {
		to[i] = c.value
	}
	p.row++
	return nil
}
