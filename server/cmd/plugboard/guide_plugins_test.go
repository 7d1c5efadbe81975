//go:build linux

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestPluginGuide does what the pages of docs/guide/plugins say, outside the
// checkout, as somebody would who has only Go and plugboard. A block with the
// name of a file after its language is that file, or the next part of it; a
// console block is typed and compared, as in TestGuide.
func TestPluginGuide(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a plugin for each page")
	}
	pages, err := filepath.Glob("../../../docs/guide/plugins/*.md")
	if err != nil || len(pages) < 7 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	env := strangerEnv(t)
	for _, page := range pages {
		t.Run(strings.TrimSuffix(filepath.Base(page), ".md"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			follow(t, string(text), env)
		})
	}
}

// fence opens a block: its language and perhaps a file.
var fence = regexp.MustCompile("^```(\\w+)(?: (\\S+))?$")

// follow does what one page says, in a folder of its own.
func follow(t *testing.T, page string, env []string) {
	t.Helper()
	dir := t.TempDir()
	parts := strings.Split(page, "\n```")
	if len(parts)%2 == 0 {
		t.Fatal("a block has no end")
	}
	written := map[string]bool{}
	for i := 1; i < len(parts); i += 2 {
		first, body, _ := strings.Cut("```"+parts[i], "\n")
		block := fence.FindStringSubmatch(first)
		switch {
		case block == nil:
			t.Fatalf("a block begins with %q, not with a language", first)
		case block[1] == "console":
			for _, command := range readBlock(body) {
				command.typeInto(t, dir, env)
			}
		case block[2] == "":
			t.Errorf("this block is no file that could be compiled:\n%s", body)
		default:
			write(t, filepath.Join(dir, filepath.FromSlash(block[2])), body+"\n", written)
		}
	}
}

func write(t *testing.T, path, text string, written map[string]bool) {
	t.Helper()
	if written[path] {
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text = string(before) + "\n" + text
	}
	written[path] = true
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// typeInto types a command in a folder, and compares what it prints.
func (c typed) typeInto(t *testing.T, dir string, env []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", "set -e\n"+c.command)
	cmd.Dir, cmd.Env = dir, append(env, "PWD="+dir)
	printed, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("$ %s\n%s%v", c.command, printed, err)
	}
	printed = bytes.ReplaceAll(printed, []byte("\r\n"), []byte("\n"))
	if !c.pattern().Match(printed) {
		t.Fatalf("$ %s\nprints\n%s\nwant\n%s", c.command, printed, strings.Join(c.want, "\n"))
	}
}
