package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// largestManifest is far beyond any real plugin.json.
const largestManifest = 8 << 20

// types are the kinds of plugin that can be loaded. Renderers and secrets
// managers speak protocols of their own.
var types = []string{"app", "datasource", "panel"}

// Manifest is what the host itself reads of a plugin.json.
type Manifest struct {
	ID   string
	Type string
	Name string
	// Backend: there is a process to start, from Executable.
	Backend    bool
	Executable string
	Category   string
	// Aliases are former ids.
	Aliases []string
	Info    Info
	// Raw is the whole file.
	Raw json.RawMessage
	// Sum is the SHA-256 of the file.
	Sum [sha256.Size]byte
}

// Info is the manifest's "info", as far as the host reads it.
type Info struct {
	Version, Description, Updated string
	Author                        string
}

// manifestFile is the file's own shape. Files in the wild break the schema in
// many ways, so as little as possible is decoded.
type manifestFile struct {
	ID         string   `json:"id"`
	Type       string   `json:"type"`
	Name       string   `json:"name"`
	Backend    bool     `json:"backend"`
	Executable string   `json:"executable"`
	Category   string   `json:"category"`
	Aliases    []string `json:"aliasIDs"`
	Info       struct {
		Version     string `json:"version"`
		Description string `json:"description"`
		Updated     string `json:"updated"`
		Author      struct {
			Name string `json:"name"`
		} `json:"author"`
	} `json:"info"`
}

func readManifest(path string) (Manifest, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Manifest{}, err
	}
	if info.Size() > largestManifest {
		return Manifest{}, fmt.Errorf("it has %d bytes, which is too long for a plugin.json", info.Size())
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return Manifest{}, err
	}
	return parseManifest(raw)
}

// parseManifest returns what it could read even with an error.
func parseManifest(raw []byte) (Manifest, error) {
	sum := sha256.Sum256(raw)
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	var file manifestFile
	err := json.Unmarshal(raw, &file)
	m := Manifest{
		ID: file.ID, Type: file.Type, Name: file.Name,
		Backend: file.Backend, Executable: file.Executable,
		Category: file.Category, Aliases: file.Aliases,
		Info: Info{
			Version: file.Info.Version, Description: file.Info.Description,
			Updated: file.Info.Updated, Author: file.Info.Author.Name,
		},
		Raw: raw, Sum: sum,
	}
	if err != nil {
		return m, place(raw, manifestName, err)
	}
	return m, m.validate()
}

func (m Manifest) validate() error {
	switch {
	case m.ID == "":
		return errors.New(`it has no "id"`)
	case strings.ContainsAny(m.ID, "/\\ ?#%"):
		return fmt.Errorf("its id %q has characters an id may not have", m.ID)
	case !slices.Contains(types, m.Type):
		return fmt.Errorf("its type is %q; plugins of the types %s can be loaded", m.Type, strings.Join(types, ", "))
	}
	return nil
}

// place adds the line and column of a fault in JSON.
func place(raw []byte, what string, err error) error {
	var offset int64
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = syntax.Offset
	} else if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		offset = mismatch.Offset
	}
	before := raw[:min(max(offset-1, 0), int64(len(raw)))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Errorf("it is no valid %s: line %d, column %d: %w", what, line, column, err)
}
