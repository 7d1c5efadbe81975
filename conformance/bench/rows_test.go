//go:build unix

package bench

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data/sqlutil"

	"github.com/plugboard/plugboard/plugin/sqlframe"
)

// rowsDatabase answers every query with as many rows of a time, a text, a float
// and a whole number, which it has ready.
type rowsDatabase int

func (d rowsDatabase) Connect(context.Context) (driver.Conn, error) { return d, nil }
func (d rowsDatabase) Driver() driver.Driver                        { return nil }
func (d rowsDatabase) Prepare(string) (driver.Stmt, error)          { return nil, errors.ErrUnsupported }
func (d rowsDatabase) Close() error                                 { return nil }
func (d rowsDatabase) Begin() (driver.Tx, error)                    { return nil, errors.ErrUnsupported }
func (d rowsDatabase) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &rowsCursor{
		left:  int(d),
		cells: []driver.Value{time.UnixMilli(1704164645000), "host.example", 12.5, int64(1 << 40)},
		types: []string{"TIMESTAMPTZ", "TEXT", "FLOAT8", "INT8"},
	}, nil
}

type rowsCursor struct {
	left  int
	cells []driver.Value
	types []string
}

func (c *rowsCursor) Columns() []string                          { return []string{"time", "host", "value", "count"} }
func (c *rowsCursor) Close() error                               { return nil }
func (c *rowsCursor) ColumnTypeDatabaseTypeName(i int) string    { return c.types[i] }
func (c *rowsCursor) ColumnTypeScanType(i int) reflect.Type      { return reflect.TypeOf(c.cells[i]) }
func (c *rowsCursor) ColumnTypeNullable(int) (nullable, ok bool) { return true, true }
func (c *rowsCursor) Next(to []driver.Value) error {
	if c.left--; c.left < 0 {
		return io.EOF
	}
	copy(to, c.cells)
	return nil
}

// BenchmarkRowsToFrame reads the rows of a database/sql query. The database
// takes nothing itself.
func BenchmarkRowsToFrame(b *testing.B) {
	const rows = 100_000
	db := sql.OpenDB(rowsDatabase(rows))
	b.Cleanup(func() { _ = db.Close() })
	run := func(b *testing.B, read func(*sql.Rows) (int, error)) {
		reportCPU(b, func() {
			for b.Loop() {
				answer, err := db.Query("")
				if err != nil {
					b.Fatal(err)
				}
				if n, err := read(answer); err != nil || n != rows {
					b.Fatal(n, err)
				}
				_ = answer.Close()
			}
		})
	}
	b.Run("100000x4/ours", func(b *testing.B) {
		run(b, func(answer *sql.Rows) (int, error) {
			f, err := sqlframe.Reader{}.Read(answer)
			if err != nil {
				return 0, err
			}
			return f[0].Rows(), nil
		})
	})
	b.Run("100000x4/official", func(b *testing.B) {
		run(b, func(answer *sql.Rows) (int, error) {
			f, err := sqlutil.FrameFromRows(answer, -1)
			if err != nil {
				return 0, err
			}
			return f.Rows(), nil
		})
	})
}
