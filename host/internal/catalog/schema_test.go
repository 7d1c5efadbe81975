package catalog

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	wholeYAML = `
# what an author writes by hand
targetApiVersion: v0alpha1
settings:
  spec:
    type: object
    required: [url]
    properties:
      url: {type: string, description: &d Where the server is.}
      jsonData:
        type: object
        properties:
          zone: {type: string, default: "yes"}
          alias: {type: number, description: *d, maximum: 0x10}
  secureValues:
    - key: token
      description: The token.
      required: true
queryTypes:
  items:
    - metadata: {name: rain}
      spec:
        description: How much it rains.
        discriminators: [{field: queryType, value: rain}]
        schema: {type: object, properties: {city: {type: string}}}
`
	queryTypesJSON = `{"kind":"QueryTypeDefinitionList","items":[{"metadata":{"name":"sun"},"spec":{"schema":{"type":"object"}}}]}`
	settingsJSON   = `{"spec":{"properties":{"a":{}}},"secureValues":[{"key":"k"}]}`
	wantSettings   = `{"properties":{"url":{"type":"string","description":"Where the server is."},"jsonData":{"type":"object","properties":{"zone":{"type":"string","default":"yes"},"alias":{"type":"number","description":"Where the server is.","maximum":16}}},"secureJsonData":{"type":"object","properties":{"token":{"description":"The token.","type":"string","writeOnly":true}},"required":["token"]}},"required":["url","secureJsonData"],"type":"object"}`
)

func TestReadSchema(t *testing.T) {
	const settingsOnly = `{"properties":{"a":{},"secureJsonData":{"type":"object","properties":{"k":{"type":"string","writeOnly":true}}}}}`
	for name, test := range map[string]struct {
		files             map[string]string
		settings, queries string
	}{
		"none":                   {map[string]string{"plugin.json": "{}"}, "", ""},
		"one file":               {map[string]string{"schema.yaml": wholeYAML}, wantSettings, "rain"},
		"in a folder":            {map[string]string{"schema/schema.yml": wholeYAML}, wantSettings, "rain"},
		"static":                 {map[string]string{"static/schema/query.types.json": queryTypesJSON}, "", "sun"},
		"parts":                  {map[string]string{"schema/v0alpha1/query.types.json": queryTypesJSON, "schema/v0alpha1/settings.json": settingsJSON}, settingsOnly, "sun"},
		"a file for a version":   {map[string]string{"schema/v0alpha1.json": `{"settings":` + settingsJSON + `,"queryTypes":` + queryTypesJSON + `}`}, settingsOnly, "sun"},
		"the newest version":     {map[string]string{"schema/v1beta1.json": `{"queryTypes":` + queryTypesJSON + `}`, "schema/v1alpha2/query.types.json": `{"items":[]}`, "schema/v1beta1/settings.json": settingsJSON}, settingsOnly, "sun"},
		"with a byte order mark": {map[string]string{"query.types.json": "\xef\xbb\xbf" + queryTypesJSON}, "", "sun"},
		"nothing in it":          {map[string]string{"schema.yaml": "", "query.types.json": "null", "settings.yaml": "---\n"}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := ReadSchema(tree(t, test.files))
			var names []string
			for _, q := range s.Queries {
				names = append(names, q.Name)
			}
			if string(s.Settings) != test.settings || strings.Join(names, " ") != test.queries || len(s.Faults) > 0 {
				t.Errorf("got %s\n%v %v", s.Settings, names, s.Faults)
			}
		})
	}
	s := ReadSchema(tree(t, map[string]string{"schema.yaml": wholeYAML}))
	if got, want := fmt.Sprintf("%s", s.Queries), `[{rain How much it rains. [{queryType rain}] {"type":"object","properties":{"city":{"type":"string"}}}}]`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestBrokenSchemaFilesHaveAPlace(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	for content, want := range map[string]struct{ name, reason string }{
		"settings: [\n":                       {"schema.yaml", "it is no valid YAML: yaml: line "},
		"a: 1\n\tb: 2\n":                      {"schema.yaml", "it is no valid YAML: yaml: line 2"},
		"settings:\n  spec: {}\n  spec: {}\n": {"schema.yaml", `line 3, column 3: the key "spec" is there twice`},
		"a: &a {b: 1}\nc:\n  <<: *a\n":        {"schema.yaml", "line 3, column 3: << is not read"},
		"a: &a [*a]\n":                        {"schema.yaml", ""},
		"? [a]\n: b\n":                        {"schema.yaml", "line 1, column 3: a key is no string"},
		"a: .nan\n":                           {"schema.yaml", "line 1, column 4: JSON has no such number"},
		bomb:                                  {"schema.yaml", "there is too much in it"},
		strings.Repeat("[", 300) + strings.Repeat("]", 300):       {"schema.yaml", "there is too much in it"},
		strings.Repeat("# no\n", 300_000):                         {"schema.yaml", "bytes: at most 1048576 are read"},
		strings.Repeat(" ", 5<<20):                                {"query.types.json", "bytes: at most 4194304 are read"},
		"{\n \"items\": [}":                                       {"query.types.json", "it is no valid JSON: line 2, column 12: invalid character '}'"},
		`{"items":{}}`:                                            {"query.types.json", "query types: json: cannot unmarshal object"},
		`{"items":[{"spec":{"schema":[]}}]}`:                      {"query.types.json", "query types: items[0].spec.schema is no object"},
		`{"spec":[]}`:                                             {"settings.json", "settings: its spec is no object"},
		`{"spec":{"properties":[]},"secureValues":[{"key":"a"}]}`: {"settings.json", "settings: its properties: it is no object"},
		`{"spec":{"properties":{"secureJsonData":{}}},"secureValues":[{"key":"a"}]}`: {"settings.json", "settings: its properties: it has secureJsonData already"},
	} {
		dir := tree(t, map[string]string{want.name: content})
		s := ReadSchema(dir)
		if len(s.Faults) != 1 || s.Faults[0].Path != filepath.Join(dir, want.name) || !strings.Contains(s.Faults[0].Reason, want.reason) || len(s.Faults[0].Reason) > 500 {
			t.Errorf("%.60q: got %v, want %s", content, s.Faults, want.reason)
		}
	}
}

