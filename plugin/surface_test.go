package plugin

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// maxNames is how many names an author has to look through. It is a promise:
// raise it only with a name that replaces none and is worth its place.
const maxNames = 65

func TestSurface(t *testing.T) {
	names := exported(t)
	if len(names) > maxNames {
		t.Errorf("package plugin exports %d names, at most %d: %s", len(names), maxNames, strings.Join(names, " "))
	}
	t.Logf("%d names: %s", len(names), strings.Join(names, " "))
}

// exported returns the package's functions, types, variables and constants.
func exported(t *testing.T) []string {
	pkg, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range pkg.GoFiles {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			names = append(names, declared(decl)...)
		}
	}
	slices.Sort(names)
	return slices.DeleteFunc(names, func(name string) bool { return !ast.IsExported(name) })
}

func declared(decl ast.Decl) []string {
	if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil {
		return []string{f.Name.Name}
	}
	d, ok := decl.(*ast.GenDecl)
	if !ok {
		return nil
	}
	var names []string
	for _, spec := range d.Specs {
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
