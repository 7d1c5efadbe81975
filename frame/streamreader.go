package frame

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// StreamReader reads an Arrow IPC stream. It belongs to one goroutine.
type StreamReader struct {
	r      io.Reader
	schema *Frame // without rows
	reader reader
	err    error
}

// NewStreamReader returns a reader of the stream that r holds, after reading its
// schema.
func NewStreamReader(r io.Reader) (*StreamReader, error) {
	s := &StreamReader{r: r}
	message, _, err := s.message(headerSchema)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		flat, root := readFlat(message[8:])
		s.schema, err = s.reader.frame(flat, root.table(2))
	}
	if err != nil {
		return nil, fmt.Errorf("read arrow: %w", err)
	}
	return s, nil
}

// Schema returns the stream's frame, without rows. It is the reader's: not to be
// changed.
func (s *StreamReader) Schema() *Frame { return s.schema }

// Next returns the rows of the next record batch, in a frame of the stream's
// schema, and io.EOF after the last. The columns are views of memory that is the
// frame's own. Its meta, labels and configs are shared with the other frames of
// the stream.
//
// Whatever the stream holds, Next takes memory in proportion to what it has
// read.
func (s *StreamReader) Next() (*Frame, error) {
	if s.err != nil {
		return nil, s.err
	}
	f, err := s.next()
	if err != nil {
		if err != io.EOF {
			err = fmt.Errorf("read arrow: %w", err)
		}
		s.err = err
		return nil, err
	}
	return f, nil
}

func (s *StreamReader) next() (*Frame, error) {
	message, body, err := s.message(headerBatch)
	if err != nil {
		return nil, err
	}
	f := s.schema.empty()
	s.reader.room = maxExpansion * (len(message) + len(body))
	if err := s.reader.addBatch(f, message, body); err != nil {
		return nil, fmt.Errorf("record batch: %w", err)
	}
	return f, nil
}

// message reads a message of that kind, with what stands ahead of it, and the
// body behind it. It returns io.EOF at the end of the stream.
func (s *StreamReader) message(kind uint8) (message, body []byte, err error) {
	head, err := s.read(nil, 8)
	if err != nil {
		// A stream may also just end.
		if err == io.ErrUnexpectedEOF && len(head) == 0 {
			err = io.EOF
		}
		return nil, nil, err
	}
	if binary.LittleEndian.Uint32(head) != math.MaxUint32 {
		return nil, nil, errors.New("not an Arrow stream")
	}
	length := binary.LittleEndian.Uint32(head[4:])
	if length == 0 {
		return nil, nil, io.EOF
	}
	if message, err = s.read(head, int64(length)); err != nil {
		return nil, nil, err
	}
	flat, root := readFlat(message[8:])
	got, bodyLength := root.uint8(1), root.int64(3)
	switch {
	case flat.err != nil:
		return nil, nil, flat.err
	case got == 2:
		return nil, nil, errors.New("dictionary-encoded columns are not known here")
	case got != kind:
		return nil, nil, fmt.Errorf("a message of kind %d where one of kind %d is expected", got, kind)
	case bodyLength < 0 || bodyLength > math.MaxInt64-int64(length):
		return nil, nil, fmt.Errorf("a body of %d bytes", bodyLength)
	}
	body, err = s.read(nil, bodyLength)
	return message, body, err
}

// firstRead is how much is made room for before any of it has come.
const firstRead = 64 << 10

// read appends the next n bytes to b. What is claimed to come is not believed:
// room grows as bytes arrive.
func (s *StreamReader) read(b []byte, n int64) ([]byte, error) {
	for n > 0 {
		step := int(min(n, max(firstRead, int64(len(b)))))
		b = slices.Grow(b, step)
		got, err := io.ReadFull(s.r, b[len(b):len(b)+step])
		b = b[:len(b)+got]
		if n -= int64(got); err == io.EOF {
			return b, io.ErrUnexpectedEOF
		} else if err != nil {
			return b, err
		}
	}
	return b, nil
}
