package schema

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tags are what an author says of a field beside its type.
type tags struct {
	title, description, format, options, language, group string

	pattern        *regexp.Regexp
	enum, examples []json.RawMessage
	fallback       json.RawMessage
	min, max       *float64
	required, text bool
}

// checked tells whether the tags say anything that a value must keep to.
func (t tags) checked() bool {
	return t.required || len(t.enum) > 0 || t.pattern != nil || t.min != nil || t.max != nil
}

func (r *reader) readTags(of reflect.Type, f reflect.StructField, n *node) tags {
	t := tags{
		title: f.Tag.Get("title"), description: f.Tag.Get("description"),
		format: f.Tag.Get("format"), options: f.Tag.Get("options"), language: f.Tag.Get("language"), group: f.Tag.Get("group"),
	}
	fault := func(format string, args ...any) {
		r.fault("field %s of %s: %s", f.Name, of, fmt.Sprintf(format, args...))
	}
	for _, flag := range strings.Split(f.Tag.Get("plugboard"), ",") {
		switch strings.TrimSpace(flag) {
		case "":
		case "required":
			t.required = true
		case "text":
			t.text = true
		default:
			fault("the tag plugboard knows required and text, and strict in a field named _, not %q", flag)
		}
	}
	one := n // what values are of: of a list, its elements
	if n.kind == kindArray {
		one = n.elem
	}
	if f.Tag.Get("enum") != "" && one.kind != kindBool && one.kind != kindInteger && one.kind != kindNumber && one.kind != kindString && one.kind != kindText {
		fault("the tag enum is of strings, numbers or bools; examples says what other values may be")
	}
	for _, text := range split(f.Tag.Get("enum"), ",") {
		t.enum = append(t.enum, r.literal(one, strings.TrimSpace(text), "enum", fault))
	}
	for _, text := range split(f.Tag.Get("examples"), "\n") {
		t.examples = append(t.examples, r.literal(n, text, "examples", fault))
	}
	if text, ok := f.Tag.Lookup("pattern"); ok {
		var err error
		if t.pattern, err = regexp.Compile(text); err != nil || one.kind != kindString {
			fault("the tag pattern is a regular expression (%v), of strings", err)
		}
	}
	t.min, t.max = r.bound(one, f.Tag.Get("min"), "min", fault), r.bound(one, f.Tag.Get("max"), "max", fault)
	if text, ok := f.Tag.Lookup("default"); ok {
		t.fallback = r.literal(n, text, "default", fault)
		if reason := t.allows(n, t.fallback); reason != "" {
			fault("the tag default: %s", reason)
		}
	}
	return t
}

func split(text, by string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, by)
}

// literal reads a value in a tag: of strings as it is, of other types as JSON.
func (r *reader) literal(n *node, text, tag string, fault func(string, ...any)) json.RawMessage {
	raw := json.RawMessage(text)
	if n.kind == kindString || n.kind == kindText || n.kind == kindTime || n.kind == kindDuration || !json.Valid(raw) && n.kind == kindCustom {
		raw, _ = json.Marshal(text) // strings always can
	}
	c := checker{nodesOnly: true}
	if c.run(raw, n, tags{}); len(c.faults) > 0 || !json.Valid(raw) {
		fault("the tag %s: %s", tag, strings.Join(append(c.faults, text), " "))
		return json.RawMessage("null")
	}
	return raw
}

func (r *reader) bound(n *node, text, tag string, fault func(string, ...any)) *float64 {
	if text == "" {
		return nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || n.kind != kindInteger && n.kind != kindNumber {
		fault("the tag %s is a number and belongs to one, have %q on a %s", tag, text, n.typ)
		return nil
	}
	return &f
}

// allows tells why a value is not one of those that the tags allow; empty if
// it is.
func (t tags) allows(n *node, raw json.RawMessage) string {
	c := checker{nodesOnly: true}
	c.run(raw, n, t)
	return strings.Join(c.faults, "; ")
}

// oneOf lists the values of an enum for people.
func oneOf(enum []json.RawMessage) string {
	texts := make([]string, len(enum))
	for i, raw := range enum {
		texts[i] = string(raw)
		var text string
		if json.Unmarshal(raw, &text) == nil {
			texts[i] = text
		}
	}
	return strings.Join(texts, ", ")
}

// fallback is a value for a field that JSON leaves out.
type fallback struct {
	index []int
	value reflect.Value
}

// findDefaults finds the defaults in the outermost struct, and in those that
// are always there with it.
func (r *reader) findDefaults(t *Type, n *node, index []int) {
	for _, f := range n.fields {
		at := slices.Concat(index, f.index)
		if f.tags.fallback != nil {
			t.addDefault(r, n, f, at)
		}
		if f.node.kind == kindStruct && !f.pointer && !throughPointer(n.typ, f.index) {
			r.findDefaults(t, f.node, at)
		}
	}
	if index == nil {
		r.lostDefaults(t)
	}
}

func (t *Type) addDefault(r *reader, n *node, f *field, at []int) {
	v := reflect.New(f.node.typ)
	raw := f.tags.fallback
	if d, ok := durationOf(raw); ok && f.node.kind == kindDuration {
		raw = json.RawMessage(strconv.FormatInt(int64(d), 10))
	}
	if json.Unmarshal(raw, v.Interface()) != nil || f.pointer || throughPointer(n.typ, f.index) {
		r.fault("field %s of %s: a default cannot be had by a pointer, or inside of one", f.key, n.typ)
		return
	}
	t.defaults = append(t.defaults, fallback{index: at, value: v.Elem()})
}

// lostDefaults reports defaults that nothing would ever put in their place.
func (r *reader) lostDefaults(t *Type) {
	have := 0
	for _, n := range r.types {
		for _, f := range n.fields {
			if f.tags.fallback != nil {
				have++
			}
		}
	}
	if have > len(t.defaults) {
		r.fault("a default in %s cannot be had inside a list, a map or a pointer", t.root.typ)
	}
}

// throughPointer tells whether the way to a field is through an embedded
// pointer.
func throughPointer(t reflect.Type, index []int) bool {
	for _, i := range index[:len(index)-1] {
		f := t.Field(i)
		if f.Type.Kind() == reflect.Pointer {
			return true
		}
		t = f.Type
	}
	return false
}

// durationOf reads a duration in its two forms.
func durationOf(raw json.RawMessage) (time.Duration, bool) {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return 0, false
	}
	d, err := time.ParseDuration(text)
	return d, err == nil && durationPattern.MatchString(text)
}

var durationPattern = regexp.MustCompile(durationForm)

const durationForm = `^-?([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`
