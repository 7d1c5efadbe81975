package framejson

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/internal/cell"
)

// WriteRows writes frames as newline-delimited JSON: an object for each row,
// each on its line, those of one frame after those of another. The keys are
// Headings. There is no schema.
//
// Times are strings in RFC 3339, in UTC, as precise as they are; enums are their
// names; NaN and the infinities are null, as nulls are. JSON cells are written
// as they are, without line breaks.
//
// What Validate finds in any of the frames is an error before anything is
// written; any other error is w's. WriteRows holds a few rows in memory.
func WriteRows(w io.Writer, frames ...*frame.Frame) error {
	for _, f := range frames {
		if err := f.Validate(); err != nil {
			return err
		}
	}
	return inPieces(w, func(out *output) error {
		for _, f := range frames {
			out.rows(f)
		}
		return nil
	})
}

func (o *output) rows(f *frame.Frame) {
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
	for row := 0; row < f.Rows() && o.err == nil; row++ {
		o.b = append(o.b, '{')
		for i, print := range printers {
			if i > 0 {
				o.b = append(o.b, ',')
			}
			o.b = print(append(o.b, keys[i]...), row)
		}
		o.b = append(o.b, "}\n"...)
		o.flush(flushSize)
	}
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
