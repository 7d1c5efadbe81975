package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestNames checks that what the pages for authors and embedders name of the SDK is there: in
// code between backquotes, plugin.Errorf is a name of package plugin.
func TestNames(t *testing.T) {
	const root = "../../.."
	pages, err := filepath.Glob(root + "/docs/guide/plugins/*.md")
	if err != nil || len(pages) < 7 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	pages = append(pages, root+"/docs/guide/write-a-plugin.md", root+"/docs/guide/embed-the-host.md")
	names := map[string][]string{}
	for _, dir := range []string{
		"plugin", "plugin/httpclient", "plugin/sqlframe", "plugin/plugintest", "plugin/plugintest/tape", "frame",
		"frame/framejson", "frame/frametest", "frame/transform", "trace", "trace/otlp", "host", "host/hosttest",
	} {
		names[filepath.Base(dir)] = exportedNames(t, filepath.Join(root, dir))
	}
	checked := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range named(string(text)) {
			where, what, _ := strings.Cut(name, ".")
			if known, ours := names[where]; ours {
				checked++
				if !slices.Contains(known, what) {
					t.Errorf("%s: there is no %s", filepath.Base(page), name)
				}
			}
		}
	}
	if checked < 100 {
		t.Errorf("%d names checked", checked)
	}
}

var (
	inlineCode = regexp.MustCompile("`[^`\n]+`")
	// qualified is no method or field of a variable, as in s.Logger.
	qualified = regexp.MustCompile(`\b[a-z]{4,}\.[A-Z]\w*`)
)

// named are the qualified names in the code of a page, but for those of the
// official SDK, which stand in the first column of a table.
func named(page string) []string {
	var all []string
	for line := range strings.Lines(page) {
		if first, rest, ok := strings.Cut(strings.TrimPrefix(line, "|"), "|"); ok && len(first) < len(line)-1 {
			line = rest
		}
		for _, code := range inlineCode.FindAllString(line, -1) {
			all = append(all, qualified.FindAllString(code, -1)...)
		}
	}
	return all
}

func exportedNames(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(dir + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			names = append(names, declaredNames(decl)...)
		}
	}
	return names
}

// declaredNames are those of functions, methods, types, variables and
// constants.
func declaredNames(decl ast.Decl) []string {
	if f, ok := decl.(*ast.FuncDecl); ok {
		return []string{f.Name.Name}
	}
	var names []string
	for _, spec := range decl.(*ast.GenDecl).Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			names = append(names, spec.Name.Name)
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				names = append(names, name.Name)
			}
		}
	}
	return names
}
