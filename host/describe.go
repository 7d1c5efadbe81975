package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/plugboard/plugboard/host/internal/catalog"
	"github.com/plugboard/plugboard/plugin"
)

// Schema is what forms for a plugin's settings and queries are drawn from.
type Schema struct {
	Origin SchemaOrigin
	// Capabilities and QueryText are as in plugin.Description; only plugins on
	// our SDK say them.
	Capabilities []string
	QueryText    string
	// Settings is the JSON Schema of a data source, or of the settings of an
	// app: of an object with jsonData, secureJsonData, and for a data source
	// url, user and so on. It is empty if nobody says what they are. Files of
	// the official SDK are of draft 4.
	Settings json.RawMessage
	// Queries are the kinds of query there are. A plugin on our SDK has one,
	// without a name.
	Queries []QueryType
	// Faults are files in the plugin's folder that could not be read.
	Faults []Fault
}

// SchemaOrigin says who has said what is in a Schema.
type SchemaOrigin string

const (
	SchemaOfPlugin SchemaOrigin = "plugin" // the plugin itself, which is on our SDK
	SchemaOfFiles  SchemaOrigin = "files"  // files in the plugin's folder
	SchemaUnknown  SchemaOrigin = "none"   // nobody
)

// QueryType is one kind of query.
type QueryType struct {
	Name, Description string
	// Discriminators are the fields of the query that tell the kind, and the
	// values they have.
	Discriminators map[string]string
	// Schema is the JSON Schema of the query model.
	Schema json.RawMessage
}

// described is what the process behind a client has said of itself.
type described struct {
	client      *plugin.Client
	description plugin.Description
	err         error
}

// Describe asks a plugin about itself, each of its processes once. Those that
// are not on our SDK answer plugin.ErrNotImplemented.
func (h *Host) Describe(ctx context.Context, pluginID string) (plugin.Description, error) {
	m, err := h.member(pluginID)
	if err != nil {
		return plugin.Description{}, err
	}
	return m.describe(ctx)
}

func (m *member) describe(ctx context.Context) (plugin.Description, error) {
	return read(ctx, m, func(ctx context.Context, c *plugin.Client) (plugin.Description, error) {
		if known := m.described.Load(); known != nil && known.client == c {
			return known.description, known.err
		}
		description, err := c.Describe(ctx)
		if err == nil || errors.Is(err, plugin.ErrNotImplemented) {
			m.described.Store(&described{c, description, err})
		}
		return description, err
	})
}

// Schema returns what forms for a plugin are drawn from: what the plugin says,
// or, if that is not on our SDK or has no backend, what the files say that
// tools of the official SDK write into its folder: schema.yaml, settings.yaml
// and query.types.json, as JSON or YAML, in the folder itself, in schema or in
// static/schema, by versions or not. Broken files are no error but in Faults.
func (h *Host) Schema(ctx context.Context, pluginID string) (Schema, error) {
	m, ok := h.members[pluginID]
	if !ok {
		return Schema{}, fmt.Errorf("%w: %q is not installed", ErrNotFound, pluginID)
	}
	if m.supervisor == nil {
		return m.schemaOfFiles(), nil
	}
	d, err := m.describe(ctx)
	if err == nil {
		return schemaOf(d), nil
	}
	if files := m.schemaOfFiles(); errors.Is(err, plugin.ErrNotImplemented) || files.Origin == SchemaOfFiles {
		return files, nil
	}
	return Schema{}, err
}

func schemaOf(d plugin.Description) Schema {
	s := Schema{Origin: SchemaOfPlugin, Capabilities: d.Capabilities, QueryText: d.QueryText, Settings: d.Settings}
	if d.Query != nil {
		s.Queries = []QueryType{{Schema: d.Query}}
	}
	return s
}

func (m *member) schemaOfFiles() Schema {
	files := m.version().files()
	s := Schema{Origin: SchemaUnknown, Settings: files.Settings}
	for _, q := range files.Queries {
		one := QueryType{Name: q.Name, Description: q.Description, Schema: q.Schema}
		for _, d := range q.Discriminators {
			if one.Discriminators == nil {
				one.Discriminators = map[string]string{}
			}
			one.Discriminators[d.Field] = d.Value
		}
		s.Queries = append(s.Queries, one)
	}
	for _, fault := range files.Faults {
		s.Faults = append(s.Faults, faultOf(fault))
	}
	if s.Settings != nil || s.Queries != nil {
		s.Origin = SchemaOfFiles
	}
	return s
}

// readSchema reads the files in a plugin's folder; a bundled one has none.
func readSchema(entry *catalog.Entry, logger *slog.Logger) catalog.Schema {
	if entry.Dir == "" {
		return catalog.Schema{}
	}
	s := catalog.ReadSchema(entry.Dir)
	for i, fault := range s.Faults {
		s.Faults[i].PluginID = entry.Manifest.ID
		logger.Warn("a schema file of a plugin cannot be read", keyPlugin, entry.Manifest.ID, "file", fault.Path, "error", fault.Reason)
	}
	return s
}
