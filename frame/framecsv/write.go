// Package framecsv writes frames as comma-separated values.
package framecsv

import (
	"fmt"
	"io"
	"strconv"
	"sync"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/internal/cell"
)

// flushSize is how much text is collected before it is handed on.
const flushSize = 32 << 10

// Write writes frames as one table, as RFC 4180 has it: a line of headings, then
// a line for each row, ended by CR LF, the rows of one frame after those of
// another. The columns are the Headings of all frames, each once; cells are empty
// where a frame lacks the column. Without any fields it writes nothing.
//
// A null is empty, an empty string is "" in quotes; so is a null that has its
// line for itself, since readers skip empty lines. Times are RFC 3339 in UTC, as
// precise as they are; enums are their names, floats are as in JSON, and NaN,
// +Inf or -Inf. JSON is text like any other.
//
// What Validate finds in any of the frames is an error before anything is
// written; any other error is w's. Write holds a few rows in memory.
func Write(w io.Writer, frames ...*frame.Frame) error {
	for _, f := range frames {
		if err := f.Validate(); err != nil {
			return err
		}
	}
	out := begin(w)
	t := tableOf(frames)
	out.headings(t.headings)
	for _, f := range frames {
		out.rows(f, t.places(f.Headings()), len(t.headings))
	}
	return out.end()
}

// Writer writes frames one after the other, as Write does, as rows of a table
// whose columns are known before. It holds no rows. A Writer belongs to one
// goroutine.
type Writer struct {
	w     io.Writer
	table table
	begun bool
}

// NewWriter returns a writer of a table that has the columns of these frames,
// whose rows do not matter. Nothing is written yet.
func NewWriter(w io.Writer, columns ...*frame.Frame) *Writer {
	return &Writer{w: w, table: tableOf(columns)}
}

// Write writes the rows of a frame, the first time below the headings. What
// Validate finds is an error, and so is a column that the table lacks; then
// nothing of the frame is written. Any other error is w's.
func (w *Writer) Write(f *frame.Frame) error {
	if err := f.Validate(); err != nil {
		return err
	}
	headings := f.Headings()
	for _, heading := range headings {
		if _, known := w.table.column[heading]; !known {
			return fmt.Errorf("frame %q has the column %q, which is not among the headings of the table", f.Name, heading)
		}
	}
	out := begin(w.w)
	if !w.begun {
		w.begun = true
		out.headings(w.table.headings)
	}
	out.rows(f, w.table.places(headings), len(w.table.headings))
	return out.end()
}

// table is what frames are parts of.
type table struct {
	headings []string
	column   map[string]int // of each heading
}

func tableOf(frames frame.Frames) table {
	t := table{column: map[string]int{}}
	for _, f := range frames {
		for _, heading := range f.Headings() {
			if _, known := t.column[heading]; !known {
				t.column[heading] = len(t.headings)
				t.headings = append(t.headings, heading)
			}
		}
	}
	return t
}

// places returns the column of each heading.
func (t table) places(headings []string) []int {
	places := make([]int, len(headings))
	for i, heading := range headings {
		places[i] = t.column[heading]
	}
	return places
}

// output is lines on their way to w.
type output struct {
	w   io.Writer
	b   []byte
	err error // w's first
}

// outputs holds *output whose buffers are used again.
var outputs = sync.Pool{New: func() any { return &output{b: make([]byte, 0, flushSize+4096)} }}

func begin(w io.Writer) *output {
	out := outputs.Get().(*output)
	out.w = w
	return out
}

// end writes what is left. The output is not to be used after it.
func (o *output) end() error {
	o.flush()
	err := o.err
	if o.w, o.err = nil, nil; cap(o.b) <= 16*flushSize {
		outputs.Put(o)
	}
	return err
}

func (o *output) headings(headings []string) {
	for i, heading := range headings {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = appendText(o.b, []byte(heading))
	}
	if len(headings) > 0 {
		o.endLine()
	}
}

// rows writes the rows of a frame whose fields have these places among so many
// columns.
func (o *output) rows(f *frame.Frame, places []int, columns int) {
	form := cell.Form{Text: appendText, JSON: appendText, NotFinite: appendNotFinite}
	if columns == 1 {
		form.Null = `""`
	}
	if columns == 0 {
		return
	}
	printers := make([]cell.Printer, columns)
	for i, print := range form.Printers(f) {
		printers[places[i]] = print
	}
	for row := 0; row < f.Rows() && o.err == nil; row++ {
		for i, print := range printers {
			if i > 0 {
				o.b = append(o.b, ',')
			}
			if print != nil {
				o.b = print(o.b, row)
			}
		}
		o.endLine()
	}
}

func (o *output) endLine() {
	if o.b = append(o.b, "\r\n"...); len(o.b) >= flushSize {
		o.flush()
	}
}

func (o *output) flush() {
	if o.err == nil && len(o.b) > 0 {
		_, o.err = o.w.Write(o.b)
	}
	o.b = o.b[:0]
}

// appendText quotes what would not be read as it is, and what is empty.
func appendText(b, text []byte) []byte {
	if !needsQuotes(text) {
		return append(b, text...)
	}
	b = append(b, '"')
	for _, c := range text {
		if c == '"' {
			b = append(b, '"')
		}
		b = append(b, c)
	}
	return append(b, '"')
}

// needsQuotes also tells of space at the ends, which some readers drop.
func needsQuotes(text []byte) bool {
	if len(text) == 0 || text[0] == ' ' || text[len(text)-1] == ' ' {
		return true
	}
	for _, c := range text {
		if c == ',' || c == '"' || c < ' ' {
			return true
		}
	}
	return false
}

func appendNotFinite(b []byte, v float64) []byte { return strconv.AppendFloat(b, v, 'g', -1, 64) }
