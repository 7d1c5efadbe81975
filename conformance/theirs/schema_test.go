package theirs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	sdkapi "github.com/grafana/grafana-plugin-sdk-go/experimental/apis/datasource/v0alpha1"
	"github.com/grafana/grafana-plugin-sdk-go/experimental/pluginschema"
	"github.com/grafana/grafana-plugin-sdk-go/experimental/schemabuilder"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"github.com/plugboard/plugboard/host"
)

type rainQuery struct {
	City string `json:"city" jsonschema:"minLength=1"`
	Unit string `json:"unit,omitempty" jsonschema:"enum=mm,enum=inch"`
}

type sunQuery struct {
	Angle float64 `json:"angle"`
}

// officialFiles writes the schema files of a plugin with the official SDK.
func officialFiles(t *testing.T, dir, version string) {
	t.Helper()
	settings := &pluginschema.Settings{
		Spec: &spec.Schema{SchemaProps: spec.SchemaProps{
			Type: []string{"object"}, Required: []string{"url"},
			Properties: map[string]spec.Schema{
				"url":      *spec.StringProperty().WithDescription("Where it rains."),
				"jsonData": {SchemaProps: spec.SchemaProps{Type: []string{"object"}, Properties: map[string]spec.Schema{"zone": *spec.StringProperty()}}},
			},
		}},
		SecureValues: []pluginschema.SecureValueInfo{{Key: "token", Description: "The token.", Required: true}},
	}
	// The builder fails a test whose files are new; those it makes of queries
	// are its own.
	raw, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, version), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, version, "settings.json"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := schemabuilder.NewSchemaBuilder(schemabuilder.BuilderOptions{PluginID: []string{"a-datasource"}})
	if err != nil {
		t.Fatal(err)
	}
	err = b.AddQueries([]schemabuilder.QueryTypeInfo{
		{Discriminators: sdkapi.NewDiscriminators("queryType", "rain"), GoType: reflect.TypeFor[rainQuery](), Description: "How much it rains."},
		{Discriminators: sdkapi.NewDiscriminators("queryType", "sun"), GoType: reflect.TypeFor[sunQuery]()},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.ConfigureSettings(settings, nil); err != nil {
		t.Fatal(err)
	}
	b.UpdateProviderFiles(t, version, dir)
}

// TestOfficialSchemaFiles reads back what the official SDK writes, in every
// form it has.
func TestOfficialSchemaFiles(t *testing.T) {
	const version = "v0alpha1"
	written := t.TempDir()
	officialFiles(t, written, version)
	whole, err := pluginschema.NewSchemaProvider(os.DirFS(written)).Get(version)
	if err != nil || whole.IsZero() {
		t.Fatal(whole, err)
	}
	asYAML, err := pluginschema.ToYAML(whole)
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) []byte {
		raw, err := os.ReadFile(filepath.Join(written, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	for form, files := range map[string]map[string][]byte{
		"one JSON file":     {"schema/v0alpha1.json": read("v0alpha1.json")},
		"one YAML file":     {"schema.yaml": asYAML},
		"a file for a part": {"schema/v0alpha1/settings.json": read("v0alpha1/settings.json"), "schema/v0alpha1/query.types.json": read("v0alpha1/query.types.json")},
		"static":            {"static/schema/settings.json": read("v0alpha1/settings.json"), "static/schema/query.types.json": read("v0alpha1/query.types.json")},
	} {
		t.Run(form, func(t *testing.T) {
			s := schemaOf(t, files)
			if s.Origin != host.SchemaOfFiles || len(s.Faults) > 0 || len(s.Queries) != 2 {
				t.Fatalf("got %+v", s)
			}
			var settings struct {
				Required   []string
				Properties struct {
					URL            struct{ Description string }
					SecureJSONData struct {
						Properties map[string]struct{ Description string }
						Required   []string
					} `json:"secureJsonData"`
				}
			}
			if err := json.Unmarshal(s.Settings, &settings); err != nil {
				t.Fatal(err)
			}
			if settings.Properties.URL.Description != "Where it rains." || settings.Properties.SecureJSONData.Properties["token"].Description != "The token." ||
				!slices.Equal(settings.Required, []string{"url", "secureJsonData"}) {
				t.Errorf("settings: %s", s.Settings)
			}
			rain := s.Queries[0]
			if rain.Name != "rain" || rain.Description != "How much it rains." || rain.Discriminators["queryType"] != "rain" ||
				!strings.Contains(string(rain.Schema), `"inch"`) || !strings.Contains(string(rain.Schema), `draft-04`) {
				t.Errorf("rain: %+v: %s", rain, rain.Schema)
			}
		})
	}
}

// schemaOf asks a host about a plugin that has these files, and no backend.
func schemaOf(t *testing.T, files map[string][]byte) host.Schema {
	t.Helper()
	dir := t.TempDir()
	files["plugin.json"] = []byte(`{"id":"a-datasource","type":"datasource","name":"A"}`)
	for name, raw := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h, err := host.New(host.Config{PluginDirs: []string{dir}, AllowUnsigned: []string{"*"}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := h.Schema(t.Context(), "a-datasource")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSchemaOfAnOfficialPlugin: it does not describe itself, and works on.
func TestSchemaOfAnOfficialPlugin(t *testing.T) {
	h := run(t)
	for range 2 {
		if s, err := h.Schema(t.Context(), dataSourceID); err != nil || s.Origin != host.SchemaUnknown {
			t.Errorf("got %+v, %v", s, err)
		}
	}
	if _, err := query(t, h, `{}`); err != nil {
		t.Error(err)
	}
}
