package catalog

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// tree writes files into a new directory. A content of "-> path" makes a link.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if to, link := strings.CutPrefix(content, "-> "); link {
			err = os.Symlink(filepath.Join(root, filepath.FromSlash(to)), path)
		} else {
			err = os.WriteFile(path, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func manifest(id string) string {
	return fmt.Sprintf(`{"id": %q, "type": "datasource", "name": "N", "backend": true, "executable": "gpx_n", "info": {"version": "1.0.0"}}`, id)
}

func scan(dirs ...string) *Catalog {
	c := New()
	for _, dir := range dirs {
		c.Scan(dir)
	}
	return c
}

func ids(c *Catalog) string {
	var ids []string
	for _, entry := range c.Entries() {
		ids = append(ids, entry.Manifest.ID)
	}
	return strings.Join(ids, " ")
}

func TestScanFindsPlugins(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"one per directory", map[string]string{"a/plugin.json": manifest("a"), "b/plugin.json": manifest("b")}, "a b"},
		{"in the directory itself", map[string]string{"plugin.json": manifest("a")}, "a"},
		{"deep down", map[string]string{"vendor/x/y/plugin.json": manifest("a")}, "a"},
		{"dist before source", map[string]string{"a/plugin.json": manifest("wrong"), "a/src/plugin.json": manifest("wrong"), "a/dist/plugin.json": manifest("a")}, "a"},
		{"not in node_modules", map[string]string{"a/plugin.json": manifest("a"), "a/node_modules/b/plugin.json": manifest("b")}, "a"},
		{"behind links", map[string]string{"stock/a/plugin.json": manifest("a"), "stock/b/manifest": manifest("b"), "on/a": "-> stock/a", "on/b/plugin.json": "-> stock/b/manifest"}, "a b"},
		{"in a loop of links", map[string]string{"a/plugin.json": manifest("a"), "a/again": "-> ."}, "a"},
		{"nested", map[string]string{"app/plugin.json": manifest("app"), "app/datasource/plugin.json": manifest("ds")}, "app ds"},
		{"a directory of that name", map[string]string{"plugin.json/plugin.json": manifest("a")}, "a"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := scan(tree(t, test.files))
			if got := ids(c); got != test.want {
				t.Errorf("found %q instead of %q", got, test.want)
			}
			if len(c.Faults()) > 0 {
				t.Errorf("faults: %v", c.Faults())
			}
		})
	}
}

func TestEntrySaysHowToStartIt(t *testing.T) {
	root := tree(t, map[string]string{
		"app/dist/plugin.json":            `{"id": "app", "type": "app", "name": "App"}`,
		"app/dist/datasource/plugin.json": manifest("ds"),
	})
	entries := scan(root).Entries()
	app, ds := entries[0], entries[1]
	if app.Command != nil || app.Parent != "" || app.Manifest.Backend {
		t.Errorf("the app has no backend: %+v", app)
	}
	dir := filepath.Join(root, "app", "dist", "datasource")
	command := filepath.Join(dir, "gpx_n_"+runtime.GOOS+"_"+runtime.GOARCH)
	if runtime.GOOS == "windows" {
		command += ".exe"
	}
	if ds.Dir != dir || !slices.Equal(ds.Command, []string{command}) || ds.Parent != "app" {
		t.Errorf("the nested data source: %+v", ds)
	}
	if ds.Manifest.Info.Version != "1.0.0" || string(ds.Manifest.Raw) != manifest("ds") {
		t.Errorf("its manifest: %+v", ds.Manifest)
	}
}

func TestFaultsSayWhatAndWhere(t *testing.T) {
	tests := []struct{ name, content, id, reason string }{
		{"cut off", "{\n  \"id\": \"a\",\n  \"type\"", "", "line 3, column 8: unexpected end of JSON input"},
		{"broken", "{\n  \"id\": \"a\" \"type\": 1\n}", "", "line 2, column 13: invalid character '\"'"},
		{"wrong type of value", "{\"id\": \"a\", \"type\": \"app\",\n \"backend\": \"yes\"}", "a", "line 2, column 17: json: cannot unmarshal string"},
		{"no object", "[]", "", "cannot unmarshal array"},
		{"empty", "", "", "line 1, column 1: unexpected end"},
		{"without an id", `{"type": "app"}`, "", `no "id"`},
		{"with an id that is a path", `{"id": "../../etc", "type": "app"}`, "../../etc", "characters an id may not have"},
		{"of a type that we do not run", `{"id": "r", "type": "renderer"}`, "r", `its type is "renderer"; plugins of the types app, datasource, panel can be loaded`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			root := tree(t, map[string]string{"bad/plugin.json": test.content, "good/plugin.json": manifest("good")})
			c := scan(root)
			if ids(c) != "good" {
				t.Errorf("found %q: one fault must not hide the rest", ids(c))
			}
			faults := c.Faults()
			if len(faults) != 1 {
				t.Fatalf("faults: %v", faults)
			}
			fault := faults[0]
			if fault.Path != filepath.Join(root, "bad", "plugin.json") || fault.PluginID != test.id || !strings.Contains(fault.Reason, test.reason) {
				t.Errorf("fault: %+v", fault)
			}
		})
	}
}

