package framejson

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/internal/cell"
)

// WriteRows writes the frame as newline-delimited JSON: an object for each row,
// each on its line. The keys are f.Headings. It has no schema.
//
// Times are strings in RFC 3339, in UTC, as precise as they are; enums are their
// names; NaN and the infinities are null, as nulls are. JSON cells are written
// as they are, without line breaks.
//
// What f.Validate finds is an error before anything is written; any other error
// is w's. WriteRows holds a few rows in memory.
func WriteRows(w io.Writer, f *frame.Frame) error {
	if err := f.Validate(); err != nil {
		return err
	}
	form := cell.Form{
		Null:      "null",
		Text:      appendString,
		JSON:      appendOneLine,
		NotFinite: func(b []byte, _ float64) []byte { return append(b, "null"...) },
	}
	printers := form.Printers(f)
	keys := make([][]byte, len(printers))
	for i, heading := range f.Headings() {
		keys[i] = append(appendString(nil, []byte(heading)), ':')
	}
	out := output{b: make([]byte, 0, 2*flushSize), w: w}
	for row := 0; row < f.Rows() && out.err == nil; row++ {
		out.b = append(out.b, '{')
		for i, print := range printers {
			if i > 0 {
				out.b = append(out.b, ',')
			}
			out.b = print(append(out.b, keys[i]...), row)
		}
		out.b = append(out.b, "}\n"...)
		out.flush(flushSize)
	}
	out.flush(1)
	return out.err
}

// appendOneLine appends a JSON cell, null if it is none.
func appendOneLine(b, text []byte) []byte {
	switch {
	case !json.Valid(text):
		return append(b, "null"...)
	case !bytes.ContainsAny(text, "\r\n"):
		return append(b, text...)
	}
	out := bytes.NewBuffer(b)
	_ = json.Compact(out, text) // it is valid
	return out.Bytes()
}
