// Package examples_test holds the examples to their promise: a folder that is
// copied out of here works.
package examples_test

import (
	"go/build"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/plugboard/plugboard"

// TestTakeOne checks that an example imports nothing but the standard library,
// what authors use of ours, and modules that its README says to get.
func TestTakeOne(t *testing.T) {
	manifests, err := filepath.Glob("*/plugin.json")
	if err != nil || len(manifests) < 9 {
		t.Fatalf("there are %d examples, %v", len(manifests), err)
	}
	for _, manifest := range manifests {
		dir := filepath.Dir(manifest)
		pkg, err := build.ImportDir(dir, 0)
		if err != nil {
			t.Fatal(err)
		}
		readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		if pkg.Name != "main" || !slices.Equal(pkg.GoFiles, []string{"main.go"}) {
			t.Errorf("%s: package %s of the files %v is no plugin of one file", dir, pkg.Name, pkg.GoFiles)
		}
		for _, path := range pkg.Imports {
			if !allowed(path, string(readme), "/frame", "/plugin", "/plugin/httpclient", "/plugin/sqlframe") {
				t.Errorf("%s imports %s, which its README does not say how to get", dir, path)
			}
		}
		for _, path := range pkg.TestImports {
			if !allowed(path, string(readme), "/frame", "/plugin", "/plugin/plugintest", "/host", "/host/hosttest") {
				t.Errorf("%s imports %s in its test, which its README does not say how to get", dir, path)
			}
		}
	}
}

func allowed(path, readme string, ours ...string) bool {
	if rest, ok := strings.CutPrefix(path, module); ok {
		return slices.Contains(ours, rest)
	}
	first, _, _ := strings.Cut(path, "/")
	if !strings.Contains(first, ".") {
		return true
	}
	_, get, _ := strings.Cut(readme, "`go get ")
	get, _, _ = strings.Cut(get, "`")
	return slices.ContainsFunc(strings.Fields(get), func(wanted string) bool {
		wanted, _, _ = strings.Cut(wanted, "@")
		return path == wanted || strings.HasPrefix(path, wanted+"/")
	})
}
