package server_test

import (
	"go/build"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/plugboard/plugboard/server"

// floors continues the house above the root module: the ground of this module
// stands on all its packages. A package imports packages on lower floors only.
var floors = [][]string{
	{"datasource", "access", "bundled/jsonscan", "dbtest", "parquet"},
	{"config", "console", "datasource/sqlstore", "datasource/storetest", "gateway", "history", "telemetry", "bundled", "bundled/testsource", "bundled/sql", "bundled/prometheus", "bundled/httpsource"},
	{"."},
	{"cmd/plugboard"},
}

// TestLayout checks that every package has a floor and a package comment, and
// imports only from floors below its own.
func TestLayout(t *testing.T) {
	floorOf := map[string]int{}
	for i, dirs := range floors {
		for _, dir := range dirs {
			floorOf[dir] = i
		}
	}
	for _, dir := range packageDirs(t) {
		pkg, err := build.ImportDir(dir, 0)
		if err != nil {
			t.Error(err)
			continue
		}
		if pkg.Doc == "" && pkg.Name != "main" {
			t.Errorf("%s has no package comment", dir)
		}
		floor, ok := floorOf[dir]
		if !ok {
			t.Errorf("%s has no floor: add it to floors, or find the package it belongs to", dir)
			continue
		}
		for _, path := range pkg.Imports {
			imported := "."
			if path != module {
				rest, ours := strings.CutPrefix(path, module+"/")
				if !ours {
					continue
				}
				imported = rest
			}
			if below, ok := floorOf[imported]; !ok || below >= floor {
				t.Errorf("%s (floor %d) imports %s, which is not below it", dir, floor, imported)
			}
		}
	}
}

// packageDirs returns the package directories of this module, in path order.
func packageDirs(t *testing.T) []string {
	t.Helper()
	var dirs []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if path != "." && (d.Name() == "testdata" && !hasSources(path) || strings.HasPrefix(d.Name(), ".") || isModule(path)) {
			return filepath.SkipDir
		}
		if hasSources(path) {
			dirs = append(dirs, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}

func hasSources(dir string) bool {
	sources, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	return slices.ContainsFunc(sources, func(name string) bool { return !strings.HasSuffix(name, "_test.go") })
}

func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}
