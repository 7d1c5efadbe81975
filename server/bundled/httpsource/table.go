package httpsource

import (
	"errors"
	"fmt"
	"strings"

	"github.com/plugboard/plugboard/frame"
)

const (
	maxColumns = 1000
	// maxCells bounds a frame: a row may name columns that no other has.
	maxCells = 50_000_000
	// maxText bounds the text of one column, whose offsets are int32.
	maxText = 1<<31 - 1
)

// kind is what a cell was in the response.
type kind uint8

const (
	kindText kind = 1 << iota // whose type is to be found
	kindString
	kindNumber
	kindBool
	kindJSON
)

// table collects rows of cells whose types are not known yet.
type table struct {
	columns []*column
	byPath  map[string]*column
	// fixed: the query names the columns, and others are left out.
	fixed   bool
	rows    int
	limit   int
	full    bool // there were more rows than limit
	notices []frame.Notice
}

// column is the cells of one column that are not null, as text.
type column struct {
	columnModel
	rows  []int32 // which row each cell is of, ascending
	kinds []kind
	ends  []int32 // where in text each cell ends
	text  []byte
}

var errFull = errors.New("enough rows")

func newTable(columns []columnModel, limit int) *table {
	t := &table{byPath: map[string]*column{}, fixed: len(columns) > 0, limit: limit}
	for _, c := range columns {
		if c.Name == "" {
			c.Name = c.Path
		}
		t.columns = append(t.columns, &column{columnModel: c})
	}
	return t
}

func (t *table) notice(text string) {
	t.notices = append(t.notices, frame.Notice{Severity: frame.Warning, Text: text})
}

// begin starts a row; it fails with errFull if there is no room.
func (t *table) begin() error {
	if t.rows == t.limit {
		if !t.full {
			t.notice(fmt.Sprintf("only the first %d rows are shown: the data source's rowLimit", t.limit))
		}
		t.full = true
		return errFull
	}
	t.rows++
	return nil
}

// column is the one for a path, where the query does not name columns.
func (t *table) column(path []byte) (*column, error) {
	if c := t.byPath[string(path)]; c != nil {
		return c, nil
	}
	if len(t.columns) == maxColumns {
		return nil, fmt.Errorf("the rows have more than %d columns: name those to take in the query's columns", maxColumns)
	}
	name := string(path)
	c := &column{columnModel: columnModel{Path: name, Name: name}}
	t.columns = append(t.columns, c)
	t.byPath[name] = c
	return c, nil
}

// add sets the cell of this row; the last one set counts.
func (t *table) add(c *column, k kind, text []byte) error {
	row := int32(t.rows - 1)
	if n := len(c.rows); n > 0 && c.rows[n-1] == row {
		c.rows, c.kinds, c.ends = c.rows[:n-1], c.kinds[:n-1], c.ends[:n-1]
		c.text = c.text[:c.start(n-1)]
	}
	if len(c.text)+len(text) > maxText {
		return fmt.Errorf("column %s has more than 2 GiB of text", c.Name)
	}
	c.text = append(c.text, text...)
	c.rows, c.kinds, c.ends = append(c.rows, row), append(c.kinds, k), append(c.ends, int32(len(c.text)))
	return nil
}

func (c *column) start(i int) int {
	if i == 0 {
		return 0
	}
	return int(c.ends[i-1])
}

func (c *column) cell(i int) []byte { return c.text[c.start(i):c.ends[i]] }

// frame gives the columns their types.
func (t *table) frame(timeFormat string) (*frame.Frame, error) {
	if cells := int64(t.rows) * int64(len(t.columns)); cells > maxCells {
		return nil, fmt.Errorf("the answer has %d rows of %d columns, more than %d cells in all: name the columns to take", t.rows, len(t.columns), maxCells)
	}
	f := &frame.Frame{Meta: &frame.Meta{Type: frame.TypeTable, TypeVersion: [2]uint{0, 1}}}
	for _, c := range t.columns {
		if t.fixed && t.rows > 0 && len(c.rows) == 0 {
			t.notice(fmt.Sprintf("column %s: no row has anything at %q", c.Name, c.Path))
		}
		field, odd := c.field(t.rows, timeFormat)
		if odd > 0 {
			t.notice(fmt.Sprintf("column %s: %d of the values are no %s, and left out", c.Name, odd, c.Type))
		}
		f.Fields = append(f.Fields, field)
	}
	f.Meta.Notices = t.notices
	return f, nil
}

// names makes names of columns unlike each other.
func names(all []string) []string {
	seen := map[string]int{}
	unlike := make([]string, len(all))
	for i, name := range all {
		name = strings.TrimSpace(name)
		if name == "" {
			name = fmt.Sprintf("column %d", i+1)
		}
		if seen[name]++; seen[name] > 1 {
			name = fmt.Sprintf("%s %d", name, seen[name])
		}
		unlike[i] = name
	}
	return unlike
}
