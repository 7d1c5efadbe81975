package main

import (
	"encoding/csv"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/plugboard/plugboard/frame"
)

// rows prints rows as they come, each at once.
type rows struct {
	output output
	w      io.Writer

	headings []string
	widths   []int
	schema   []byte // of the packets to come
}

// raw prints a line as it is.
func (r *rows) raw(line []byte) error { return r.write(string(line) + "\n") }

// csv prints a record, and the headings before the first and whenever they
// change.
func (r *rows) csv(headings, record []string) error {
	var text strings.Builder
	out := csv.NewWriter(&text)
	out.UseCRLF = true
	if !slices.Equal(headings, r.headings) {
		r.headings = headings
		_ = out.Write(headings) // Flush has the error
	}
	_ = out.Write(record)
	out.Flush()
	return r.write(text.String())
}

// add prints the rows of a frame: below those before, if their columns are the
// same, else below headings of their own.
func (r *rows) add(f *frame.Frame) error {
	headings := make([]string, len(f.Fields))
	for i, field := range f.Fields {
		headings[i] = heading(field, i)
	}
	if r.output == "csv" {
		for row := range f.Rows() {
			record := make([]string, len(f.Fields))
			for i, field := range f.Fields {
				record[i], _ = cellText(field, row)
			}
			if err := r.csv(headings, record); err != nil {
				return err
			}
		}
		return nil
	}
	var text strings.Builder
	columns := make([][]string, len(f.Fields))
	for i, field := range f.Fields {
		columns[i] = tableColumn(field, i)
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
