package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// pluginSchema is what a server tells of a plugin's settings and queries.
type pluginSchema struct {
	Origin     string
	Settings   json.RawMessage
	QueryTypes []struct {
		Name, Description string
		Schema            json.RawMessage
	}
	Faults []struct{ Path, Reason string }
}

// readSchema returns the schemas of a plugin, empty if the server has none for
// it at the moment.
func readSchema(ctx context.Context, server *api, id string) pluginSchema {
	var s pluginSchema
	status, answer, err := server.fetch(ctx, http.MethodGet, pluginPath(id)+"/schema", nil)
	if err != nil || status != http.StatusOK || json.Unmarshal(answer, &s) != nil {
		return pluginSchema{}
	}
	if string(s.Settings) == "null" { // the plugin tells none
		s.Settings = nil
	}
	return s
}

// fields adds a line for every setting and every field of a query.
func (s pluginSchema) fields(f *facts) {
	for _, m := range properties(s.Settings) {
		switch m.key {
		case "jsonData":
			addFields(f, "setting jsonData.", m.schema)
		case "secureJsonData":
			addFields(f, "secret ", m.schema)
		default:
			f.add("setting "+m.key, m.describe())
		}
	}
	for _, q := range s.QueryTypes {
		addFields(f, strings.TrimSpace("query "+q.Name)+" ", q.Schema)
	}
}

func addFields(f *facts, prefix string, schema json.RawMessage) {
	for _, m := range properties(schema) {
		f.add(prefix+m.key, m.describe())
	}
}

// property is one property of an object, as a schema tells it.
type property struct {
	key      string
	required bool
	schema   json.RawMessage
}

// properties returns the properties of a schema in their order.
func properties(schema json.RawMessage) []property {
	var object struct {
		Properties json.RawMessage
		Required   []string
	}
	if json.Unmarshal(schema, &object) != nil {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(object.Properties))
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return nil
	}
	var list []property
	for d.More() {
		token, err := d.Token()
		key, isKey := token.(string)
		p := property{key: key, required: slices.Contains(object.Required, key)}
		if err != nil || !isKey || d.Decode(&p.schema) != nil {
			break
		}
		list = append(list, p)
	}
	return list
}

// describe says in a line what a property is.
func (p property) describe() string {
	var s struct {
		Title, Description string
		Type               any
		Enum               []any
		Default            any
		Minimum, Maximum   *json.Number
		WriteOnly          bool
	}
	_ = json.Unmarshal(p.schema, &s) // a schema may also be true
	var words []string
	if p.required {
		words = append(words, "required")
	}
	switch kinds := s.Type.(type) {
	case string:
		if !s.WriteOnly && len(s.Enum) == 0 {
			words = append(words, kinds)
		}
	case []any:
		words = append(words, strings.Trim(fmt.Sprint(kinds...), "[]"))
	}
	if len(s.Enum) > 0 {
		values := make([]string, len(s.Enum))
		for i, value := range s.Enum {
			values[i] = jsonText(value)
		}
		words = append(words, "one of "+strings.Join(values, ", "))
	}
	if s.Minimum != nil {
		words = append(words, "at least "+s.Minimum.String())
	}
	if s.Maximum != nil {
		words = append(words, "at most "+s.Maximum.String())
	}
	if s.Default != nil {
		words = append(words, "default "+jsonText(s.Default))
	}
	text := strings.Join(words, "; ")
	for _, about := range []string{s.Title, s.Description} {
		if about = firstLine(about); about != "" {
			text = strings.TrimPrefix(text+". "+strings.TrimSuffix(about, "."), ". ")
		}
	}
	return cmp.Or(text, "anything")
}

// check refuses a data source that a plugin on our SDK would refuse, and warns
// of one that the files of another plugin do not allow: those may be older
// than it.
func (s pluginSchema) check(d source, set []string, stderr io.Writer) error {
	if len(s.Settings) == 0 {
		return nil
	}
	faults, err := validate(s.Settings, d.forSchema(s.Settings))
	switch {
	case err != nil:
		fmt.Fprintf(stderr, "warning: the schema of plugin %s cannot be used: %s\n", d.Type, printable(err.Error()))
	case len(faults) > 0 && s.Origin == "plugin":
		return misused("plugin %s does not take these settings (plugboard plugin show %s lists them):\n  %s", d.Type, d.Type, strings.Join(faults, "\n  "))
	}
	if err == nil {
		for _, fault := range faults {
			fmt.Fprintf(stderr, "warning: plugin %s: %s\n", d.Type, printable(fault))
		}
	}
	s.warnOfStrangers(d.Type, set, stderr)
	return nil
}