func TestMissingDirectoryIsAFault(t *testing.T) {
	c := scan(filepath.Join(t.TempDir(), "nothing"), tree(t, map[string]string{"plugin.json": manifest("a")}))
	if ids(c) != "a" || len(c.Faults()) != 1 || !strings.Contains(c.Faults()[0].Reason, "cannot search for plugins") {
		t.Errorf("found %q, faults %v", ids(c), c.Faults())
	}
}

func TestFirstPluginOfAnIDWins(t *testing.T) {
	first, second := tree(t, map[string]string{"plugin.json": manifest("a")}), tree(t, map[string]string{"plugin.json": manifest("a")})
	c := New()
	if err := c.Bundle([]byte(manifest("b")), []string{"self"}, nil); err != nil {
		t.Fatal(err)
	}
	c.Scan(first)
	c.Scan(second)
	c.Scan(tree(t, map[string]string{"plugin.json": manifest("b")}))
	if ids(c) != "a b" || c.Entries()[0].Dir != first || !c.Entries()[1].Bundled {
		t.Errorf("found %q", ids(c))
	}
	faults := c.Faults()
	if len(faults) != 2 || !strings.Contains(faults[0].Reason, "already loaded from "+first) || !strings.Contains(faults[1].Reason, "the host's own") {
		t.Errorf("faults: %v", faults)
	}
}

func TestSameDirectoryTwiceIsNoFault(t *testing.T) {
	root := tree(t, map[string]string{"a/plugin.json": manifest("a")})
	c := scan(root, filepath.Join(root, "a"))
	if ids(c) != "a" || len(c.Faults()) != 0 {
		t.Errorf("found %q, faults %v", ids(c), c.Faults())
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(manifest("a")))
	f.Add([]byte("\xef\xbb\xbf{}"))
	f.Add([]byte("{\n  \"id\": \"a\" \"type\": 1\n}"))
	f.Add([]byte(`{"info": {"author": []}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := parseManifest(raw)
		if err == nil && m.ID == "" {
			t.Error("a plugin without an id")
		}
	})
}

func TestExecutableStaysInItsFolder(t *testing.T) {
	executable := func(name string) string {
		return strings.Replace(manifest("a"), "gpx_n", name, 1)
	}
	platform := "_" + runtime.GOOS + "_" + runtime.GOARCH
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"above", map[string]string{"a/plugin.json": executable("../gpx_n")}, `"../gpx_n" is not in the folder`},
		{"far above", map[string]string{"a/plugin.json": executable("bin/../../x/gpx_n")}, "is not in the folder"},
		{"absolute", map[string]string{"a/plugin.json": executable("/bin/sh")}, `"/bin/sh" is not in the folder`},
		{"a link out", map[string]string{"a/plugin.json": executable("gpx_n"), "b/x": "x", "a/gpx_n" + platform: "-> b/x"}, "is a link to"},
		{"a folder that is a link", map[string]string{"a/plugin.json": executable("bin/gpx_n"), "b/gpx_n" + platform: "x", "a/bin": "-> b"}, "is a link to"},
		{"a link within", map[string]string{"a/plugin.json": executable("gpx_n"), "a/bin/x": "x", "a/gpx_n" + platform: "-> a/bin/x"}, ""},
		{"further down", map[string]string{"a/plugin.json": executable("bin/gpx_n"), "a/bin/gpx_n" + platform: "x"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := scan(tree(t, test.files))
			switch faults := c.Faults(); {
			case test.want == "" && (len(faults) > 0 || ids(c) != "a"):
				t.Errorf("found %q, faults %v", ids(c), faults)
			case test.want != "" && (len(faults) != 1 || ids(c) != "" || !strings.Contains(faults[0].Reason, test.want)):
				t.Errorf("found %q, faults %v, want one that says %q", ids(c), faults, test.want)
			}
		})
	}
}
