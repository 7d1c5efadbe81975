package sqlframe

import (
	"database/sql"
	"fmt"

	"github.com/plugboard/plugboard/frame"
)

// Read reads rows into tables of nullable fields, named as the columns are: one
// table for each result set. It does not close the rows.
//
// A column's type is that of the database: numbers of all sizes as they are,
// decimals as float64; times and dates as times, in UTC if they are without a
// zone; JSON as JSON; everything else, arrays, intervals, times of day and
// types that are not known here among it, as text. Bytes are hexadecimal, of
// databases other than PostgreSQL only where they are not UTF-8. In SQLite every
// value has a type of its own, so there a column has the narrowest type that
// holds all of them. Times before 1677 or after 2262 become null, with a notice.
// Columns may share a name. Where the row limit is reached, nothing more is read.
func (r Reader) Read(rows *sql.Rows) (frame.Frames, error) {
	var tables frame.Frames
	_, err := r.read(rows, 0, func(table *frame.Frame) error {
		tables = append(tables, table)
		return nil
	})
	return tables, err
}

// read hands the tables to send, and each in pieces of so many rows unless that
// is 0. It tells how many it sent.
func (r Reader) read(rows *sql.Rows, piece int, send func(*frame.Frame) error) (sent int, err error) {
	for more := true; more; more = rows.NextResultSet() {
		types, err := rows.ColumnTypes()
		if err != nil {
			return sent, err
		}
		if len(types) == 0 { // a statement without rows
			continue
		}
		set := r.newResultSet(types, piece)
		if sent > 0 {
			set.name = fmt.Sprint("result ", sent+1)
		}
		sent++
		if limited, err := set.read(rows, send); limited || err != nil {
			return sent, err
		}
	}
	return sent, rows.Err()
}

// resultSet is one table that is being read.
type resultSet struct {
	name    string
	columns []column
	targets []any // the columns, as Scan wants them
	limit   int
	piece   int // rows; 0 for all
	size    int // of the texts and the like since the last piece, in bytes
}

func (r Reader) newResultSet(types []*sql.ColumnType, piece int) *resultSet {
	set := &resultSet{limit: r.Limit, piece: piece}
	if set.limit <= 0 {
		set.limit = defaultLimit
	}
	for _, t := range types {
		c := r.column(t, &set.size)
		set.columns, set.targets = append(set.columns, c), append(set.targets, c)
	}
	return set
}

// read reads up to the limit, and tells whether it was reached. A table of no
// rows is sent, too.
func (s *resultSet) read(rows *sql.Rows, send func(*frame.Frame) error) (limited bool, err error) {
	pending := 0
	for n := 0; rows.Next(); n++ {
		if n == s.limit {
			last := s.table()
			warn(last, "only the first %d rows are shown: the row limit was reached", s.limit)
			return true, send(last)
		}
		if s.piece > 0 && (pending == s.piece || s.size > pieceBytes) {
			if err := send(s.table()); err != nil {
				return false, err
			}
			pending, s.size = 0, 0
		}
		if err := rows.Scan(s.targets...); err != nil {
			return false, fmt.Errorf("row %d: %w", n+1, err)
		}
		pending++
	}
	if err := rows.Err(); err != nil {
		return false, err
	}
	return false, send(s.table())
}

// table is what was read since the last one.
func (s *resultSet) table() *frame.Frame {
	table := &frame.Frame{Name: s.name, Meta: &frame.Meta{Type: frame.TypeTable, TypeVersion: [2]uint{0, 1}}}
	for _, c := range s.columns {
		field, times := c.end()
		if times > 0 {
			warn(table, "column %q: times before 1677 or after 2262 are shown as null: %d", field.Name, times)
		}
		table.Fields = append(table.Fields, field)
	}
	return table
}

func warn(f *frame.Frame, format string, args ...any) {
	f.Meta.Notices = append(f.Meta.Notices, frame.Notice{Severity: frame.Warning, Text: fmt.Sprintf(format, args...)})
}
