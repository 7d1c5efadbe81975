package frame

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// magic begins and ends an Arrow file.
const magic = "ARROW1"

var errNoFile = errors.New("not an Arrow file")

// UnmarshalArrow reads an Arrow IPC file. The frame's columns are views of b:
// b must not change while the frame, or a string, JSON value or slice taken
// from it, is in use. Appending to the frame's fields does not write to b.
//
// Columns are copied where they cannot be views: several record batches become
// one column, string views become strings, and a buffer that is not aligned for
// its type is moved.
//
// Whatever is in b, it ends in a frame or an error, and takes memory in
// proportion to b. (This is why arrow-go does not read here: it takes the sizes
// in a file for granted and allocates them.) Unlike arrow-go it knows neither
// compressed nor dictionary-encoded batches, which no plugin sends.
func UnmarshalArrow(b []byte) (*Frame, error) {
	var f *Frame
	err := readFile(b, func(schema *Frame, batch func(into *Frame) error) error {
		f = schema
		return batch(f)
	})
	if err != nil {
		return nil, fmt.Errorf("read arrow: %w", err)
	}
	return f, nil
}

// UnmarshalBatches is UnmarshalArrow that joins nothing: it returns a frame for
// each record batch of the file, in order, and one without rows if there is
// none. They share name, meta, labels and configs. It is for writers of other
// formats, which can take one after the other.
func UnmarshalBatches(b []byte) (Frames, error) {
	var batches Frames
	err := readFile(b, func(schema *Frame, batch func(into *Frame) error) error {
		f := schema.empty()
		batches = append(batches, f)
		return batch(f)
	})
	if err != nil {
		return nil, fmt.Errorf("read arrow: %w", err)
	}
	return batches, nil
}

// readFile calls add for each record batch of an Arrow file, or once for a file
// of none. The schema is the same frame each time, batch appends the rows.
func readFile(b []byte, add func(schema *Frame, batch func(into *Frame) error) error) error {
	raw, err := footerOf(b)
	if err != nil {
		return err
	}
	flat, footer := readFlat(raw)
	// Footer: 0 version, 1 schema, 2 dictionaries, 3 record batches.
	r := &reader{room: maxExpansion * len(b)}
	schema, err := r.frame(flat, footer.table(1))
	if err != nil {
		return err
	}
	blocks, n := footer.vector(3, 24)
	if flat.err == nil && n == 0 {
		return add(schema, func(*Frame) error { return nil })
	}
	end := int64(0)
	for i := range n {
		// Block: int64 offset, int32 length of the metadata, 4 bytes of
		// nothing, int64 length of the body.
		at := blocks + 24*i
		offset, meta, body := flat.int64(at), int64(int32(flat.uint32(at+8))), flat.int64(at+16)
		size := int64(len(b))
		if offset < end || meta < 8 || body < 0 || offset > size || meta > size-offset || body > size-offset-meta {
			return fmt.Errorf("record batch %d does not lie in the file behind the one before", i)
		}
		end = offset + meta + body
		err := add(schema, func(into *Frame) error { return r.addBatch(into, b[offset:offset+meta], b[offset+meta:end]) })
		if err != nil {
			return fmt.Errorf("record batch %d: %w", i, err)
		}
	}
	return flat.err
}

// footerOf returns the flatbuffer at the end of an Arrow file.
func footerOf(b []byte) ([]byte, error) {
	tail := len(b) - len(magic) - 4
	if tail < 8 || string(b[:len(magic)]) != magic || string(b[tail+4:]) != magic {
		return nil, errNoFile
	}
	length := int64(binary.LittleEndian.Uint32(b[tail:]))
	if length > int64(tail-8) {
		return nil, errors.New("the footer is longer than the file")
	}
	return b[tail-int(length) : tail], nil
}

// frame returns a frame of that schema, without rows.
func (r *reader) frame(flat *flat, schema table) (*Frame, error) {
	// Schema: 0 endianness, 1 fields, 2 metadata.
	if flat.err == nil && schema.pos == 0 {
		return nil, errors.New("no schema")
	}
	if big := binary.NativeEndian.Uint16([]byte{0, 1}) == 1; (schema.int16(0) == 1) != big {
		return nil, errors.New("the file was written on a machine of the other byte order")
	}
	meta := metadata(schema, 2)
	f := &Frame{Name: meta[keyName], RefID: meta[keyRefID]}
	if err := readMetadata(meta, keyMeta, &f.Meta); err != nil {
		return nil, err
	}
	fields, n := schema.vector(1, 4)
	for i := range n {
		a := flat.tableAt(fields + 4*i)
		if flat.err != nil {
			break
		}
		field, isView, err := fieldOf(a)
		if err != nil {
			return nil, fmt.Errorf("field %q: %w", a.string(0), err)
		}
		f.Fields, r.views = append(f.Fields, field), append(r.views, isView)
	}
	return f, flat.err
}