// warnOfStrangers tells of settings that were typed and that the plugin does
// not know.
func (s pluginSchema) warnOfStrangers(kind string, set []string, stderr io.Writer) {
	for _, p := range properties(s.Settings) {
		known := properties(p.schema)
		if p.key != "jsonData" || len(known) == 0 {
			continue
		}
		for _, assignment := range set {
			key, _, _ := strings.Cut(assignment, "=")
			name, within := strings.CutPrefix(key, "jsonData.")
			name, _, _ = strings.Cut(name, ".")
			if within && !strings.HasPrefix(name, "httpHeaderName") &&
				!slices.ContainsFunc(known, func(p property) bool { return strings.EqualFold(p.key, name) }) {
				fmt.Fprintf(stderr, "warning: plugin %s names no setting jsonData.%s; plugboard plugin show %s lists those it does\n", kind, printable(name), kind)
			}
		}
	}
}

// forSchema is a data source the way its schema describes it: what is empty is
// left out, secrets that are set already are there, and what may stand beside
// jsonData stands there.
func (s source) forSchema(schema json.RawMessage) map[string]any {
	data, err := decodeObject(s.JSONData)
	if err != nil {
		data = map[string]any{}
	}
	object := map[string]any{}
	if s.BasicAuth {
		object["basicAuth"] = true
	}
	for key, value := range map[string]string{"url": s.URL, "user": s.User, "database": s.Database, "basicAuthUser": s.BasicAuthUser} {
		object[key] = value
	}
	described := map[string]bool{}
	for _, p := range properties(schema) {
		described[p.key] = true
		if inner, has := data[p.key]; has && object[p.key] == "" {
			object[p.key] = inner
			delete(data, p.key)
		}
	}
	secrets := map[string]any{}
	for key := range s.SecureJSONFields {
		secrets[key] = "is set"
	}
	for key, value := range s.SecureJSONData {
		secrets[key] = value
	}
	for key, inner := range map[string]map[string]any{"jsonData": data, "secureJsonData": secrets} {
		if len(inner) > 0 || described[key] {
			object[key] = inner
		}
	}
	return withoutEmpty(object)
}

// withoutEmpty leaves out null and "", which is how forms leave things out.
func withoutEmpty(object map[string]any) map[string]any {
	kept := map[string]any{}
	for key, value := range object {
		if inner, ok := value.(map[string]any); ok {
			value = withoutEmpty(inner)
		}
		if value != nil && value != "" {
			kept[key] = value
		}
	}
	return kept
}

// noLoader keeps schemas from having files and addresses read.
type noLoader struct{}

func (noLoader) Load(string) (any, error) { return nil, errors.New("it refers to another document") }

// validate returns what is wrong with a value, each with its path. The error is
// about the schema.
func validate(schema json.RawMessage, value any) (faults []string, err error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	const name = "schema:settings"
	if err := c.AddResource(name, document); err != nil {
		return nil, err
	}
	compiled, err := c.Compile(name)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	if value, err = jsonschema.UnmarshalJSON(bytes.NewReader(raw)); err != nil {
		return nil, err
	}
	if wrong, ok := errors.AsType[*jsonschema.ValidationError](compiled.Validate(value)); ok {
		collect(wrong, &faults)
	}
	return faults, nil
}

func collect(e *jsonschema.ValidationError, faults *[]string) {
	if len(e.Causes) > 0 {
		for _, cause := range e.Causes {
			collect(cause, faults)
		}
		return
	}
	path := strings.Join(e.InstanceLocation, ".")
	tell := func(key, what string) { *faults = append(*faults, strings.TrimPrefix(key+": "+what, ": ")) }
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		for _, missing := range k.Missing {
			tell(strings.TrimPrefix(path+"."+missing, "."), "is missing")
		}
	case *kind.AdditionalProperties:
		for _, stranger := range k.Properties {
			tell(strings.TrimPrefix(path+"."+stranger, "."), "there is no such field")
		}
	default:
		tell(path, e.ErrorKind.LocalizedString(message.NewPrinter(language.English)))
	}
}
