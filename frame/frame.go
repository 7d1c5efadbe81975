// Package frame holds tables of typed columns that are Arrow buffers from the
// start, and writes and reads them as the Arrow files that plugins and hosts
// exchange.
//
// A column is a typed slice, a validity bitmap and, for strings and JSON, a
// slice of offsets: what Arrow puts on the wire. Marshalling copies each of
// them once; unmarshalling looks at the received bytes where they lie.
//
// A Frame and its Fields may be read from many goroutines at once, and written
// by one that has them to itself.
package frame

import (
	"errors"
	"fmt"
)

// Frame is a table: a name, the ref id of the query it answers, and columns of
// equal length.
type Frame struct {
	Name   string
	RefID  string
	Meta   *Meta // nil: none is sent
	Fields []*Field
}

// Frames is what one query answers.
type Frames []*Frame

// New returns a frame of these fields, which it then shares with the caller.
func New(name string, fields ...*Field) *Frame {
	return &Frame{Name: name, Fields: fields}
}

// Rows returns the length of the first field, 0 without fields. Validate tells
// whether the other fields are as long.
func (f *Frame) Rows() int {
	if len(f.Fields) == 0 || f.Fields[0] == nil {
		return 0
	}
	return f.Fields[0].Len()
}

// Field returns the first field of that name, nil if there is none.
func (f *Frame) Field(name string) *Field {
	for _, field := range f.Fields {
		if field != nil && field.Name == name {
			return field
		}
	}
	return nil
}

// Validate reports everything that keeps the frame from being sent: a field
// that is nil, that has no type, that holds a value its column cannot
// represent, or that is longer or shorter than the first.
func (f *Frame) Validate() error {
	var errs []error
	for i, field := range f.Fields {
		switch {
		case field == nil:
			errs = append(errs, fmt.Errorf("field %d is nil", i))
		case field.typ == 0:
			errs = append(errs, fmt.Errorf("field %q has no type: make it with NewField or NewFieldOf", field.Name))
		case field.err != nil:
			errs = append(errs, field.err)
		case field.Len() != f.Rows():
			errs = append(errs, fmt.Errorf("field %q has %d rows, the first field %d", field.Name, field.Len(), f.Rows()))
		}
	}
	if errs != nil {
		return fmt.Errorf("frame %q: %w", f.Name, errors.Join(errs...))
	}
	return nil
}
