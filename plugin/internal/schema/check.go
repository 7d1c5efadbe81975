package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mostFaults is how many faults are told of one JSON value.
const mostFaults = 10

// checker walks through JSON as it is written: keys that come twice are both
// looked at, since json.Unmarshal makes one of them.
type checker struct {
	dec    *json.Decoder
	faults []string
	// edits are durations, to be replaced by numbers.
	edits []edit
	// elsewhere are keys of the outermost object that are not missed, common
	// those that it may have unknown.
	elsewhere, common []string
	// nodesOnly: only types and tags of values count, not what is missing.
	nodesOnly bool
	depth     int
}

type edit struct {
	from, to int
	text     string
}

// run checks one value. What is no JSON at all is for json.Unmarshal to say.
func (c *checker) run(raw []byte, n *node, t tags) {
	c.dec = json.NewDecoder(bytes.NewReader(raw))
	c.dec.UseNumber()
	if null, err := c.value(n, t, nil); null && err == nil && n.kind == kindStruct {
		c.missing(n, nil, map[*field]bool{}, nil)
	}
}

// fault adds a fault at a place.
func (c *checker) fault(at *place, format string, args ...any) {
	if len(c.faults) == mostFaults {
		return
	}
	text := fmt.Sprintf(format, args...)
	if path := at.String(); path != "" {
		text = path + ": " + text
	}
	c.faults = append(c.faults, text)
}

// deepest is how deep json.Unmarshal goes.
const deepest = 10000

// value checks the next value, and reports whether it is null: that is to
// leave it out. An error means that the JSON ends, or breaks.
func (c *checker) value(n *node, t tags, at *place) (null bool, err error) {
	if c.depth++; c.depth > deepest {
		return false, errors.New("too deep")
	}
	defer func() { c.depth-- }()
	switch n.kind {
	case kindAny, kindCustom, kindText, kindTime, kindDuration, kindBytes:
		return c.whole(n, t, at)
	}
	token, err := c.dec.Token()
	if err != nil {
		return false, err
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '[' {
			return false, c.array(n, t, at)
		}
		return false, c.object(n, at)
	case nil:
		return true, nil
	case string:
		c.text(n, t, at, token)
	case json.Number:
		c.number(n, t, at, token)
	case bool:
		if n.kind != kindBool {
			c.fault(at, "want %s, have bool", n.wants())
		} else {
			c.member(t, at, json.RawMessage(strconv.FormatBool(token)))
		}
	}
	return false, nil
}

// whole checks a value that is looked at as one piece.
func (c *checker) whole(n *node, t tags, at *place) (null bool, err error) {
	var raw json.RawMessage
	if err := c.dec.Decode(&raw); err != nil {
		return false, err
	}
	if string(raw) == "null" {
		return true, nil
	}
	if n.kind == kindAny {
		return false, nil
	}
	if n.kind == kindDuration && raw[0] == '"' {
		end := int(c.dec.InputOffset())
		if string(raw) == `""` { // left empty
			c.edits = append(c.edits, edit{end - len(raw), end, "null"})
			return true, nil
		}
		d, ok := durationOf(raw)
		if !ok {
			c.fault(at, "want a duration such as 1m30s, have %s", short(raw))
			return false, nil
		}
		c.edits = append(c.edits, edit{end - len(raw), end, strconv.FormatInt(int64(d), 10)})
		c.member(t, at, raw)
		return false, nil
	}
	if err := json.Unmarshal(raw, reflect.New(n.typ).Interface()); err != nil {
		c.fault(at, "%s", n.why(raw, err))
		return false, nil
	}
	if n.kind != kindCustom {
		c.member(t, at, raw)
	}
	return false, nil
}

