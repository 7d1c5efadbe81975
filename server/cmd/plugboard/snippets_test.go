//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSnippets checks that the Go code on the pages of docs/guide, and in the
// README, is code that is compiled: its lines stand in a Go file, but for how far
// they are indented.
func TestSnippets(t *testing.T) {
	const root = "../../.."
	pages, err := filepath.Glob(root + "/docs/guide/*.md")
	if err != nil || len(pages) < 8 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	sources := compiled(t, root)
	for _, page := range append(pages, root+"/README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, part := range strings.Split("\n"+string(text), "\n```") {
			snippet, ok := strings.CutPrefix(part, "go\n")
			if ok && i%2 == 1 && !strings.Contains(sources, flat(snippet)) {
				t.Errorf("%s: no Go file has\n%s", filepath.Base(page), snippet)
			}
		}
	}
}

// compiled is the text of the Go files, without their indentation.
func compiled(t *testing.T, root string) string {
	t.Helper()
	var all strings.Builder
	for _, pattern := range []string{"examples/*.go", "examples/*/*.go", "host/example*_test.go", "host/*/example*_test.go", "plugin/example*_test.go"} {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all.WriteString(flat(string(text)) + "\n")
		}
	}
	return all.String()
}

func flat(code string) string {
	lines := strings.Split(strings.TrimSpace(code), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Join(lines, "\n")
}