func TestSchemaFilesElsewhereAreNotRead(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret.json")
	if err := os.WriteFile(secret, []byte(queryTypesJSON), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := tree(t, map[string]string{"plugin.json": "{}"})
	if err := os.Symlink(secret, filepath.Join(dir, "query.types.json")); err != nil {
		t.Skip(err)
	}
	if s := ReadSchema(dir); len(s.Queries) > 0 || len(s.Faults) != 1 || !strings.Contains(s.Faults[0].Reason, "escapes") {
		t.Errorf("got %+v", s)
	}
}

// FuzzSchemaFiles checks that whatever is in a file, what is returned is JSON,
// and not much of it.
func FuzzSchemaFiles(f *testing.F) {
	f.Add([]byte(wholeYAML))
	f.Add([]byte(queryTypesJSON))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("!!binary x: [.inf, 0o7, 2001-01-01, ~, 1e999]"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		out, err := yamlToJSON(raw)
		if err == nil && (!json.Valid(out) || len(out) > 2*mostBytes) {
			t.Errorf("%d bytes, no JSON: %.100s", len(out), out)
		}
		r := schemaReader{}
		var file struct{ Settings, QueryTypes json.RawMessage }
		if json.Unmarshal(out, &file) != nil {
			return
		}
		if root, err := os.OpenRoot("."); err == nil {
			r.root = root
			defer root.Close()
		}
		r.settings("x", file.Settings)
		r.queries("x", file.QueryTypes)
		if r.schema.Settings != nil && !json.Valid(r.schema.Settings) {
			t.Errorf("settings: %s", r.schema.Settings)
		}
	})
}
