package plugboard_test

import (
	"go/build"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/plugboard/plugboard"

// floors lists the house from the ground up. A package imports packages on
// lower floors only; a package missing from the list has no room in the house.
var floors = [][]string{
	{"wire", "trace", "host/internal/failpoint", "internal/sockstest", "plugin/internal/incall", "frame", "internal/bytepool", "host/internal/tail", "frame/internal/shortest", "frame/internal/shortest/powers"},
	{"frame/internal/cell", "plugin/plugintest/tape"},
	{"internal/badplugin", "host/internal/sandbox", "trace/otlp", "frame/framejson", "frame/framecsv", "frame/frametest", "frame/transform", "plugin/internal/schema"},
	{"plugin", "host/internal/catalog", "host/internal/gate", "host/internal/trust", "host/internal/process"},
	{"web/e2e/trouble", "plugin/sqlframe", "host/internal/supervisor", "host/internal/hub", "plugin/httpclient"},
	{"host", "host/signing", "plugin/plugintest"},
	{"host/hosttest"},
}

// authorBudget lists, beside the standard library, what package plugin and all
// that it imports of ours may import directly: an author links it all.
// docs/decisions/0003 has the reasons.
var authorBudget = []string{
	"github.com/prometheus/client_golang/prometheus",
	"github.com/prometheus/common/expfmt",
	"golang.org/x/sys/unix",
	"google.golang.org/genproto/googleapis/rpc/errdetails",
	"google.golang.org/grpc",
	"google.golang.org/protobuf",
}

// TestLayout checks that every package has a floor and a package comment, and
// imports only from floors below its own. It reads the source files itself
// rather than running go list, so that the test cache sees them change.
func TestLayout(t *testing.T) {
	floorOf := map[string]int{}
	for i, dirs := range floors {
		for _, dir := range dirs {
			floorOf[dir] = i
		}
	}
	for _, dir := range packageDirs(t) {
		pkg := parse(t, dir)
		if pkg.Doc == "" && pkg.Name != "main" {
			t.Errorf("%s has no package comment", dir)
		}
		floor, ok := floorOf[dir]
		if !ok {
			t.Errorf("%s has no floor: add it to floors, or find the package it belongs to", dir)
			continue
		}
		for _, path := range pkg.Imports {
			imported, ours := strings.CutPrefix(path, module+"/")
			if !ours {
				continue
			}
			if below, ok := floorOf[imported]; !ok || below >= floor {
				t.Errorf("%s (floor %d) imports %s, which is not below it", dir, floor, imported)
			}
		}
	}
}

// TestAuthorBudget checks what a plugin links through package plugin.
func TestAuthorBudget(t *testing.T) {
	seen := map[string]bool{}
	var visit func(dir string)
	visit = func(dir string) {
		if seen[dir] {
			return
		}
		seen[dir] = true
		for _, path := range parse(t, dir).Imports {
			switch imported, ours := strings.CutPrefix(path, module+"/"); {
			case ours:
				visit(imported)
			case !isStandard(path) && !budgeted(path):
				t.Errorf("%s imports %s, which is not in the author's budget", dir, path)
			}
		}
	}
	visit("plugin")
}

func budgeted(path string) bool {
	return slices.ContainsFunc(authorBudget, func(allowed string) bool {
		return path == allowed || strings.HasPrefix(path, allowed+"/")
	})
}

func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func parse(t *testing.T, dir string) *build.Package {
	t.Helper()
	pkg, err := build.ImportDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

// packageDirs returns the package directories of this module, in path order.
func packageDirs(t *testing.T) []string {
	t.Helper()
	var dirs []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || path == "." {
			return err
		}
		if d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") || isModule(path) {
			return filepath.SkipDir
		}
		if sources, _ := filepath.Glob(filepath.Join(path, "*.go")); slices.ContainsFunc(sources, notTest) {
			dirs = append(dirs, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}

func notTest(name string) bool { return !strings.HasSuffix(name, "_test.go") }

func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}
