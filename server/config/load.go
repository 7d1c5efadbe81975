package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// DefaultFile is read when Load is given no file; it need not exist.
const DefaultFile = "plugboard.yaml"

// Load reads the configuration from a YAML file, the environment and flags;
// flags win over the environment and that over the file. A list given in one
// place replaces the whole list of a weaker one.
//
// file may be empty: then PLUGBOARD_CONFIG in env names it, or else
// DefaultFile is read if there is one. env is as os.Environ returns it; an
// empty variable counts as not set, lists are separated by commas. flags holds
// the flags that were given, by the names of Flags.
//
// Folders in the file are relative to the file, elsewhere to the working
// directory. The error is Faults: everything that is wrong at once.
func Load(file string, env []string, flags map[string][]string) (Config, error) {
	l := loader{origins: map[string]Fault{}}
	variables := lookup(env)
	l.file(cmp.Or(file, variables["PLUGBOARD_CONFIG"]))
	l.environment(variables)
	l.flags(flags)
	l.faults = append(l.faults, l.config.check(l.origins)...)
	if len(l.faults) > 0 {
		return Config{}, l.faults
	}
	return l.config.WithDefaults(), nil
}

type loader struct {
	config  Config
	faults  Faults
	origins map[string]Fault // where each setting came from, without a problem
}

// set returns what is wrong with the values, "" if nothing is.
func (l *loader) set(s setting, values []string, origin Fault) (problem string) {
	l.origins[s.name] = origin
	return s.set(&l.config, values)
}

// setOrFault is set for flags and variables.
func (l *loader) setOrFault(s setting, values []string, name string) {
	if problem := l.set(s, values, Fault{Field: name}); problem != "" {
		l.faults = append(l.faults, Fault{Field: name, Problem: problem})
	}
}

func (l *loader) environment(variables map[string]string) {
	for _, s := range settings {
		value := variables[s.variable()]
		if value == "" {
			continue
		}
		values := []string{value}
		if s.list {
			values = splitList(value)
		}
		l.setOrFault(s, values, s.variable())
	}
}

func (l *loader) flags(flags map[string][]string) {
	for _, s := range settings {
		values, given := flags[s.name]
		if !given || len(values) == 0 || s.noFlag {
			continue
		}
		if !s.list {
			values = values[len(values)-1:] // the last one wins, as usual
		}
		l.setOrFault(s, values, "--"+s.name)
	}
}

func (l *loader) file(name string) {
	named := name != ""
	if !named {
		name = DefaultFile
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return
	}
	if err != nil {
		l.faults = append(l.faults, Fault{Problem: "read the configuration: " + err.Error()})
		return
	}
	doc := newDocument(name, nil)
	root := doc.parse(text)
	doc.fields(root, "", l.fileFields(doc, filepath.Dir(name)), func(key *yaml.Node, field string) {
		doc.fault(key, field, "is not a setting, want one of "+strings.Join(fileSettings(), ", "))
	})
	l.faults = append(l.faults, doc.faults...)
}

// fileFields says how to read each key of the file. Its paths are relative to
// the file's folder.
func (l *loader) fileFields(doc *document, folder string) map[string]read {
	fields := map[string]read{
		"plugin-settings": func(n *yaml.Node, field string) { l.config.PluginSettings = readPluginSettings(doc, n, field) },
		"sandbox":         func(n *yaml.Node, field string) { l.config.Sandbox = readPolicies(doc, n, field, folder) },
		"remote":          func(n *yaml.Node, field string) { l.config.Remote = doc.remote(n, field, folder) },
		"trust":           func(n *yaml.Node, field string) { l.config.Trust = doc.trust(n, field, folder) },
	}
	for _, s := range settings {
		fields[s.name] = func(n *yaml.Node, field string) {
			values := doc.texts(n, field, s.list)
			if len(values) == 0 || !s.list && values[0] == "" {
				return
			}
			if slices.Contains([]string{"data", "plugins", "dev", "provisioning", "secret-key-file"}, s.name) {
				values = inFolder(folder, values)
			}
			if problem := l.set(s, values, Fault{File: doc.name, Line: n.Line, Field: field}); problem != "" {
				doc.fault(n, field, problem)
			}
		}
	}
	return fields
}

func fileSettings() []string {
	names := []string{"plugin-settings", "remote", "sandbox", "trust"}
	for _, s := range settings {
		names = append(names, s.name)
	}
	slices.Sort(names)
	return names
}

func readPluginSettings(doc *document, n *yaml.Node, field string) PluginSettings {
	all := PluginSettings{}
	doc.entries(n, field, func(id, n *yaml.Node, field string) {
		if !validPluginID(id.Value) {
			doc.fault(id, field, fmt.Sprintf("has %q, want the id of a plugin", id.Value))
			return
		}
		all[id.Value] = map[string]string{}
		doc.entries(n, field, func(key, n *yaml.Node, field string) {
			if leadingName("_"+key.Value) != "_"+key.Value {
				doc.fault(key, field, "has a key that is not made of letters, digits and _: it becomes part of GF_PLUGIN_…")
			}
			all[id.Value][key.Value] = doc.text(n, field)
		})
	})
	return all
}

func inFolder(folder string, paths []string) []string {
	joined := make([]string, len(paths))
	for i, path := range paths {
		if !filepath.IsAbs(path) {
			path = filepath.Join(folder, path)
		}
		joined[i] = path
	}
	return joined
}

func lookup(env []string) map[string]string {
	variables := make(map[string]string, len(env))
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		variables[name] = value
	}
	return variables
}

func splitList(text string) []string {
	var values []string
	for value := range strings.SplitSeq(text, ",") {
		if value = strings.TrimSpace(value); value != "" {
			values = append(values, value)
		}
	}
	return values
}
