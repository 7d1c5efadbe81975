package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Schema is what the files in a plugin's folder say of its settings and
// queries: those that tools of the official SDK write.
type Schema struct {
	// Settings is the JSON Schema of a data source, jsonData and
	// secureJsonData in it; empty if no file has one.
	Settings json.RawMessage
	Queries  []QueryType
	// Faults are files that could not be read.
	Faults []Fault
}

// QueryType is one kind of query.
type QueryType struct {
	Name, Description string
	// Discriminators are the fields of the query that tell the kind.
	Discriminators []Discriminator
	Schema         json.RawMessage
}

// Discriminator is a field of a query and the value it has.
type Discriminator struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

// largestSchema is well beyond those of real plugins. YAML takes more work.
const (
	largestSchema = 4 << 20
	largestYAML   = 1 << 20
)

// ReadSchema reads the files of the plugin in dir. Files that lie outside of
// it, behind a link, are not read.
func ReadSchema(dir string) Schema {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Schema{Faults: []Fault{{Path: dir, Reason: err.Error()}}}
	}
	defer root.Close()
	r := schemaReader{root: root}
	for _, folder := range []string{"schema", "static/schema", "."} {
		r.folder(folder)
	}
	return r.schema
}

type schemaReader struct {
	root   *os.Root
	schema Schema
}

// versionForm is how versions of an API are named.
var versionForm = regexp.MustCompile(`^v(\d+)(?:(alpha|beta)(\d+))?$`)

// folder reads the files that lie in a folder, the newest version first, and
// keeps what is not known yet.
func (r *schemaReader) folder(folder string) {
	entries, err := fs.ReadDir(r.root.FS(), folder)
	if err != nil {
		return // there is none
	}
	var versions []string
	for _, entry := range entries {
		if name := withoutExt(entry.Name()); versionForm.MatchString(name) && !slices.Contains(versions, name) {
			versions = append(versions, name)
		}
	}
	slices.SortFunc(versions, newestFirst)
	for _, version := range versions {
		r.whole(path.Join(folder, version))
		r.parts(path.Join(folder, version))
	}
	r.whole(path.Join(folder, "schema"))
	r.parts(folder)
}

func withoutExt(name string) string { return strings.TrimSuffix(name, path.Ext(name)) }

func newestFirst(a, b string) int {
	rank := func(version string) string {
		parts := versionForm.FindStringSubmatch(version)
		level := parts[2]
		if level == "" {
			level = "stable" // after alpha and beta
		}
		return fmt.Sprintf("%9s %s %9s", parts[1], level, parts[3])
	}
	return strings.Compare(rank(b), rank(a))
}

// whole reads a file with everything in it.
func (r *schemaReader) whole(name string) {
	var file struct {
		Settings   json.RawMessage `json:"settings"`
		QueryTypes json.RawMessage `json:"queryTypes"`
	}
	found, ok := r.read(name, &file)
	if !ok {
		return
	}
	r.settings(found, file.Settings)
	r.queries(found, file.QueryTypes)
}

// parts reads the files of a folder that have one part each.
func (r *schemaReader) parts(folder string) {
	var settings, queries json.RawMessage
	if found, ok := r.read(path.Join(folder, "settings"), &settings); ok {
		r.settings(found, settings)
	}
	if found, ok := r.read(path.Join(folder, "query.types"), &queries); ok {
		r.queries(found, queries)
	}
}

func (r *schemaReader) fault(name string, err error) {
	r.schema.Faults = append(r.schema.Faults, Fault{Path: filepath.Join(r.root.Name(), filepath.FromSlash(name)), Reason: err.Error()})
}

// read decodes the file of a name, as JSON or YAML, whichever there is. It
// returns what the file is called, and whether there is one that is right.
func (r *schemaReader) read(name string, into any) (string, bool) {
	for _, ext := range []string{".json", ".yaml", ".yml"} {
		raw, err := r.bytes(name + ext)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && ext != ".json" {
			raw, err = yamlToJSON(raw)
		}
		if err == nil {
			raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
			if err = json.Unmarshal(raw, into); err != nil && ext == ".json" {
				err = place(raw, "JSON", err)
			}
		}
		if err != nil {
			r.fault(name+ext, err)
			return "", false
		}
		return name + ext, true
	}
	return "", false
}

func (r *schemaReader) bytes(name string) ([]byte, error) {
	info, err := r.root.Stat(name)
	if err != nil {
		return nil, err
	}
	most := int64(largestSchema)
	if !strings.HasSuffix(name, ".json") {
		most = largestYAML
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no file")
	case info.Size() > most:
		return nil, fmt.Errorf("it has %d bytes: at most %d are read", info.Size(), most)
	}
	file, err := r.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, most))
}

