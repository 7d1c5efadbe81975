package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
)

// Decode decodes JSON into a pointer to a value of the type, the way
// json.Unmarshal does, if there is nothing wrong with it. No JSON at all is an
// empty object. What it leaves out has the defaults of the tags; those of
// strings come with Complete.
//
// The error has every fault, up to ten, with its path.
func (t *Type) Decode(raw []byte, into any) error {
	if len(bytes.TrimSpace(raw)) == 0 {
		raw = []byte("{}")
	}
	if t.root.checked {
		c := t.check(raw)
		if len(c.faults) > 0 {
			if err := syntax(raw); err != nil {
				return err
			}
			return errors.New(strings.Join(c.faults, "; "))
		}
		raw = c.edited(raw)
	}
	t.each(into, func(field reflect.Value, f fallback) {
		if field.Kind() != reflect.String {
			field.Set(f.value)
		}
	})
	err := json.Unmarshal(raw, into)
	if err == nil {
		return nil
	}
	if c := t.check(raw); len(c.faults) > 0 && syntax(raw) == nil {
		return errors.New(strings.Join(c.faults, "; "))
	}
	return err
}

// syntax says what keeps text from being JSON.
func syntax(raw []byte) error {
	var any json.RawMessage
	return json.Unmarshal(raw, &any)
}

func (t *Type) check(raw []byte) *checker {
	c := &checker{elsewhere: t.elsewhere, common: t.common}
	c.run(raw, t.root, tags{})
	return c
}

// edited returns the JSON with the edits made.
func (c *checker) edited(raw []byte) []byte {
	if len(c.edits) == 0 {
		return raw
	}
	var out []byte
	at := 0
	for _, e := range c.edits {
		out = append(append(out, raw[at:e.from]...), e.text...)
		at = e.to
	}
	return append(out, raw[at:]...)
}

// Complete puts the defaults of strings where there is none yet, and reports
// fields that may come from elsewhere, and do not.
func (t *Type) Complete(into any) error {
	t.each(into, func(field reflect.Value, f fallback) {
		if field.Kind() == reflect.String && field.Len() == 0 {
			field.Set(f.value)
		}
	})
	var missing []string
	v := structOf(into)
	for _, f := range t.root.fields {
		if !f.tags.required || !slices.Contains(t.elsewhere, f.key) || !v.IsValid() {
			continue
		}
		if field, err := v.FieldByIndexErr(f.index); err != nil || field.IsZero() {
			missing = append(missing, f.key+": is missing")
		}
	}
	if len(missing) > 0 {
		return errors.New(strings.Join(missing, "; "))
	}
	return nil
}

// each calls set with the fields that have a default.
func (t *Type) each(into any, set func(reflect.Value, fallback)) {
	if len(t.defaults) == 0 {
		return
	}
	v := reflect.ValueOf(into).Elem()
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	for _, f := range t.defaults {
		set(v.FieldByIndex(f.index), f)
	}
}

// structOf returns the struct that a pointer, or a pointer to one, leads to.
func structOf(into any) reflect.Value {
	v := reflect.ValueOf(into)
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return reflect.Value{}
	}
	return v
}

// Suspects returns the keys of the outermost object that no field has and that
// one nearly has: they may be mistyped. To each it gives the key that is
// nearly so.
func (t *Type) Suspects(raw []byte) map[string]string {
	var object map[string]json.RawMessage
	if t.root.kind != kindStruct || json.Unmarshal(raw, &object) != nil {
		return nil
	}
	suspects := map[string]string{}
	for key := range object {
		if t.root.find(key) != nil || isCommon(t.common, key) {
			continue
		}
		known := nearest(key, t.root.keys())
		if _, both := object[known]; known != "" && !both {
			suspects[key] = known
		}
	}
	return suspects
}

// isCommon tells whether a key is one of those that any object may have. A
// key in the list that ends with * stands for all that begin so.
func isCommon(common []string, key string) bool {
	return slices.ContainsFunc(common, func(one string) bool {
		if prefix, open := strings.CutSuffix(one, "*"); open {
			return strings.HasPrefix(key, prefix)
		}
		return one == key
	})
}
