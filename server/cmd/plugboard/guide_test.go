//go:build linux

package main

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/spf13/cobra"
)

// TestGuide types every line of docs/guide/command-line.md, and compares what
// it prints with what the guide says: "…" stands for anything on a line, a line
// of only that for any lines. The guide becomes a script, one file for each of
// its blocks.
func TestGuide(t *testing.T) {
	text, err := os.ReadFile("../../../docs/guide/command-line.md")
	if err != nil {
		t.Fatal(err)
	}
	script := "start 'Try' demo --listen 127.0.0.1:0\n"
	var archive txtar.Archive
	for i, block := range blocks(t, string(text)) {
		name := fmt.Sprintf("block%d.txt", i+1)
		script += "type " + name + "\n"
		archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(block)})
	}
	archive.Comment = []byte(script + "interrupt\n")
	runGenerated(t, "command-line", archive)
}

var commandInProse = regexp.MustCompile("`plugboard [^`]*`")

// blocks returns the blocks of a guide. Commands stand in blocks, where they are
// tested, and nowhere else.
func blocks(t *testing.T, guide string) []string {
	t.Helper()
	var found []string
	parts := strings.Split(guide, "```")
	for i, part := range parts {
		if i%2 == 0 {
			if command := commandInProse.FindString(part); command != "" {
				t.Errorf("%s stands in the prose, where no test types it", command)
			}
			continue
		}
		block, ok := strings.CutPrefix(part, "console\n")
		if !ok {
			t.Errorf("a block is not of kind console:\n%s", part)
		}
		found = append(found, block)
	}
	if len(found) == 0 || len(parts)%2 == 0 {
		t.Fatal("the guide has no blocks, or one without an end")
	}
	return found
}

// TestExamples runs the examples in the help of every command. They are shell
// commands, one a line, or more with a backslash before the line's end.
func TestExamples(t *testing.T) {
	script := `start 'Try' demo --listen 127.0.0.1:0
env TOKEN=from-the-environment
exec plugboard datasource add prometheus --type testdata
mkplugin dist
mkplugin release
mkshop shop.db
`
	archive := txtar.Archive{Files: []txtar.File{
		{Name: "password.txt", Data: []byte("correct-horse\n")},
		{Name: "provisioning/datasources/empty.yaml", Data: []byte("apiVersion: 1\n")},
	}}
	for _, cmd := range runnable(newRoot()) {
		if cmd.Example == "" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		if cmd.Name() == "upgrade" || cmd.Name() == "rollback" || cmd.Name() == "reload" {
			continue // they take a plugin in a folder, signed: testdata/script/upgrade.txtar
		}
		for line := range strings.SplitSeq(strings.ReplaceAll(cmd.Example, "\\\n", ""), "\n") {
			name := fmt.Sprintf("example%d.txt", len(archive.Files))
			line = strings.TrimSpace(line)
			block := "$ " + line + "\n…\n"
			if endless(line) {
				block += "^C\n"
			}
			script += "type " + name + "\n"
			archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(block)})
		}
	}
	archive.Comment = []byte(script + "interrupt\n")
	runGenerated(t, "examples", archive)
}

// runnable returns the commands that do something.
func runnable(cmd *cobra.Command) []*cobra.Command {
	var found []*cobra.Command
	if cmd.Runnable() && !cmd.Hidden && !cmd.HasSubCommands() {
		found = append(found, cmd)
	}
	for _, sub := range cmd.Commands() {
		found = append(found, runnable(sub)...)
	}
	return found
}

// endless tells whether a command goes on until Ctrl-C.
func endless(line string) bool {
	switch words := strings.Fields(line); {
	case words[1] == "demo", words[1] == "serve":
		return true
	case words[1] == "stream":
		return !strings.Contains(line, " -n ")
	default:
		return strings.Contains(line, "--follow")
	}
}

// runGenerated runs a script that a test has made.
func runGenerated(t *testing.T, name string, archive txtar.Archive) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name+".txtar"), txtar.Format(&archive), 0o600); err != nil {
		t.Fatal(err)
	}
	params := scripts(dir)
	params.Cmds["type"] = typeBlock
	params.Cmds["mkplugin"] = makePlugin
	params.Cmds["mkshop"] = makeShop
	testscript.Run(t, params)
}

// makePlugin makes a folder with a plugin in it, which is the bundled testdata.
func makePlugin(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	manifest := `{"id": "my-own-datasource", "type": "datasource", "name": "My own", "backend": true, "executable": "gpx_own", "info": {"version": "1.0.0"}}`
	ts.Check(os.WriteFile(filepath.Join(dir, "plugin.json"), []byte(manifest), 0o600))
	ts.Check(os.Link(lookPath(ts, "plugboard"), filepath.Join(dir, "plugboard"))) // what is elsewhere, a plugin may not execute
	program := "#!/bin/sh\nexec \"${0%/*}/plugboard\" bundled testdata\n"
	ts.Check(os.WriteFile(filepath.Join(dir, platformName("gpx_own")), []byte(program), 0o700)) //nolint:gosec // it is a program
}

// makeShop makes a database with a table.
func makeShop(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	_, err = db.Exec("CREATE TABLE orders (id INTEGER, item TEXT); INSERT INTO orders VALUES (1, 'tea')")
	ts.Check(errors.Join(err, db.Close()))
}
