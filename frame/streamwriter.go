package frame

import (
	"errors"
	"fmt"
	"io"
	"maps"
)

// StreamWriter writes frames of one schema as an Arrow IPC stream: the schema
// once, then a record batch for each frame. It holds no rows. A StreamWriter
// belongs to one goroutine.
type StreamWriter struct {
	w      io.Writer
	first  *Frame // its fields have no rows
	failed error  // w's, after which the stream is broken
}

// NewStreamWriter returns a writer of a stream to w. Nothing is written yet.
func NewStreamWriter(w io.Writer) *StreamWriter { return &StreamWriter{w: w} }

// Write writes the rows of f. The first frame gives the stream its schema: name,
// ref id, meta, and the fields with their labels and configs. The fields of the
// following ones must have the same names, labels, types and nullability; their
// names, metas and configs are not sent. What Validate finds is an error, after
// which more frames may be written.
func (s *StreamWriter) Write(f *Frame) error {
	if s.failed != nil {
		return s.failed
	}
	if err := f.Validate(); err != nil {
		return err
	}
	w := flatWriter{make([]byte, 0, 256+128*len(f.Fields))}
	if s.first == nil {
		if _, err := w.schemaMessage(f); err != nil {
			return fmt.Errorf("frame %q: write arrow: %w", f.Name, err)
		}
	} else if err := s.first.sameFields(f); err != nil {
		return fmt.Errorf("frame %q: write arrow: %w", f.Name, err)
	}
	if f.Rows() > 0 {
		w.batchMessage(f)
	}
	if len(w.b) > 0 {
		_, s.failed = s.w.Write(w.b)
	}
	if s.failed == nil && f.Rows() > 0 {
		s.failed = f.writeBody(s.w)
	}
	if s.first == nil {
		s.first = f.empty()
	}
	return s.failed
}

// Close writes the mark at the stream's end. It does not close the writer
// below. A stream of no frames has no schema, and cannot be closed.
func (s *StreamWriter) Close() error {
	switch {
	case s.failed != nil:
		return s.failed
	case s.first == nil:
		return errors.New("write arrow: a stream needs a frame, if one without rows")
	}
	_, s.failed = io.WriteString(s.w, endOfStream)
	return s.failed
}

// empty returns the frame without rows.
func (f *Frame) empty() *Frame {
	without := &Frame{Name: f.Name, RefID: f.RefID, Meta: f.Meta, Fields: make([]*Field, len(f.Fields))}
	for i, field := range f.Fields {
		without.Fields[i] = &Field{Name: field.Name, Labels: field.Labels, Config: field.Config, typ: field.typ, nullable: field.nullable}
	}
	return without
}

// sameFields tells where g's fields are others than f's.
func (f *Frame) sameFields(g *Frame) error {
	if len(f.Fields) != len(g.Fields) {
		return fmt.Errorf("%d fields in a stream of %d", len(g.Fields), len(f.Fields))
	}
	for i, want := range f.Fields {
		switch got := g.Fields[i]; {
		case got.Name != want.Name:
			return fmt.Errorf("field %d is %q, in the stream it is %q", i, got.Name, want.Name)
		case got.typ != want.typ || got.nullable != want.nullable:
			return fmt.Errorf("field %q holds %v (nullable: %t), in the stream %v (%t)", got.Name, got.typ, got.nullable, want.typ, want.nullable)
		case !maps.Equal(got.Labels, want.Labels):
			return fmt.Errorf("field %q has labels %v, in the stream %v", got.Name, got.Labels, want.Labels)
		}
	}
	return nil
}