// fieldOf returns a field without rows, and whether its strings come as views.
func fieldOf(a table) (*Field, bool, error) {
	// Field: 0 name, 1 nullable, 2 kind of type, 3 type, 4 dictionary,
	// 5 children, 6 metadata.
	f := &Field{Name: a.string(0), nullable: a.uint8(1) != 0}
	meta := metadata(a, 6)
	if err := readMetadata(meta, keyLabels, &f.Labels); err != nil {
		return nil, false, err
	}
	if err := readMetadata(meta, keyConfig, &f.Config); err != nil {
		return nil, false, err
	}
	if a.field(4) != 0 {
		return nil, false, errors.New("dictionary-encoded columns are not known here")
	}
	var err error
	if f.typ, err = typeOfArrow(arrowKind(a.uint8(2)), a.table(3)); err != nil {
		return nil, false, err
	}
	if f.typ == Uint16 && meta[keyKind] == EnumType.Kind() {
		f.typ = EnumType
	}
	return f, arrowKind(a.uint8(2)) == kindUtf8View, nil
}

// metadata returns the key-value pairs in a field.
func metadata(t table, slot int) map[string]string {
	pairs, n := t.vector(slot, 4)
	meta := make(map[string]string, min(n, 8))
	for i := range n {
		pair := t.f.tableAt(pairs + 4*i)
		if t.f.err != nil {
			break
		}
		meta[pair.string(0)] = pair.string(1)
	}
	return meta
}

// readMetadata reads the JSON under key, if there is any, into v.
func readMetadata(meta map[string]string, key string, v any) error {
	text, ok := meta[key]
	if !ok {
		return nil
	}
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// arrowKind is the kind of an Arrow type, as in its Schema.fbs.
type arrowKind uint8

const (
	kindInt           arrowKind = 2
	kindFloatingPoint arrowKind = 3
	kindBinary        arrowKind = 4
	kindUtf8          arrowKind = 5
	kindBool          arrowKind = 6
	kindTimestamp     arrowKind = 10
	kindUtf8View      arrowKind = 24
)

// arrowKinds are the names of the kinds, for messages.
var arrowKinds = [...]string{
	"none", "null", "int", "float", "binary", "utf8", "bool", "decimal", "date", "time", "timestamp", "interval",
	"list", "struct", "union", "fixed-size binary", "fixed-size list", "map", "duration", "large binary",
	"large utf8", "large list", "run-end encoded", "binary view", "utf8 view", "list view", "large list view",
}

func (k arrowKind) String() string {
	if int(k) < len(arrowKinds) {
		return arrowKinds[k]
	}
	return fmt.Sprintf("type %d", uint8(k))
}

// typeOfArrow returns the Type of an Arrow type.
func typeOfArrow(kind arrowKind, t table) (Type, error) {
	switch kind {
	case kindInt: // 0 bits, 1 signed
		bits := t.int32(0)
		for i, signed := range []Type{Int8, Int16, Int32, Int64} {
			if bits == 8<<i && t.uint8(1) != 0 {
				return signed, nil
			}
			if bits == 8<<i {
				return signed + (Uint8 - Int8), nil
			}
		}
		return 0, fmt.Errorf("integers of %d bits are not known here", bits)
	case kindFloatingPoint: // 0 precision: half, single, double
		switch t.int16(0) {
		case 1:
			return Float32, nil
		case 2:
			return Float64, nil
		}
		return 0, errors.New("floats of half precision are not known here")
	case kindTimestamp: // 0 unit: s, ms, us, ns
		if unit := t.int16(0); unit != 3 {
			return 0, fmt.Errorf("timestamps in units of 1e-%d s are not known here, only nanoseconds", 3*unit)
		}
		return Time, nil
	case kindBinary:
		return JSON, nil
	case kindUtf8, kindUtf8View:
		return String, nil
	case kindBool:
		return Bool, nil
	}
	return 0, fmt.Errorf("columns of Arrow's %v are not known here", kind)
}
