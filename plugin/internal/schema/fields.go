package schema

import (
	"reflect"
	"slices"
	"strings"
)

// candidate is a field that encoding/json may know by a name.
type candidate struct {
	field  reflect.StructField
	name   string
	tagged bool
	quoted bool
	index  []int
}

// readFields finds the fields of a struct the way encoding/json does: those of
// embedded structs are its own, and of several with one name the outermost
// wins, then the one whose tag says so, and else none.
func (r *reader) readFields(n *node) {
	var all []candidate
	r.collect(n, n.typ, nil, map[reflect.Type]bool{}, &all)
	for _, c := range all {
		if slices.ContainsFunc(all, func(other candidate) bool { return other.beats(c) }) {
			continue
		}
		f := &field{key: c.name, index: c.index, quoted: c.quoted, pointer: c.field.Type.Kind() == reflect.Pointer}
		f.node = r.read(c.field.Type)
		f.tags = r.readTags(n.typ, c.field, f.node)
		n.fields = append(n.fields, f)
	}
}

func (c candidate) beats(other candidate) bool {
	if c.name != other.name || slices.Equal(c.index, other.index) {
		return false
	}
	if len(c.index) != len(other.index) {
		return len(c.index) < len(other.index)
	}
	return c.tagged || !other.tagged // where both have equal rights, neither wins
}

func (r *reader) collect(n *node, t reflect.Type, index []int, inside map[reflect.Type]bool, all *[]candidate) {
	if inside[t] {
		return
	}
	inside[t] = true
	defer delete(inside, t)
	for i := range t.NumField() {
		f := t.Field(i)
		at := append(slices.Clone(index), i)
		if f.Name == "_" && slices.Contains(strings.Split(f.Tag.Get("plugboard"), ","), "strict") {
			n.strict = true
		}
		if _, secret := f.Tag.Lookup("secret"); secret {
			r.readSecret(t, f)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		embedded := f.Type
		if embedded.Kind() == reflect.Pointer {
			embedded = embedded.Elem()
		}
		switch {
		case f.Tag.Get("json") == "-":
		case f.Anonymous && name == "" && embedded.Kind() == reflect.Struct && r.kindOf(embedded) == kindStruct:
			r.collect(n, embedded, at, inside, all)
		case f.IsExported():
			c := candidate{field: f, name: name, tagged: name != "", index: at}
			if name == "" {
				c.name = f.Name
			}
			c.quoted = slices.Contains(strings.Split(options, ","), "string") && isScalar(f.Type)
			*all = append(*all, c)
		case name != "":
			r.fault("field %s of %s has a tag for JSON, which decodes exported fields only: begin its name with a capital", f.Name, t)
		}
	}
}

func isScalar(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64:
		return true
	}
	return isInteger(t.Kind())
}

func (r *reader) readSecret(of reflect.Type, f reflect.StructField) {
	key := f.Tag.Get("secret")
	switch {
	case f.Type.Kind() != reflect.String || !f.IsExported():
		r.fault("field %s of %s takes a secret: it must be an exported string", f.Name, of)
	case r.many > 0:
		r.fault("field %s of %s takes a secret: it must not be in a list or map", f.Name, of)
	}
	if slices.ContainsFunc(r.secrets, func(s Secret) bool { return s.Key == key }) {
		return
	}
	read := r.readTags(of, f, &node{typ: reflect.TypeFor[string](), kind: kindString})
	r.secrets = append(r.secrets, Secret{Key: key, Required: read.required, tags: read})
}
