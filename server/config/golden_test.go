package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/plugboard/plugboard/server/datasource"
)

var update = flag.Bool("update", false, "rewrite the want of testdata/*.txtar")

// TestLoad loads what each archive gives: a plugboard.yaml, an env and flags.
func TestLoad(t *testing.T) {
	golden(t, "testdata/load/*.txtar", func(t *testing.T, dir string, given map[string]string) string {
		flags := map[string][]string{}
		for _, line := range lines(given["flags"]) {
			name, value, _ := strings.Cut(strings.TrimPrefix(line, "--"), "=")
			flags[name] = append(flags[name], value)
		}
		file := ""
		if _, ok := given["plugboard.yaml"]; ok {
			file = filepath.Join(dir, "plugboard.yaml")
		}
		c, err := Load(file, lines(given["env"]), flags)
		if err != nil {
			return err.Error() + "\n"
		}
		return showConfig(t, c)
	})
}

// showConfig shows the secrets too.
func showConfig(t *testing.T, c Config) string {
	return showJSON(t, map[string]any{
		"listen": c.Listen, "data": c.Data, "log-level": c.LogLevel.String(),
		"plugins": c.PluginDirs, "allow-unsigned": c.AllowUnsigned, "chunked": c.ChunkedPlugins,
		"provisioning": c.Provisioning, "secret-key-file": c.SecretKeyFile,
		"admin-password": string(c.AdminPassword), "secret-key": string(c.SecretKey),
		"otlp-address": c.OTLPAddress, "trace-ratio": c.TraceRatio,
		"plugin-settings": map[string]map[string]string(c.PluginSettings),
		"sandbox":         c.Sandbox, "cgroup": c.Cgroup,
	})
}

// TestProvisioning reads the provisioning folder of each archive.
func TestProvisioning(t *testing.T) {
	golden(t, "testdata/provisioning/*.txtar", func(t *testing.T, dir string, given map[string]string) string {
		variables := lookup(lines(given["env"]))
		expand := expander{
			lookup: func(name string) (string, bool) { value, set := variables[name]; return value, set },
			readFile: func(name string) (string, error) {
				if content, ok := given[name]; ok {
					return content, nil
				}
				return "", &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
			},
		}
		p, err := readProvisioning(filepath.Join(dir, "p"), expand)
		return showProvisioning(t, dir, p, err)
	})
}

func showProvisioning(t *testing.T, dir string, p datasource.Provisioning, err error) string {
	var out strings.Builder
	if err != nil {
		fmt.Fprintf(&out, "%s\n", strings.ReplaceAll(err.Error(), dir, "DIR"))
	}
	if (err != nil) != p.Incomplete {
		t.Errorf("error %v, but incomplete is %v", err, p.Incomplete)
	}
	for _, warning := range p.Warnings {
		fmt.Fprintf(&out, "warning: %s\n", warning)
	}
	for _, name := range p.Delete {
		fmt.Fprintf(&out, "delete %q\n", name)
	}
	for _, d := range p.DataSources {
		out.WriteString("data source " + showJSON(t, d))
	}
	for _, a := range p.Apps {
		out.WriteString("app " + showJSON(t, a))
	}
	for _, file := range p.Prune {
		fmt.Fprintf(&out, "prune %s\n", file)
	}
	return out.String()
}

// golden unpacks each archive and compares show's answer with its file "want".
func golden(t *testing.T, pattern string, show func(t *testing.T, dir string, given map[string]string) string) {
	archives, err := filepath.Glob(pattern)
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives at %s: %v", pattern, err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			given := map[string]string{}
			for _, f := range archive.Files {
				given[f.Name] = string(f.Data)
				write(t, filepath.Join(dir, f.Name), f.Data)
			}
			got := strings.ReplaceAll(show(t, dir, given), dir, "DIR")
			if *update {
				rewrite(t, path, archive, got)
				return
			}
			if got != given["want"] {
				t.Errorf("got:\n%s\nwant:\n%s", got, given["want"])
			}
		})
	}
}

func rewrite(t *testing.T, path string, archive *txtar.Archive, got string) {
	for i := range archive.Files {
		if archive.Files[i].Name == "want" {
			archive.Files[i].Data = []byte(got)
			write(t, path, txtar.Format(archive))
			return
		}
	}
	archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(got)})
	write(t, path, txtar.Format(archive))
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o644)); err != nil {
		t.Fatal(err)
	}
}

func lines(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\n"); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// showJSON leaves out what is empty.
func showJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	for name, field := range fields {
		switch string(field) {
		case `""`, "null", "0", "false", `"0001-01-01T00:00:00Z"`:
			delete(fields, name)
		}
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(fields); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
