package main

import (
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framecsv"
)

// rows prints rows as they come, each at once.
type rows struct {
	output output
	w      io.Writer

	headings []string
	table    *framecsv.Writer
	widths   []int
	schema   []byte // of the packets to come
}

// raw prints a line as it is.
func (r *rows) raw(line []byte) error { return r.write(string(line) + "\n") }

// add prints the rows of a frame: below those before, if their columns are the
// same, else below headings of their own.
func (r *rows) add(f *frame.Frame) error {
	headings := f.Headings()
	if r.output == "csv" {
		return r.addCSV(f, headings)
	}
	var text strings.Builder
	columns := make([][]string, len(f.Fields))
	for i, field := range f.Fields {
		columns[i] = tableColumn(field, headings[i])
	}
	first := 1 // after the headings
	if !slices.Equal(headings, r.headings) {
		if r.headings != nil {
			text.WriteByte('\n')
		}
		first, r.headings, r.widths = 0, headings, make([]int, len(columns))
	}
	r.widen(columns)
	for row := first; row < f.Rows()+1; row++ {
		text.WriteString(r.line(f, columns, row) + "\n")
	}
	return r.write(text.String())
}

func (r *rows) addCSV(f *frame.Frame, headings []string) error {
	if !slices.Equal(headings, r.headings) {
		r.headings, r.table = headings, framecsv.NewWriter(r.w, f)
	}
	if err := r.table.Write(f); err != nil {
		return failed("print: %w", err)
	}
	return nil
}

// widen makes columns as wide as what has come so far, so that most of what
// comes later fits.
func (r *rows) widen(columns [][]string) {
	for i, column := range columns {
		for _, cell := range column {
			r.widths[i] = max(r.widths[i], utf8.RuneCountInString(cell))
		}
	}
}

func (r *rows) line(f *frame.Frame, columns [][]string, row int) string {
	var line strings.Builder
	for i, column := range columns {
		gap := strings.Repeat(" ", r.widths[i]-utf8.RuneCountInString(column[row]))
		if f.Fields[i].Type().Kind() == "number" {
			line.WriteString(gap + column[row] + "  ")
		} else {
			line.WriteString(column[row] + gap + "  ")
		}
	}
	return strings.TrimRight(line.String(), " ")
}

func (r *rows) write(text string) error {
	if _, err := io.WriteString(r.w, text); err != nil {
		return failed("print: %w", err)
	}
	return nil
}
