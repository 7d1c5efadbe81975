// Package framejson writes and reads frames in the JSON form that the web, and
// newer plugins, speak: {"schema":{…},"data":{"values":[column, …]}}.
//
// What it writes equals the official SDK's output byte for byte wherever that
// output is valid JSON.
package framejson

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"github.com/plugboard/plugboard/frame"
)

// Include says which parts of a frame to write.
type Include uint8

// The parts: the schema is name, ref id, meta and fields; the data is the rows.
const (
	IncludeAll Include = iota
	IncludeDataOnly
	IncludeSchemaOnly
)

// Append appends the JSON of f to dst. What f.Validate finds is an error, and
// so is a Meta or Config that does not marshal; dst is then returned as it was.
//
// A JSON cell is written as it is, or as null if it is empty or not valid JSON.
// Apart from growing dst, a column of numbers, strings, bools or times makes no
// allocation.
func Append(dst []byte, f *frame.Frame, include Include) ([]byte, error) {
	if err := f.Validate(); err != nil {
		return dst, err
	}
	out := output{b: slices.Grow(dst, sizeHint(f, include))}
	if err := out.frame(frame.Frames{f}, include); err != nil {
		return dst, err
	}
	return out.b, nil
}

// buffers holds *[]byte for inPieces.
var buffers = sync.Pool{New: func() any { return new(make([]byte, 0, 2*flushSize)) }}

// Write writes what Append appends, in pieces: it holds little of the JSON at a
// time, however large the frame is. (A cell is never split.) What Append finds
// wrong, Write finds before it writes anything; any other error is w's.
func Write(w io.Writer, f *frame.Frame, include Include) error {
	return WriteBatches(w, frame.Frames{f}, include)
}

// WriteBatches is Write for a frame that comes in pieces, as
// frame.UnmarshalBatches returns it: their rows become one frame, with the schema
// of the first. There is at least one piece, and their fields are of the same
// types.
func WriteBatches(w io.Writer, batches frame.Frames, include Include) error {
	if err := checkBatches(batches); err != nil {
		return err
	}
	return inPieces(w, func(out *output) error { return out.frame(batches, include) })
}

// inPieces hands w what write makes, through a buffer that is used again.
func inPieces(w io.Writer, write func(*output) error) error {
	buffer := buffers.Get().(*[]byte)
	out := output{b: (*buffer)[:0], w: w}
	defer func() {
		if cap(out.b) <= 16*flushSize {
			*buffer = out.b
			buffers.Put(buffer)
		}
	}()
	if err := write(&out); err != nil {
		return err
	}
	out.flush(1)
	return out.err
}

func checkBatches(batches frame.Frames) error {
	if len(batches) == 0 {
		return errors.New("no frame to write")
	}
	for i, f := range batches {
		if err := f.Validate(); err != nil {
			return err
		}
		if !slices.EqualFunc(f.Fields, batches[0].Fields, func(a, b *frame.Field) bool { return a.Type() == b.Type() }) {
			return fmt.Errorf("frame %q: batch %d has other fields than the first", f.Name, i)
		}
	}
	return nil
}

// frame writes a frame that comes in batches. Only the schema can fail, and it is written first.
func (o *output) frame(batches frame.Frames, include Include) error {
	f := batches[0]
	o.b = append(o.b, '{')
	if include != IncludeDataOnly {
		var err error
		if o.b, err = appendSchema(append(o.b, `"schema":`...), f); err != nil {
			return fmt.Errorf("frame %q: %w", f.Name, err)
		}
	}
	if include == IncludeAll {
		o.b = append(o.b, ',')
	}
	if include != IncludeSchemaOnly {
		o.b = append(o.b, `"data":`...)
		o.data(batches)
	}
	o.b = append(o.b, '}')
	return nil
}

func appendSchema(b []byte, f *frame.Frame) ([]byte, error) {
	b = append(b, '{')
	if f.Name != "" {
		b = append(appendName(append(b, `"name":`...), f.Name), ',')
	}
	if f.RefID != "" {
		b = append(appendName(append(b, `"refId":`...), f.RefID), ',')
	}
	if f.Meta != nil {
		var err error
		if b, err = appendMarshalled(append(b, `"meta":`...), f.Meta); err != nil {
			return b, fmt.Errorf("meta: %w", err)
		}
		b = append(b, ',')
	}
	b = append(b, `"fields":[`...)
	for i, field := range f.Fields {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendField(b, field); err != nil {
			return b, fmt.Errorf("field %q: %w", field.Name, err)
		}
	}
	return append(b, "]}"...), nil
}

func appendField(b []byte, f *frame.Field) ([]byte, error) {
	b = append(b, '{')
	if f.Name != "" {
		b = append(appendName(append(b, `"name":`...), f.Name), ',')
	}
	b = append(append(b, `"type":"`...), f.Type().Kind()...)
	b = append(append(b, `","typeInfo":{"frame":"`...), f.Type().String()...)
	b = append(b, '"')
	if f.Nullable() {
		b = append(b, `,"nullable":true`...)
	}
	b = append(b, '}')
	if f.Labels != nil {
		b = appendLabels(append(b, `,"labels":`...), f.Labels)
	}
	if f.Config != nil {
		var err error
		if b, err = appendMarshalled(append(b, `,"config":`...), f.Config); err != nil {
			return b, fmt.Errorf("config: %w", err)
		}
	}
	return append(b, '}'), nil
}

func appendLabels(b []byte, labels frame.Labels) []byte {
	b = append(b, '{')
	for i, key := range slices.Sorted(maps.Keys(labels)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendName(b, key), ':')
		b = appendName(b, labels[key])
	}
	return append(b, '}')
}

// appendMarshalled appends v as encoding/json writes it, apart from two
// spellings that the official output has otherwise: exponents of two digits
// (1e-07) and \u0008, \u000c for \b, \f.
func appendMarshalled(b []byte, v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return b, err
	}
	inString := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		b = append(b, c)
		switch {
		case c == '"':
			inString = !inString
		case c == '\\':
			i++
			b = appendEscape(b[:len(b)-1], text[i])
		case c == '-' && !inString && i > 0 && text[i-1] == 'e' && (i+2 == len(text) || !isDigit(text[i+2])):
			b = append(b, '0')
		}
	}
	return b, nil
}

// appendEscape appends the escape that begins with \c.
func appendEscape(b []byte, c byte) []byte {
	switch c {
	case 'b':
		return append(b, `\u0008`...)
	case 'f':
		return append(b, `\u000c`...)
	}
	return append(b, '\\', c)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
