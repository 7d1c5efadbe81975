package schema_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/plugboard/plugboard/plugin/internal/schema"
)

// shop has a field of every kind.
type shop struct {
	Name    string `json:"name" plugboard:"required,text" title:"Name" examples:"Ada's\nBob's"`
	Kind    string `json:"kind" enum:"food, books" default:"food"`
	Code    string `json:"code" pattern:"^[a-z]+$" description:"Lower case."`
	Size    int    `json:"size" min:"1" max:"10" default:"5"`
	Floors  []int8 `json:"floors" enum:"-1,0,1"`
	Small   uint8  `json:"small"`
	Price   float64
	Rate    float32       `json:"rate" min:"0"`
	Open    bool          `json:"open" default:"true"`
	Wait    time.Duration `json:"wait" default:"30s"`
	Since   time.Time     `json:"since"`
	Raw     json.RawMessage
	Any     any
	Bytes   []byte            `json:"bytes"`
	IP      netip.Addr        `json:"ip"`
	Labels  map[string]string `json:"labels"`
	Shelves map[int]shelf     `json:"shelves"`
	Limit   *int              `json:"limit" plugboard:"required"`
	Tags    []string          `json:"tags" plugboard:"required" options:"tags?of={name}"`
	Number  json.Number       `json:"number"`
	Own     upper             `json:"own"`
	Desk    shelf             `json:"desk"`
	More    *shop             `json:"more"`
	Pair    [2]bool           `json:"pair"`
	Quoted  int64             `json:"quoted,string"`
	Key     string            `secret:"key" plugboard:"required" format:"multiline"`
	Ignored chan int          `json:"-"`
	inner
	shelf
}

type inner struct {
	Floor string // hidden by nobody
	Name  string `json:"name"` // hidden by the outer
}

type shelf struct {
	_     struct{} `plugboard:"strict"`
	Width int      `json:"width" plugboard:"required"`
	Rows  []row    `json:"rows"`
}

type row struct {
	Side string `json:"side" enum:"left,right" plugboard:"required"`
}

// upper reads itself.
type upper string

func (u *upper) UnmarshalJSON(raw []byte) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return err
	}
	if text != strings.ToUpper(text) {
		return fmt.Errorf("%q is not in capitals", text)
	}
	*u = upper(text)
	return nil
}

