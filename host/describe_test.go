package host_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/internal/badplugin"
	"github.com/plugboard/plugboard/plugin"
)

func TestSchemaOfThePlugin(t *testing.T) {
	h := withModes(t, badplugin.Good, badplugin.Chunked)
	for range 2 {
		s, err := h.Schema(t.Context(), badplugin.Chunked)
		if err != nil || s.Origin != host.SchemaOfPlugin || s.QueryText != "say" {
			t.Errorf("got %+v, %v", s, err)
		}
		s, err = h.Schema(t.Context(), badplugin.Good)
		if err != nil || s.Origin != host.SchemaUnknown || s.Settings != nil || s.Queries != nil {
			t.Errorf("got %+v, %v", s, err)
		}
		if d, err := h.Describe(t.Context(), badplugin.Chunked); err != nil || !d.Chunked {
			t.Errorf("got %+v, %v", d, err)
		}
		if _, err := h.Describe(t.Context(), badplugin.Good); !errors.Is(err, plugin.ErrNotImplemented) {
			t.Errorf("got %v", err)
		}
	}
	if _, err := h.Schema(t.Context(), "nobody"); !errors.Is(err, host.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestSchemaOfFiles(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"plugin.json":      `{"id":"a-datasource","type":"datasource","name":"A"}`,
		"schema.yaml":      "settings:\n  spec: {type: object}\nqueryTypes:\n  items:\n  - metadata: {name: rain}\n    spec: {discriminators: [{field: queryType, value: rain}], schema: {}}\n",
		"query.types.json": `{"items":`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h, err := host.New(host.Config{PluginDirs: []string{dir}, AllowUnsigned: []string{"*"}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := h.Schema(t.Context(), "a-datasource")
	if err != nil || s.Origin != host.SchemaOfFiles || string(s.Settings) != `{"type":"object"}` || len(s.Queries) != 1 ||
		s.Queries[0].Name != "rain" || s.Queries[0].Discriminators["queryType"] != "rain" {
		t.Errorf("got %+v, %v", s, err)
	}
	if len(s.Faults) != 1 || !strings.Contains(s.Faults[0].Error(), "query.types.json: it is no valid JSON: line 1") || s.Faults[0].PluginID != "a-datasource" {
		t.Errorf("faults: %v", s.Faults)
	}
}
