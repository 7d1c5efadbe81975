package frame

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// The keys of the schema's and the fields' Arrow metadata.
const (
	keyName   = "name"
	keyRefID  = "refId"
	keyMeta   = "meta"
	keyKind   = "tstype"
	keyLabels = "labels"
	keyConfig = "config"
)

// arrowTypes are the Arrow types of the columns.
var arrowTypes = [...]arrow.DataType{
	Int8:     arrow.PrimitiveTypes.Int8,
	Int16:    arrow.PrimitiveTypes.Int16,
	Int32:    arrow.PrimitiveTypes.Int32,
	Int64:    arrow.PrimitiveTypes.Int64,
	Uint8:    arrow.PrimitiveTypes.Uint8,
	Uint16:   arrow.PrimitiveTypes.Uint16,
	Uint32:   arrow.PrimitiveTypes.Uint32,
	Uint64:   arrow.PrimitiveTypes.Uint64,
	Float32:  arrow.PrimitiveTypes.Float32,
	Float64:  arrow.PrimitiveTypes.Float64,
	Bool:     arrow.FixedWidthTypes.Boolean,
	String:   arrow.BinaryTypes.String,
	Time:     &arrow.TimestampType{Unit: arrow.Nanosecond},
	JSON:     arrow.BinaryTypes.Binary,
	EnumType: arrow.PrimitiveTypes.Uint16,
}

// MarshalArrow returns the frame as an Arrow IPC file of one record batch, of
// none if the frame has no rows. What Validate finds is an error.
func (f *Frame) MarshalArrow() ([]byte, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	schema, err := f.arrowSchema()
	if err != nil {
		return nil, fmt.Errorf("frame %q: %w", f.Name, err)
	}
	out := bytes.NewBuffer(make([]byte, 0, f.sizeHint()))
	w, err := ipc.NewFileWriter(out, ipc.WithSchema(schema))
	if err != nil {
		return nil, fmt.Errorf("frame %q: write arrow: %w", f.Name, err)
	}
	if f.Rows() > 0 {
		err = w.Write(f.recordBatch(schema))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("frame %q: write arrow: %w", f.Name, err)
	}
	return out.Bytes(), nil
}

// sizeHint is a little over the size of the frame's Arrow file if its metadata
// is of the usual size.
func (f *Frame) sizeHint() int {
	size := 1024
	for _, field := range f.Fields {
		c := &field.col
		size += len(c.valid) + 4*len(c.offsets) + len(c.data) + 3*64 + 2*256
	}
	return size
}

func (f *Frame) arrowSchema() (*arrow.Schema, error) {
	// In the order of their keys, as arrow.MetadataFrom would put them.
	keys, values := []string{keyName, keyRefID}, []string{f.Name, f.RefID}
	if f.Meta != nil {
		meta, err := json.Marshal(f.Meta)
		if err != nil {
			return nil, fmt.Errorf("meta: %w", err)
		}
		keys = []string{keyMeta, keyName, keyRefID}
		values = []string{string(meta), f.Name, f.RefID}
	}
	meta := arrow.NewMetadata(keys, values)
	fields := make([]arrow.Field, len(f.Fields))
	for i, field := range f.Fields {
		var err error
		if fields[i], err = field.arrowField(); err != nil {
			return nil, fmt.Errorf("field %q: %w", field.Name, err)
		}
	}
	return arrow.NewSchema(fields, &meta), nil
}

func (f *Field) arrowField() (arrow.Field, error) {
	keys, values := make([]string, 0, 3), make([]string, 0, 3)
	add := func(key string, v any) error {
		b, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		keys, values = append(keys, key), append(values, string(b))
		return nil
	}
	if f.Config != nil {
		if err := add(keyConfig, f.Config); err != nil {
			return arrow.Field{}, err
		}
	}
	if f.Labels != nil {
		if err := add(keyLabels, f.Labels); err != nil {
			return arrow.Field{}, err
		}
	}
	keys, values = append(keys, keyKind), append(values, f.typ.Kind())
	return arrow.Field{
		Name:     f.Name,
		Type:     arrowTypes[f.typ],
		Nullable: f.nullable,
		Metadata: arrow.NewMetadata(keys, values),
	}, nil
}

// recordBatch wraps the columns without copying them.
func (f *Frame) recordBatch(schema *arrow.Schema) arrow.RecordBatch {
	arrays := make([]arrow.Array, len(f.Fields))
	for i, field := range f.Fields {
		arrays[i] = field.arrowArray()
	}
	return array.NewRecordBatch(schema, arrays, int64(f.Rows()))
}

func (f *Field) arrowArray() arrow.Array {
	c := &f.col
	buffers := make([]*memory.Buffer, 0, 3)
	var valid *memory.Buffer
	if c.nulls > 0 {
		valid = memory.NewBufferBytes(c.valid)
	}
	buffers = append(buffers, valid)
	if f.typ == String || f.typ == JSON {
		buffers = append(buffers, memory.NewBufferBytes(bytesOf(c.offsets)))
	}
	buffers = append(buffers, memory.NewBufferBytes(c.data))
	return array.MakeFromData(array.NewData(arrowTypes[f.typ], c.n, buffers, nil, c.nulls, 0))
}
