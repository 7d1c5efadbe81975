package tape

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"math"
	"reflect"
	"testing"
	"time"
)

// shop is a database of one answer, which has values of all types.
type shop struct{ asked int }

func (s *shop) open(t *testing.T) *sql.DB {
	db := sql.OpenDB(s)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func (s *shop) Connect(context.Context) (driver.Conn, error) { return s, nil }
func (s *shop) Driver() driver.Driver                        { return nil }
func (s *shop) Prepare(string) (driver.Stmt, error)          { return nil, errors.New("not here") }
func (s *shop) Close() error                                 { return nil }
func (s *shop) Begin() (driver.Tx, error)                    { return noTx{}, nil }

func (s *shop) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	s.asked++
	return driver.RowsAffected(7), nil
}

func (s *shop) QueryContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	if s.asked++; query == "refused" {
		return nil, errors.New("no, open-sesame")
	}
	return &shelves{rows: [][]driver.Value{
		{nil, int64(-1 << 62), math.Inf(1), true, "it's <open-sesame>", []byte("text"), []byte{0xff, 0}, time.Date(1955, 11, 5, 6, 15, 0, 1, time.FixedZone("", 3600)), uint64(1 << 63), float32(0.1), "hunter2"},
	}}, nil
}

type shelves struct {
	rows [][]driver.Value
	row  int
	set  int
}

func (s *shelves) Columns() []string {
	if s.set == 1 {
		return []string{"only"}
	}
	return []string{"null", "int", "float", "bool", "text", "bytes", "blob", "time", "big", "small", "password"}
}

func (s *shelves) ColumnTypeDatabaseTypeName(i int) string { return "T" + s.Columns()[i] }
func (s *shelves) ColumnTypeScanType(i int) reflect.Type {
	if i == 0 {
		return reflect.TypeFor[sql.NullInt64]()
	}
	return reflect.TypeFor[string]()
}
func (s *shelves) Close() error           { return nil }
func (s *shelves) HasNextResultSet() bool { return s.set == 0 }
func (s *shelves) NextResultSet() error {
	if s.set == 1 {
		return io.EOF
	}
	s.set, s.row, s.rows = 1, 0, [][]driver.Value{{int64(1)}, {int64(2)}}
	return nil
}

func (s *shelves) Next(to []driver.Value) error {
	if s.row == len(s.rows) {
		return io.EOF
	}
	copy(to, s.rows[s.row])
	s.row++
	return nil
}
