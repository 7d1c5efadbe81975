package frame

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
	"unsafe"
)

// The tables around a schema and a record batch, and where in them their fields
// lie: the numbers of Arrow's Message.fbs and File.fbs are the order of the
// arguments.
var (
	messageLayout = layoutOf(20, messageVersion, messageKind, messageHeader, messageBody).with(messageVersion, arrowV5)
	batchLayout   = layoutOf(20, batchLength, batchNodes, batchBuffers)
	footerLayout  = layoutOf(20, footerVersion, footerSchema, footerDictionaries, footerBatches).with(footerVersion, arrowV5)
)

const (
	arrowV5 = 4

	messageHeader, messageBody, messageVersion, messageKind        = 4, 8, 16, 18
	batchNodes, batchLength, batchBuffers                          = 4, 8, 16
	footerSchema, footerDictionaries, footerBatches, footerVersion = 4, 8, 12, 16

	headerSchema, headerBatch = 1, 3 // kinds of messages
)

// endOfStream stands where the next message would begin.
const endOfStream = "\xff\xff\xff\xff\x00\x00\x00\x00"

// bufferAlignment is what each buffer of a record batch is padded to.
const bufferAlignment = 64

// padding returns how many bytes n lacks to a multiple of bufferAlignment.
func padding(n int) int { return -n & (bufferAlignment - 1) }

var zeros [bufferAlignment]byte

// MarshalArrow returns the frame as an Arrow IPC file of one record batch, of
// none if the frame has no rows. What Validate finds is an error.
//
// Each column is copied once, into memory of the file's exact size.
func (f *Frame) MarshalArrow() ([]byte, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	w := flatWriter{make([]byte, 0, 512+512*len(f.Fields))}
	schema, err := w.schemaMessage(f)
	if err != nil {
		return nil, fmt.Errorf("frame %q: write arrow: %w", f.Name, err)
	}
	batch := len(w.b)
	body := 0
	if f.Rows() > 0 {
		body = w.batchMessage(f)
	}
	footer := len(w.b)
	w.footer(schema, batch, body)

	// A builder's memory is not cleared before it is written to, which make's
	// would be. It is nobody else's once the builder is gone.
	var out strings.Builder
	out.Grow(len(magic) + 2 + footer + body + len(endOfStream) + len(w.b) - footer + 4 + len(magic))
	out.WriteString(magic + "\x00\x00")
	out.Write(w.b[:footer])
	if body > 0 {
		_ = f.writeBody(&out)
	}
	out.WriteString(endOfStream)
	out.Write(binary.LittleEndian.AppendUint32(w.b[footer:], uint32(len(w.b)-footer)))
	out.WriteString(magic)
	return unsafe.Slice(unsafe.StringData(out.String()), out.Len()), nil
}

// schemaPlace is where in a flatWriter a schema lies.
type schemaPlace struct{ begin, end int }

// schemaMessage appends a schema message.
func (w *flatWriter) schemaMessage(f *Frame) (place schemaPlace, err error) {
	begun := w.beginMessage()
	m := w.root(messageLayout)
	w.b[m+messageKind] = headerSchema
	w.align(8)
	place.begin = len(w.b)
	if err = w.schema(m+messageHeader, f); err != nil {
		return place, err
	}
	w.endMessage(begun)
	place.end = len(w.b)
	return place, nil
}

// batchMessage appends the message ahead of a record batch, and returns the
// length of the body that is to follow.
func (w *flatWriter) batchMessage(f *Frame) (body int) {
	begun := w.beginMessage()
	m := w.root(messageLayout)
	w.b[m+messageKind] = headerBatch
	t := w.table(m+messageHeader, batchLayout)
	w.put64(t+batchLength, int64(f.Rows()))
	w.vector(t+batchNodes, len(f.Fields), 8)
	buffers := 0
	for _, field := range f.Fields {
		w.append64(int64(field.Len()))
		w.append64(int64(field.col.nulls))
		_, n := field.buffers()
		buffers += n
	}
	w.vector(t+batchBuffers, buffers, 8)
	for _, field := range f.Fields {
		all, n := field.buffers()
		for _, buffer := range all[:n] {
			w.append64(int64(body))
			w.append64(int64(len(buffer)))
			body += len(buffer) + padding(len(buffer))
		}
	}
	w.put64(m+messageBody, int64(body))
	w.endMessage(begun)
	return body
}

// buffers returns the n buffers of the field's column, as Arrow counts them.
func (f *Field) buffers() (all [3][]byte, n int) {
	c := &f.col
	if c.nulls > 0 {
		all[0] = c.valid
	}
	if f.typ != String && f.typ != JSON {
		all[1] = c.data
		return all, 2
	}
	all[1], all[2] = bytesOf(c.offsets), c.data
	return all, 3
}

// writeBody writes the buffers of a record batch, padded.
func (f *Frame) writeBody(w io.Writer) error {
	for _, field := range f.Fields {
		all, n := field.buffers()
		for _, buffer := range all[:n] {
			if _, err := w.Write(buffer); err != nil {
				return err
			}
			if _, err := w.Write(zeros[:padding(len(buffer))]); err != nil {
				return err
			}
		}
	}
	return nil
}

// beginMessage appends what stands ahead of a message, and returns its
// position. Its length is put in by endMessage.
func (w *flatWriter) beginMessage() int {
	w.b = binary.LittleEndian.AppendUint32(w.b, math.MaxUint32)
	w.b = append(w.b, 0, 0, 0, 0)
	return len(w.b) - 8
}

func (w *flatWriter) endMessage(begun int) {
	w.align(8)
	w.put32(begun+4, uint32(len(w.b)-begun-8))
}

// footer appends the footer of a file whose schema is already in w, as part of
// the file's first message, and whose record batch has its message at batch in
// w, up to here; body is the length of what follows it.
func (w *flatWriter) footer(schema schemaPlace, batch, body int) {
	end := len(w.b)
	t := w.root(footerLayout)
	w.vector(t+footerDictionaries, 0, 4)
	if batch == end {
		w.vector(t+footerBatches, 0, 8)
	} else {
		w.vector(t+footerBatches, 1, 8)
		w.append64(int64(len(magic) + 2 + batch))
		w.append64(int64(end - batch)) // an int32, and nothing
		w.append64(int64(body))
	}
	w.align(8)
	// A table is led to past its vtable.
	w.put32(t+footerSchema, uint32(len(w.b)+len(schemaLayout.bytes)-schemaLayout.size-t-footerSchema))
	w.b = append(w.b, w.b[schema.begin:schema.end]...)
}