// settings keeps the schema of settings, the secrets made part of it.
func (r *schemaReader) settings(name string, raw json.RawMessage) {
	if len(raw) == 0 || string(raw) == "null" || r.schema.Settings != nil {
		return
	}
	var file struct {
		Spec         json.RawMessage `json:"spec"`
		SecureValues []secureValue   `json:"secureValues"`
	}
	err := json.Unmarshal(raw, &file)
	if err == nil {
		file.Spec, err = withSecrets(file.Spec, file.SecureValues)
	}
	if err != nil {
		r.fault(name, fmt.Errorf("settings: %w", err))
		return
	}
	r.schema.Settings = file.Spec
}

type secureValue struct {
	Key         string `json:"key"`
	Description string `json:"description"`
	Required    bool   `json:"required"`
}

// withSecrets adds the secrets to the properties of a schema, which keep their
// order.
func withSecrets(spec json.RawMessage, secrets []secureValue) (json.RawMessage, error) {
	schema := map[string]json.RawMessage{}
	if len(spec) > 0 {
		if err := json.Unmarshal(spec, &schema); err != nil || schema == nil {
			return nil, errors.New("its spec is no object")
		}
	}
	if len(secrets) == 0 {
		return json.Marshal(schema)
	}
	type secretSchema struct {
		Description string `json:"description,omitempty"`
		Type        string `json:"type"`
		WriteOnly   bool   `json:"writeOnly"`
	}
	var secure struct {
		Type       string                  `json:"type"`
		Properties map[string]secretSchema `json:"properties"`
		Required   []string                `json:"required,omitempty"`
	}
	secure.Type, secure.Properties = "object", map[string]secretSchema{}
	for _, s := range secrets {
		secure.Properties[s.Key] = secretSchema{s.Description, "string", true}
		if s.Required {
			secure.Required = append(secure.Required, s.Key)
		}
	}
	one, err := json.Marshal(secure)
	if err != nil {
		return nil, err
	}
	if schema["properties"], err = addMember(schema["properties"], "secureJsonData", one); err != nil {
		return nil, fmt.Errorf("its properties: %w", err)
	}
	if len(secure.Required) > 0 {
		var required []string
		if raw := schema["required"]; raw != nil && json.Unmarshal(raw, &required) != nil {
			return nil, errors.New("its required is no list of strings")
		}
		if schema["required"], err = json.Marshal(append(required, "secureJsonData")); err != nil {
			return nil, err
		}
	}
	return json.Marshal(schema)
}

// addMember adds a member at the end of an object.
func addMember(object json.RawMessage, key string, value json.RawMessage) (json.RawMessage, error) {
	var members map[string]json.RawMessage
	if len(object) > 0 && json.Unmarshal(object, &members) != nil {
		return nil, errors.New("it is no object")
	}
	if _, has := members[key]; has {
		return nil, fmt.Errorf("it has %s already", key)
	}
	if len(members) == 0 {
		return json.Marshal(map[string]json.RawMessage{key: value})
	}
	object = bytes.TrimSuffix(bytes.TrimSpace(object), []byte("}"))
	return fmt.Appendf(bytes.Clone(object), ",%q:%s}", key, value), nil
}

// queries keeps the kinds of query.
func (r *schemaReader) queries(name string, raw json.RawMessage) {
	if len(raw) == 0 || string(raw) == "null" || r.schema.Queries != nil {
		return
	}
	var file struct {
		Items []struct {
			Metadata struct {
				Name string `json:"name"`
			} `json:"metadata"`
			Spec struct {
				Description    string          `json:"description"`
				Discriminators []Discriminator `json:"discriminators"`
				Schema         json.RawMessage `json:"schema"`
			} `json:"spec"`
		} `json:"items"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		r.fault(name, fmt.Errorf("query types: %w", err))
		return
	}
	for i, item := range file.Items {
		var object map[string]json.RawMessage
		if json.Unmarshal(item.Spec.Schema, &object) != nil || object == nil {
			r.fault(name, fmt.Errorf("query types: items[%d].spec.schema is no object", i))
			continue
		}
		r.schema.Queries = append(r.schema.Queries, QueryType{
			Name: item.Metadata.Name, Description: item.Spec.Description,
			Discriminators: item.Spec.Discriminators, Schema: item.Spec.Schema,
		})
	}
}
