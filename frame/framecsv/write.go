// Package framecsv writes frames as comma-separated values.
package framecsv

import (
	"io"
	"strconv"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/internal/cell"
)

// flushSize is how much text is collected before it is handed on.
const flushSize = 32 << 10

// Write writes the frame as RFC 4180 has it: a line of f.Headings, then a line
// for each row, ended by CR LF. A frame without fields is nothing.
//
// A null is empty, an empty string is "" in quotes; so is a null that has its
// line for itself, since readers skip empty lines. Times are RFC 3339 in UTC, as
// precise as they are; enums are their names, floats are as in JSON, and NaN,
// +Inf or -Inf. JSON is text like any other.
//
// What f.Validate finds is an error before anything is written; any other error
// is w's. Write holds a few rows in memory.
func Write(w io.Writer, f *frame.Frame) error {
	if err := f.Validate(); err != nil || len(f.Fields) == 0 {
		return err
	}
	form := cell.Form{Text: appendText, JSON: appendText, NotFinite: appendNotFinite}
	if len(f.Fields) == 1 {
		form.Null = `""`
	}
	printers := form.Printers(f)
	b := make([]byte, 0, flushSize+4096)
	for i, heading := range f.Headings() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, []byte(heading))
	}
	b = append(b, "\r\n"...)
	for row := range f.Rows() {
		for i, print := range printers {
			if i > 0 {
				b = append(b, ',')
			}
			b = print(b, row)
		}
		b = append(b, "\r\n"...)
		if len(b) >= flushSize {
			if _, err := w.Write(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	_, err := w.Write(b)
	return err
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
