package frame

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
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

// The tables of an Arrow schema, and where in them their fields lie: the
// numbers of Arrow's Schema.fbs are the order of the arguments.
var (
	schemaLayout = layoutOf(16, 12, schemaFields, schemaMetadata).with(12, endianness())
	fieldLayout  = layoutOf(24, fieldName, fieldNullable, fieldKind, fieldType, 0, fieldChildren, fieldMetadata)
	pairLayout   = layoutOf(12, pairKey, pairValue)
)

const (
	schemaFields, schemaMetadata            = 4, 8
	fieldName, fieldType                    = 4, 8
	fieldChildren, fieldMetadata            = 12, 16
	fieldNullable, fieldKind                = 20, 21
	pairKey, pairValue                      = 4, 8
	arrowNanoseconds, arrowSingle, arrowDbl = 3, 1, 2
)

// endianness is 1 where columns are big-endian, as in Schema.fbs.
func endianness() byte { return byte(binary.NativeEndian.Uint16([]byte{0, 1})) & 1 }

// arrowTypes are the Arrow types of the columns.
var arrowTypes = [...]struct {
	kind   arrowKind
	layout layout
}{
	Int8:     {kindInt, intLayout(8, 1)},
	Int16:    {kindInt, intLayout(16, 1)},
	Int32:    {kindInt, intLayout(32, 1)},
	Int64:    {kindInt, intLayout(64, 1)},
	Uint8:    {kindInt, intLayout(8, 0)},
	Uint16:   {kindInt, intLayout(16, 0)},
	Uint32:   {kindInt, intLayout(32, 0)},
	Uint64:   {kindInt, intLayout(64, 0)},
	Float32:  {kindFloatingPoint, layoutOf(8, 4).with(4, arrowSingle)},
	Float64:  {kindFloatingPoint, layoutOf(8, 4).with(4, arrowDbl)},
	Bool:     {kindBool, layoutOf(4)},
	String:   {kindUtf8, layoutOf(4)},
	Time:     {kindTimestamp, layoutOf(8, 4).with(4, arrowNanoseconds)},
	JSON:     {kindBinary, layoutOf(4)},
	EnumType: {kindInt, intLayout(16, 0)},
}

func intLayout(bits, signed byte) layout {
	return layoutOf(12, 4, 8).with(4, bits).with(8, signed)
}

// schema appends the frame's schema, which the offset at from leads to. It lies
// in one piece, at a multiple of 8, with no offset leading out of it: it may be
// copied to another such place.
func (w *flatWriter) schema(from int, f *Frame) error {
	s := w.table(from, schemaLayout)
	// Pairs are in the order of their keys, as arrow-go has them.
	if f.Meta == nil {
		pairs := w.offsets(s+schemaMetadata, 2)
		w.pair(pairs, keyName, f.Name)
		w.pair(pairs+4, keyRefID, f.RefID)
	} else {
		pairs := w.offsets(s+schemaMetadata, 3)
		if err := w.jsonPair(pairs, keyMeta, f.Meta); err != nil {
			return err
		}
		w.pair(pairs+4, keyName, f.Name)
		w.pair(pairs+8, keyRefID, f.RefID)
	}
	fields := w.offsets(s+schemaFields, len(f.Fields))
	for i, field := range f.Fields {
		if err := w.field(fields+4*i, field); err != nil {
			return fmt.Errorf("field %q: %w", field.Name, err)
		}
	}
	return nil
}

func (w *flatWriter) field(from int, f *Field) error {
	arrow := &arrowTypes[f.typ]
	t := w.table(from, fieldLayout)
	w.b[t+fieldKind] = byte(arrow.kind)
	if f.nullable {
		w.b[t+fieldNullable] = 1
	}
	w.string(t+fieldName, f.Name)
	w.table(t+fieldType, arrow.layout)
	w.vector(t+fieldChildren, 0, 4) // some readers insist on it
	n := 1
	if f.Config != nil {
		n++
	}
	if f.Labels != nil {
		n++
	}
	pair := w.offsets(t+fieldMetadata, n)
	if f.Config != nil {
		if err := w.jsonPair(pair, keyConfig, f.Config); err != nil {
			return err
		}
		pair += 4
	}
	if f.Labels != nil {
		p := w.table(pair, pairLayout)
		w.string(p+pairKey, keyLabels)
		begun := w.begin(p + pairValue)
		w.b = appendLabels(w.b, f.Labels)
		w.end(begun)
		pair += 4
	}
	w.pair(pair, keyKind, f.typ.Kind())
	return nil
}

func (w *flatWriter) pair(from int, key, value string) {
	t := w.table(from, pairLayout)
	w.string(t+pairKey, key)
	w.string(t+pairValue, value)
}

func (w *flatWriter) jsonPair(from int, key string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	w.pair(from, key, string(text))
	return nil
}

// appendLabels appends what json.Marshal would return.
func appendLabels(b []byte, labels Labels) []byte {
	var room [8]string
	keys := slices.AppendSeq(room[:0], maps.Keys(labels))
	slices.Sort(keys)
	b = append(b, '{')
	for i, key := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendQuoted(b, key), ':')
		b = appendQuoted(b, labels[key])
	}
	return append(b, '}')
}

func appendQuoted(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			text, _ := json.Marshal(s) // a string always marshals
			return append(b, text...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
