package schema

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// draft is the JSON Schema that documents are written in.
const draft = "https://json-schema.org/draft/2020-12/schema"

// What JSON Schema has no words for: the resource that lists the values of a
// field, or the words of a text; the language that a text is in; and the group
// of a form that a field stands in.
const (
	keyOptions  = "x-plugboard-options"
	keyLanguage = "x-plugboard-language"
	keyGroup    = "x-plugboard-group"
)

// Object is a JSON object that keeps its order: that of fields is the one in
// which people are to fill them in. The zero Object is empty.
type Object struct {
	keys   []string
	values map[string]any
}

// Set adds a member, or replaces it where it stands.
func (o *Object) Set(key string, value any) {
	if o.values == nil {
		o.values = map[string]any{}
	}
	if _, known := o.values[key]; !known {
		o.keys = append(o.keys, key)
	}
	o.values[key] = value
}

// Has tells whether there is a member.
func (o *Object) Has(key string) bool { return o.values[key] != nil }

// Len counts the members.
func (o *Object) Len() int { return len(o.keys) }

// MarshalJSON writes the members in order.
func (o *Object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, key := range o.keys {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(o.values[key])
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Writer writes the schemas of types into one document.
type Writer struct {
	// defs are the types that have themselves inside.
	defs  Object
	names map[reflect.Type]string
}

// Document returns a schema that was made of the writer's, as a whole.
func (w *Writer) Document(body *Object) *Object {
	o := &Object{}
	o.Set("$schema", draft)
	for _, key := range body.keys {
		o.Set(key, body.values[key])
	}
	if w.defs.Len() > 0 {
		o.Set("$defs", &w.defs)
	}
	return o
}

// Type returns the schema of a type. Fields of the outermost object that only
// refuses are left out.
func (w *Writer) Type(t *Type, only func(key string) bool) *Object {
	if t.root.kind != kindStruct {
		return w.node(t.root, tags{})
	}
	return w.structure(t.root, only, t.common)
}

// Field returns the schema of a field of the outermost object, and whether it
// is required; nil if there is no such field.
func (w *Writer) Field(t *Type, key string) (*Object, bool) {
	for _, f := range t.root.fields {
		if f.key == key {
			return w.field(f), f.tags.required
		}
	}
	return nil, false
}

// Secrets returns the schema of the object that has the secrets of a type, nil
// if there are none.
func (w *Writer) Secrets(t *Type) *Object {
	if len(t.Secrets) == 0 {
		return nil
	}
	var properties Object
	var required []string
	for _, s := range t.Secrets {
		o := &Object{}
		annotate(o, s.tags)
		o.Set("type", "string")
		o.Set("writeOnly", true)
		if s.Required {
			o.Set("minLength", 1)
			required = append(required, s.Key)
		}
		properties.Set(s.Key, o)
	}
	return ObjectOf(&properties, required)
}

// ObjectOf returns the schema of an object.
func ObjectOf(properties *Object, required []string) *Object {
	o := &Object{}
	o.Set("type", "object")
	if properties.Len() > 0 {
		o.Set("properties", properties)
	}
	if len(required) > 0 {
		o.Set("required", required)
	}
	return o
}

func (w *Writer) structure(n *node, only func(string) bool, common []string) *Object {
	var properties Object
	var required []string
	for _, f := range n.fields {
		if only != nil && !only(f.key) {
			continue
		}
		properties.Set(f.key, w.field(f))
		if f.tags.required {
			required = append(required, f.key)
		}
	}
	var patterns Object
	if n.strict {
		for _, key := range common {
			if prefix, open := strings.CutSuffix(key, "*"); open {
				patterns.Set("^"+prefix, true)
			} else if _, known := properties.values[key]; !known {
				properties.Set(key, true)
			}
		}
	}
	o := ObjectOf(&properties, required)
	if patterns.Len() > 0 {
		o.Set("patternProperties", &patterns)
	}
	if n.strict {
		o.Set("additionalProperties", false)
	}
	return o
}

func (w *Writer) field(f *field) *Object {
	if f.quoted {
		o := &Object{}
		annotate(o, f.tags)
		o.Set("type", "string")
		return o
	}
	return w.node(f.node, f.tags)
}

// annotate writes what is for people.
func annotate(o *Object, t tags) {
	if t.title != "" {
		o.Set("title", t.title)
	}
	if t.description != "" {
		o.Set("description", t.description)
	}
	if t.format != "" {
		o.Set("format", t.format)
	}
	if t.fallback != nil {
		o.Set("default", t.fallback)
	}
	if len(t.examples) > 0 {
		o.Set("examples", t.examples)
	}
	if t.options != "" {
		o.Set(keyOptions, t.options)
	}
	if t.language != "" {
		o.Set(keyLanguage, t.language)
	}
	if t.group != "" {
		o.Set(keyGroup, t.group)
	}
}

func (w *Writer) node(n *node, t tags) *Object {
	o := &Object{}
	annotate(o, t)
	if n.recursive && n.kind != kindCustom {
		o.Set("$ref", "#/$defs/"+w.define(n))
		return o
	}
	w.shape(o, n, t)
	return o
}

// define writes a type that has itself inside once, and returns its name.
func (w *Writer) define(n *node) string {
	if name, known := w.names[n.typ]; known {
		return name
	}
	if w.names == nil {
		w.names = map[reflect.Type]string{}
	}
	base := n.typ.Name()
	if base == "" || strings.ContainsAny(base, "/[].") {
		base = "type"
	}
	name := base
	for i := 2; slices.Contains(slices.Collect(maps.Values(w.names)), name); i++ {
		name = base + strconv.Itoa(i)
	}
	w.names[n.typ] = name
	o := &Object{}
	w.shape(o, n, tags{})
	w.defs.Set(name, o)
	return name
}

// shape writes what JSON a value is.
func (w *Writer) shape(o *Object, n *node, t tags) {
	switch n.kind {
	case kindBool:
		o.Set("type", "boolean")
	case kindInteger:
		o.Set("type", "integer")
		integerBounds(o, n.typ, t)
	case kindNumber:
		o.Set("type", "number")
		bounds(o, t)
	case kindString, kindText:
		o.Set("type", "string")
		if t.required && n.kind == kindString {
			o.Set("minLength", 1)
		}
		if t.pattern != nil {
			o.Set("pattern", t.pattern.String())
		}
	case kindTime:
		o.Set("type", "string")
		o.Set("format", "date-time")
	case kindDuration:
		o.Set("type", []string{"string", "integer"})
		o.Set("pattern", durationForm)
		if t.examples == nil {
			o.Set("examples", []string{"30s", "1h30m"})
		}
	case kindBytes:
		o.Set("type", "string")
		o.Set("contentEncoding", "base64")
	case kindArray:
		w.list(o, n, t)
		return
	case kindMap:
		o.Set("type", "object")
		if isInteger(n.typ.Key().Kind()) {
			o.Set("propertyNames", map[string]string{"pattern": "^-?[0-9]+$"})
		}
		if elem := w.node(n.elem, tags{}); elem.Len() > 0 {
			o.Set("additionalProperties", elem)
		}
	case kindStruct:
		body := w.structure(n, nil, nil)
		for _, key := range body.keys {
			o.Set(key, body.values[key])
		}
	}
	if len(t.enum) > 0 {
		o.Set("enum", t.enum)
	}
}

// list writes an array. What tags say of values, they say of its elements.
func (w *Writer) list(o *Object, n *node, t tags) {
	o.Set("type", "array")
	if t.required {
		o.Set("minItems", 1)
	}
	one := tags{enum: t.enum, pattern: t.pattern, min: t.min, max: t.max}
	if elem := w.node(n.elem, one); elem.Len() > 0 {
		o.Set("items", elem)
	}
}

// integerBounds writes the range of types that are smaller than what JSON's
// numbers hold anyway.
func integerBounds(o *Object, t reflect.Type, given tags) {
	bits := t.Bits()
	unsigned := t.Kind() >= reflect.Uint
	low, high := -math.Pow(2, float64(bits-1)), math.Pow(2, float64(bits-1))-1
	if unsigned {
		low, high = 0, math.Pow(2, float64(bits))-1
	}
	if given.min == nil && (bits < 64 || unsigned) {
		given.min = &low
	}
	if given.max == nil && bits < 64 {
		given.max = &high
	}
	bounds(o, given)
}

func bounds(o *Object, t tags) {
	if t.min != nil {
		o.Set("minimum", *t.min)
	}
	if t.max != nil {
		o.Set("maximum", *t.max)
	}
}
