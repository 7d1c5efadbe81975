// Package schema knows what JSON a Go type is decoded from: it writes that
// down as a JSON Schema, decodes by it, and says where JSON is wrong.
package schema

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"
)

// Type is a Go type, read with its tags. It may be used from many goroutines.
type Type struct {
	root *node
	// Text is the key of the outermost object that takes plain text, empty if
	// none does.
	Text string
	// Secrets are the fields that are not of JSON, each key once.
	Secrets []Secret
	// elsewhere and common are as in Options.
	elsewhere, common []string
	defaults          []fallback
}

// Secret is a field with the tag secret.
type Secret struct {
	Key      string
	Required bool
	tags     tags
}

// Options say what else there is beside the Go type.
type Options struct {
	// Elsewhere are keys of the outermost object whose values may come from
	// somewhere else: they are not missed in the JSON. Missing asks for them.
	Elsewhere []string
	// Common are keys that any such object may have, known or not.
	Common []string
}

// Of reads a type. The error says what about its fields and tags cannot be.
func Of(t reflect.Type, o Options) (*Type, error) {
	r := reader{types: map[reflect.Type]*node{}}
	s := &Type{elsewhere: o.Elsewhere, common: o.Common}
	s.root = r.read(t)
	s.Secrets = r.secrets
	s.readText(&r)
	r.findDefaults(s, s.root, nil)
	markChecked(r.types)
	return s, errors.Join(r.faults...)
}

// kind is what JSON a type takes, more or less.
type kind int

const (
	kindAny kind = iota // all JSON
	kindBool
	kindInteger
	kindNumber
	kindString
	kindBytes    // base64
	kindDuration // "1m30s", or nanoseconds
	kindText     // a string that the type itself reads
	kindTime
	kindCustom // JSON that the type itself reads
	kindArray
	kindMap
	kindStruct
)

// node is a type, pointers left out.
type node struct {
	typ  reflect.Type
	kind kind
	// elem is that of an array or map.
	elem   *node
	fields []*field
	strict bool
	// recursive: the type has itself inside.
	recursive bool
	// checked: more is to be said of values than json.Unmarshal says.
	checked bool
}

// field is a field of a struct, by the key of its JSON.
type field struct {
	key   string
	index []int
	node  *node
	// quoted: the option string of the tag json.
	quoted bool
	// pointer: null, or nothing, is told from a zero value.
	pointer bool
	tags    tags
}

// reader makes nodes of types.
type reader struct {
	types   map[reflect.Type]*node
	stack   []reflect.Type
	many    int // how many lists and maps we are inside of
	secrets []Secret
	faults  []error
}

func (r *reader) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Errorf(format, args...))
}

var (
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func (r *reader) read(t reflect.Type) *node {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if known := r.types[t]; known != nil {
		if slices.Contains(r.stack, t) {
			known.recursive = true
		}
		return known
	}
	n := &node{typ: t}
	r.types[t] = n
	r.stack = append(r.stack, t)
	n.kind = r.kindOf(t)
	switch n.kind {
	case kindArray, kindMap:
		r.many++
		n.elem = r.read(t.Elem())
		r.many--
	case kindStruct:
		r.readFields(n)
	}
	r.stack = r.stack[:len(r.stack)-1]
	return n
}

func (r *reader) kindOf(t reflect.Type) kind {
	switch {
	case t == reflect.TypeFor[json.RawMessage]():
		return kindAny
	case t == reflect.TypeFor[time.Time]():
		return kindTime
	case t == reflect.TypeFor[time.Duration]():
		return kindDuration
	case t == reflect.TypeFor[json.Number]():
		return kindNumber
	case reflect.PointerTo(t).Implements(jsonUnmarshaler):
		return kindCustom
	case reflect.PointerTo(t).Implements(textUnmarshaler):
		return kindText
	}
	switch t.Kind() {
	case reflect.Bool:
		return kindBool
	case reflect.Float32, reflect.Float64:
		return kindNumber
	case reflect.String:
		return kindString
	case reflect.Struct:
		return kindStruct
	case reflect.Map:
		if !keyable(t.Key()) {
			r.fault("%s: JSON has no such keys", t)
		}
		return kindMap
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return kindBytes
		}
		return kindArray
	case reflect.Array:
		return kindArray
	case reflect.Interface:
		if t.NumMethod() > 0 {
			r.fault("%s: an interface cannot be decoded from JSON", t)
		}
		return kindAny
	}
	if isInteger(t.Kind()) {
		return kindInteger
	}
	r.fault("%s cannot be decoded from JSON", t)
	return kindAny
}

func isInteger(k reflect.Kind) bool {
	return k >= reflect.Int && k <= reflect.Uint64 || k == reflect.Uintptr
}

func keyable(t reflect.Type) bool {
	return t.Kind() == reflect.String || isInteger(t.Kind()) || reflect.PointerTo(t).Implements(textUnmarshaler)
}

// readText finds the one field of the outermost object that takes plain text.
func (t *Type) readText(r *reader) {
	for _, f := range t.root.fields {
		switch {
		case !f.tags.text:
		case f.node.typ.Kind() != reflect.String || f.pointer:
			r.fault("field %s of %s takes a query's plain text: it must be a string that JSON decodes", f.key, t.root.typ)
		case t.Text != "":
			r.fault("field %s of %s is the second that takes a query's plain text", f.key, t.root.typ)
		default:
			t.Text = f.key
		}
	}
}

// markChecked finds the nodes in which there is something to check, also deep
// inside.
func markChecked(types map[reflect.Type]*node) {
	for changed := true; changed; {
		changed = false
		for _, n := range types {
			if !n.checked && n.needsCheck() {
				n.checked, changed = true, true
			}
		}
	}
}

func (n *node) needsCheck() bool {
	if n.kind == kindDuration || n.strict || n.elem != nil && n.elem.checked {
		return true
	}
	return slices.ContainsFunc(n.fields, func(f *field) bool { return f.node.checked || f.tags.checked() })
}