func of[T any](t testing.TB, o schema.Options) *schema.Type {
	t.Helper()
	s, err := schema.Of(reflect.TypeFor[T](), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func document(t testing.TB, s *schema.Type) []byte {
	t.Helper()
	var w schema.Writer
	raw, err := json.Marshal(w.Document(w.Type(s, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func compile(t testing.TB, raw []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.AssertContent()
	if err := c.AddResource("s.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("s.json")
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	return compiled
}

func TestFaultsHaveTheirPaths(t *testing.T) {
	s := of[shop](t, schema.Options{})
	ok := `"name":"n","limit":1,"tags":["t"],"width":1`
	for object, want := range map[string]string{
		`{}`:           `name: is missing; limit: is missing; tags: is missing; width: is missing`,
		`null`:         `name: is missing; limit: is missing; tags: is missing; width: is missing`,
		`{` + ok + `}`: ``,
		`{` + ok + `,"kind":"","wait":"","since":null}`:             ``,
		`{"nmae":"n","limit":1,"tags":["t"],"width":1}`:             `name: is missing; did you mean it by "nmae"?; nmae: there is no such field; did you mean name?`,
		`{` + ok + `,"kind":"toys"}`:                                `kind: want one of food, books, have "toys"`,
		`{` + ok + `,"KIND":"toys"}`:                                `kind: want one of food, books, have "toys"`,
		`{` + ok + `,"kind":"toys","kind":"food"}`:                  `kind: want one of food, books, have "toys"`,
		`{` + ok + `,"code":"A"}`:                                   `code: does not match ^[a-z]+$`,
		`{` + ok + `,"size":0}`:                                     `size: want at least 1, have 0`,
		`{` + ok + `,"size":11}`:                                    `size: want at most 10, have 11`,
		`{` + ok + `,"size":1.5}`:                                   `size: want a whole number (int), have number 1.5`,
		`{` + ok + `,"floors":[0,2]}`:                               `floors[1]: want one of -1, 0, 1, have 2`,
		`{` + ok + `,"floors":{"a":[1]}}`:                           `floors: want an array, have object`,
		`{` + ok + `,"small":256}`:                                  `small: want a whole number (uint8), have number 256`,
		`{` + ok + `,"wait":"soon"}`:                                `wait: want a duration such as 1m30s, have "soon"`,
		`{` + ok + `,"since":"today"}`:                              `since: want a time such as 1970-01-01T00:00:00Z, have "today"`,
		`{` + ok + `,"bytes":"?"}`:                                  `bytes: want a string in base64, have string`,
		`{` + ok + `,"own":"a"}`:                                    `own: "a" is not in capitals`,
		`{` + ok + `,"labels":{"a b":1}}`:                           `labels["a b"]: want a string, have number`,
		`{` + ok + `,"shelves":{"x":{"width":1}}}`:                  `shelves.x: want a whole number (int) as its key`,
		`{` + ok + `,"shelves":{"1":{"width":1,"rows":[{},null]}}}`: `shelves["1"].rows[0].side: is missing`,
		`{` + ok + `,"desk":{"wdith":1}}`:                           `desk.width: is missing; did you mean it by "wdith"?; desk.wdith: there is no such field; did you mean width?`,
		`{` + ok + `,"more":{"more":{"name":1}}}`:                   `more.more.name: want a string, have number; more.more.limit: is missing; more.more.tags: is missing; more.more.width: is missing; more.name: is missing; more.limit: is missing; more.tags: is missing; more.width: is missing`,
		`{` + ok + `,`:                                              `unexpected end of JSON input`,
		`[]`:                                                        `want an object, have array`,
	} {
		var v shop
		err := s.Decode([]byte(object), &v)
		if err == nil && want != "" || err != nil && err.Error() != want {
			t.Errorf("%s\ngot  %v\nwant %s", object, err, want)
		}
	}
}

func TestDeepJSON(t *testing.T) {
	s := of[shop](t, schema.Options{})
	const depth = 1 << 20
	for _, object := range []string{
		strings.Repeat(`{"more":`, depth) + "1" + strings.Repeat(`}`, depth),
		strings.Repeat(`{"more":`, depth),
		`{"Any":` + strings.Repeat(`[`, depth),
	} {
		if err := s.Decode([]byte(object), new(shop)); err == nil || len(err.Error()) > 1000 {
			t.Errorf("got %.200v", err)
		}
	}
}

func TestDefaults(t *testing.T) {
	s := of[shop](t, schema.Options{})
	decode := func(object string) shop {
		var v shop
		if err := s.Decode([]byte(object), &v); err != nil {
			t.Fatal(err)
		}
		if err := s.Complete(&v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	ok := `{"name":"n","limit":1,"tags":["t"],"width":1`
	for _, object := range []string{ok + `}`, ok + `,"kind":"","size":null,"open":null,"wait":""}`} {
		if v := decode(object); v.Kind != "food" || v.Size != 5 || !v.Open || v.Wait != 30*time.Second {
			t.Errorf("%s: got %+v", object, v)
		}
	}
	if v := decode(ok + `,"kind":"books","size":1,"open":false,"wait":"1h30m"}`); v.Kind != "books" || v.Size != 1 || v.Open || v.Wait != 90*time.Minute {
		t.Errorf("got %+v", v)
	}
	if v := decode(ok + `,"wait":7}`); v.Wait != 7 {
		t.Errorf("got %+v", v)
	}
}

func TestValuesFromElsewhere(t *testing.T) {
	type settings struct {
		URL  string `json:"url" plugboard:"required" default:""`
		User string `json:"user" default:"nobody"`
	}
	s := of[settings](t, schema.Options{Elsewhere: []string{"url", "user"}})
	var v settings
	if err := s.Decode([]byte(`{"url":""}`), &v); err != nil {
		t.Fatal(err)
	}
	if err := s.Complete(&v); err == nil || err.Error() != "url: is missing" {
		t.Errorf("got %v", err)
	}
	v = settings{URL: "http://here", User: "ada"}
	if err := s.Complete(&v); err != nil || v.User != "ada" {
		t.Errorf("got %+v, %v", v, err)
	}
}

func TestSuspects(t *testing.T) {
	s := of[inner](t, schema.Options{Common: []string{"names", "xFloor*"}})
	for object, want := range map[string]string{
		`{"name":"n","Flor":1,"colour":2}`: "map[Flor:Floor]",
		`{"flor":1,"floor":1}`:             "map[flor:Floor]",
		`{"names":1,"nam":2}`:              "map[nam:name]",
		`{"NAME":1}`:                       "map[]",
		`[]`:                               "map[]",
	} {
		if got := fmt.Sprint(s.Suspects([]byte(object))); got != want {
			t.Errorf("%s: got %s, want %s", object, got, want)
		}
	}
}

func TestFaultsOfTags(t *testing.T) {
	for want, typ := range map[string]reflect.Type{
		`field A of struct { A int "min:\"x\"" }: the tag min is a number and belongs to one, have "x" on a int`: reflect.TypeFor[struct {
			A int `min:"x"`
		}](),
		`begin its name with a capital`: reflect.StructOf([]reflect.StructField{
			{Name: "a", PkgPath: "x", Type: reflect.TypeFor[int](), Tag: `json:"a"`}, // vet would say it too
		}),
		`the tag default: want one of a, b, have "c"`: reflect.TypeFor[struct {
			A string `enum:"a,b" default:"c"`
		}](),
		`the tag default: want at most 3, have 4`: reflect.TypeFor[struct {
			A int `max:"3" default:"4"`
		}](),
		`the tag enum: want a whole number (int), have number 1.5`: reflect.TypeFor[struct {
			A int `enum:"1,1.5"`
		}](),
		`the tag enum is of strings, numbers or bools`: reflect.TypeFor[struct {
			A map[string]int `enum:"a"`
		}](),
		`the tag plugboard knows required and text`: reflect.TypeFor[struct {
			A int `plugboard:"requird"`
		}](),
		`the tag pattern is a regular expression`: reflect.TypeFor[struct {
			A string `pattern:"("`
		}](),
		`a default cannot be had by a pointer`: reflect.TypeFor[struct {
			A *int `default:"1"`
		}](),
		`cannot be had inside a list, a map or a pointer`: reflect.TypeFor[struct {
			A []struct {
				B int `default:"1"`
			}
		}](),
		`chan int cannot be decoded from JSON`:                   reflect.TypeFor[struct{ A chan int }](),
		`fmt.Stringer: an interface cannot be decoded from JSON`: reflect.TypeFor[[]fmt.Stringer](),
		`map[bool]int: JSON has no such keys`:                    reflect.TypeFor[map[bool]int](),
		`field A of struct { A int "secret:\"a\"" } takes a secret: it`: reflect.TypeFor[struct {
			A int `secret:"a"`
		}](),
	} {
		if _, err := schema.Of(typ, schema.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", typ, err, want)
		}
	}
}

func TestTypesThatAreNoStructs(t *testing.T) {
	for typ, want := range map[reflect.Type]string{
		reflect.TypeFor[map[string]any]():  `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object"}`,
		reflect.TypeFor[json.RawMessage](): `{"$schema":"https://json-schema.org/draft/2020-12/schema"}`,
		reflect.TypeFor[struct{}]():        `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object"}`,
	} {
		s, err := schema.Of(typ, schema.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := string(document(t, s)); got != want {
			t.Errorf("%s: got %s", typ, got)
		}
	}
}

// TestSchemaAndDecoderAgree makes JSON, much of it wrong, and asks the schema
// and the decoder. It leaves out what the decoder forgives beyond the schema:
// null, other case of keys, and an empty string for an optional choice.
func TestSchemaAndDecoderAgree(t *testing.T) {
	s := of[shop](t, schema.Options{})
	compiled := compile(t, document(t, s))
	const rounds = 10000
	valid := 0
	for seed := range uint64(rounds) {
		g := generator{rand.New(rand.NewPCG(seed, 1))}
		object := g.value(reflect.TypeFor[shop](), "", 0)
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(object))
		if err != nil {
			t.Fatalf("%v\n%s", err, object)
		}
		bySchema := compiled.Validate(doc)
		var v shop
		byDecoder := s.Decode([]byte(object), &v)
		if (bySchema == nil) != (byDecoder == nil) {
			t.Fatalf("seed %d: %s\nschema:  %v\ndecoder: %v", seed, object, bySchema, byDecoder)
		}
		if bySchema == nil {
			valid++
		}
	}
	if valid < rounds/100 || valid > rounds*9/10 {
		t.Errorf("%d of %d are valid: the generator is of no use", valid, rounds)
	}
	t.Logf("%d of %d are valid", valid, rounds)
}

// generator makes JSON that is nearly what a type takes.
type generator struct{ *rand.Rand }

// slip is how often a value is one of another type.
const slip = 150

func (g generator) value(t reflect.Type, tag reflect.StructTag, depth int) string {
	// What some types take beside what they are written as, no schema says.
	itself := t == reflect.TypeFor[upper]() || t == reflect.TypeFor[netip.Addr]() || t == reflect.TypeFor[[]byte]()
	if g.IntN(slip) == 0 && !itself {
		return g.pick(`7`, `-1`, `1.5`, `"x"`, `true`, `[]`, `{}`, `[1]`, `{"a":1}`, `"1h"`)
	}
	if enum := tag.Get("enum"); enum != "" && t.Kind() == reflect.String {
		return g.pick(append(strings.Split(strings.ReplaceAll(`"`+strings.ReplaceAll(enum, ",", `","`)+`"`, `" `, `"`), ","), `"food"`)...)
	}
	switch t {
	case reflect.TypeFor[time.Duration]():
		return g.pick(`"1h30m"`, `"1.5s"`, `"-2ms"`, `500`)
	case reflect.TypeFor[time.Time]():
		return g.pick(`"2026-01-02T03:04:05Z"`, `"2026-01-02T03:04:05.5+01:00"`)
	case reflect.TypeFor[json.RawMessage](), reflect.TypeFor[any]():
		return g.pick(`1`, `"x"`, `{"a":[]}`)
	case reflect.TypeFor[[]byte]():
		return g.pick(`""`, `"aGk="`)
	case reflect.TypeFor[netip.Addr]():
		return `"127.0.0.1"`
	case reflect.TypeFor[json.Number]():
		return g.pick(`1`, `1.5`)
	case reflect.TypeFor[upper]():
		return `"UP"`
	}
	switch t.Kind() {
	case reflect.Pointer:
		return g.value(t.Elem(), tag, depth)
	case reflect.Bool:
		return g.pick("true", "false")
	case reflect.String:
		return g.pick(`"abc"`, `"xyz"`, `"abc"`)
	case reflect.Float32, reflect.Float64:
		return g.pick("0", "1.5", "10", "3e2")
	case reflect.Slice, reflect.Array:
		return g.list(t, tag, depth)
	case reflect.Map:
		key := g.pick("a", "b")
		if t.Key().Kind() != reflect.String {
			key = g.pick("1", "-7")
		}
		return fmt.Sprintf(`{%q:%s}`, key, g.value(t.Elem(), "", depth+1))
	case reflect.Struct:
		return g.object(t, depth)
	}
	return g.pick("1", "0", "1", "1") // whole numbers
}

func (g generator) list(t reflect.Type, tag reflect.StructTag, depth int) string {
	elements := make([]string, g.IntN(20)/7+1)
	for i := range elements {
		elements[i] = g.value(t.Elem(), tag, depth+1)
	}
	if g.IntN(slip) == 0 {
		elements = nil
	}
	return "[" + strings.Join(elements, ",") + "]"
}

func (g generator) object(t reflect.Type, depth int) string {
	var members []string
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			name = f.Name
		}
		_, secret := f.Tag.Lookup("secret")
		required := strings.Contains(f.Tag.Get("plugboard"), "required")
		switch {
		case f.Anonymous || !f.IsExported() || secret || name == "-" || options == "string":
		case name == "more" && depth > 1:
		case required && g.IntN(slip) > 0, !required && g.IntN(4) == 0:
			members = append(members, fmt.Sprintf("%q:%s", name, g.value(f.Type, f.Tag, depth+1)))
		}
	}
	if g.IntN(slip) == 0 {
		members = append(members, `"stranger":1`)
	}
	return "{" + strings.Join(members, ",") + "}"
}

func (g generator) pick(of ...string) string { return of[g.IntN(len(of))] }

// FuzzDecode checks that what is refused is refused with words, that nothing
// is accepted which json.Unmarshal refuses, and that nothing panics.
func FuzzDecode(f *testing.F) {
	s := of[shop](f, schema.Options{})
	f.Add([]byte(`{"name":"n","limit":1,"tags":["t"],"width":1,"wait":"1h","kind":"food"}`))
	f.Add([]byte(`{"wait":"","desk":{"rows":[{"side":"left"}]}}`))
	f.Add([]byte(`{"more":{"more":null},"shelves":{"1":{}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var v, plain shop
		err := s.Decode(raw, &v)
		if err != nil && err.Error() == "" {
			t.Error("no words")
		}
		if err == nil && v.Kind != "" && v.Kind != "food" && v.Kind != "books" {
			t.Errorf("kind %q", v.Kind)
		}
		if err == nil && (v.Size < 1 || v.Size > 10 || v.Name == "") {
			t.Errorf("accepted %+v", v)
		}
		if !json.Valid(raw) && err == nil && len(bytes.TrimSpace(raw)) > 0 {
			t.Error("no JSON")
		}
		_ = json.Unmarshal(raw, &plain)
		_ = s.Suspects(raw)
	})
}