func (n *node) why(raw json.RawMessage, err error) string {
	switch n.kind {
	case kindTime:
		return "want a time such as " + time.UnixMilli(0).UTC().Format(time.RFC3339) + ", have " + short(raw)
	case kindBytes:
		return "want a string in base64, have " + word(raw)
	case kindDuration:
		return "want a duration such as 1m30s, have " + short(raw)
	case kindText:
		if raw[0] != '"' {
			return "want a string, have " + word(raw)
		}
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

func (c *checker) text(n *node, t tags, at *place, text string) {
	if n.kind != kindString {
		if n.typ != reflect.TypeFor[json.Number]() || !json.Valid([]byte(text)) { // which it takes too
			c.fault(at, "want %s, have string", n.wants())
		}
		return
	}
	if text == "" { // left empty
		if t.required && !c.nodesOnly {
			c.fault(at, "is missing")
		}
		return
	}
	if t.pattern != nil && !t.pattern.MatchString(text) {
		c.fault(at, "does not match %s", t.pattern)
	}
	if len(t.enum) > 0 {
		raw, _ := json.Marshal(text) // strings always can
		c.member(t, at, raw)
	}
}

func (c *checker) number(n *node, t tags, at *place, number json.Number) {
	var err error
	switch n.kind {
	case kindInteger:
		if n.typ.Kind() >= reflect.Uint {
			_, err = strconv.ParseUint(number.String(), 10, n.typ.Bits())
		} else {
			_, err = strconv.ParseInt(number.String(), 10, n.typ.Bits())
		}
		if err != nil {
			c.fault(at, "want %s, have number %s", n.wants(), short([]byte(number)))
			return
		}
	case kindNumber:
		if n.typ.Kind() == reflect.Float32 {
			_, err = strconv.ParseFloat(number.String(), 32)
		} else if n.typ.Kind() == reflect.Float64 {
			_, err = strconv.ParseFloat(number.String(), 64)
		}
		if err != nil {
			c.fault(at, "want %s, have number %s", n.wants(), short([]byte(number)))
			return
		}
	default:
		c.fault(at, "want %s, have number", n.wants())
		return
	}
	f, _ := number.Float64()
	if t.min != nil && f < *t.min {
		c.fault(at, "want at least %v, have %s", *t.min, short([]byte(number)))
	}
	if t.max != nil && f > *t.max {
		c.fault(at, "want at most %v, have %s", *t.max, short([]byte(number)))
	}
	c.member(t, at, json.RawMessage(number))
}

// member checks that a value is one of those that there are.
func (c *checker) member(t tags, at *place, raw json.RawMessage) {
	if len(t.enum) > 0 && !slices.ContainsFunc(t.enum, func(one json.RawMessage) bool { return same(one, raw) }) {
		c.fault(at, "want one of %s, have %s", oneOf(t.enum), short(raw))
	}
}

// same compares two values that are no arrays or objects.
func same(a, b json.RawMessage) bool {
	var x, y any
	return bytes.Equal(a, b) || json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && x == y
}

func (c *checker) array(n *node, t tags, at *place) error {
	if n.kind != kindArray {
		c.fault(at, "want %s, have array", n.wants())
		return c.skip()
	}
	required := t.required
	t.required = false // the array is, not its elements
	i := 0
	for ; c.dec.More(); i++ {
		if _, err := c.value(n.elem, t, at.index(i)); err != nil {
			return err
		}
	}
	if required && i == 0 && !c.nodesOnly {
		c.fault(at, "is missing")
	}
	_, err := c.dec.Token()
	return err
}

func (c *checker) object(n *node, at *place) error {
	switch n.kind {
	case kindMap:
		return c.entries(n, at)
	case kindStruct:
		return c.members(n, at)
	}
	c.fault(at, "want %s, have object", n.wants())
	return c.skip()
}

func (c *checker) entries(n *node, at *place) error {
	for c.dec.More() {
		key, err := c.key()
		if err != nil {
			return err
		}
		if !n.takesKey(key) {
			c.fault(at.key(key), "want %s as its key", kindName(n.typ.Key()))
		}
		if _, err := c.value(n.elem, tags{}, at.key(key)); err != nil {
			return err
		}
	}
	_, err := c.dec.Token()
	return err
}

// takesKey tells whether a map has a key of that text.
func (n *node) takesKey(key string) bool {
	if n.typ.Key().Kind() == reflect.String && !reflect.PointerTo(n.typ.Key()).Implements(textUnmarshaler) {
		return true
	}
	object, _ := json.Marshal(map[string]any{key: nil}) // strings always can
	return json.Unmarshal(object, reflect.New(n.typ).Interface()) == nil
}

func (c *checker) members(n *node, at *place) error {
	have := map[*field]bool{}
	var unknown []string
	outermost := at == nil && !c.nodesOnly
	for c.dec.More() {
		key, err := c.key()
		if err != nil {
			return err
		}
		f := n.find(key)
		if f == nil {
			if !outermost || !isCommon(c.common, key) {
				unknown = append(unknown, key)
			}
			if err := c.pass(); err != nil {
				return err
			}
			continue
		}
		is, err := c.field(f, at.key(f.key), outermost && slices.Contains(c.elsewhere, f.key))
		if err != nil {
			return err
		}
		have[f] = have[f] || is
	}
	c.missing(n, at, have, unknown)
	_, err := c.dec.Token()
	return err
}

// field checks the value of a field, and reports whether there is one.
func (c *checker) field(f *field, at *place, elsewhere bool) (bool, error) {
	if f.quoted {
		return true, c.pass()
	}
	t := f.tags
	t.required = t.required && !elsewhere
	null, err := c.value(f.node, t, at)
	return !null, err
}

// missing reports the fields that are not there, and the keys that are nobody's.
func (c *checker) missing(n *node, at *place, have map[*field]bool, unknown []string) {
	if c.nodesOnly {
		return
	}
	for _, f := range n.fields {
		if !f.tags.required || have[f] || at == nil && slices.Contains(c.elsewhere, f.key) {
			continue
		}
		if meant := nearest(f.key, unknown); meant != "" {
			c.fault(at.key(f.key), "is missing; did you mean it by %s?", strconv.Quote(meant))
		} else {
			c.fault(at.key(f.key), "is missing")
		}
	}
	if !n.strict {
		return
	}
	for _, key := range unknown {
		if known := nearest(key, n.keys()); known != "" {
			c.fault(at.key(key), "there is no such field; did you mean %s?", known)
		} else {
			c.fault(at.key(key), "there is no such field")
		}
	}
}

func (n *node) keys() []string {
	keys := make([]string, len(n.fields))
	for i, f := range n.fields {
		keys[i] = f.key
	}
	return keys
}

// find returns the field of a key, by the rules of encoding/json.
func (n *node) find(key string) *field {
	var folded *field
	for _, f := range n.fields {
		if f.key == key {
			return f
		}
		if folded == nil && strings.EqualFold(f.key, key) {
			folded = f
		}
	}
	return folded
}

func (c *checker) key() (string, error) {
	token, err := c.dec.Token()
	if err != nil {
		return "", err
	}
	key, ok := token.(string)
	if !ok {
		return "", io.ErrUnexpectedEOF
	}
	return key, nil
}

// pass goes past the next value.
func (c *checker) pass() error {
	var raw json.RawMessage
	return c.dec.Decode(&raw)
}

// skip goes to the end of the array or object that has begun.
func (c *checker) skip() error {
	for depth := 1; depth > 0; {
		token, err := c.dec.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('['), json.Delim('{'):
			depth++
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
	}
	return nil
}
