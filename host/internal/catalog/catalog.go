// Package catalog knows which plugins are installed: it finds the plugin.json
// files below a set of directories and reads them.
package catalog

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Entry is one installed plugin.
type Entry struct {
	Manifest Manifest
	// Dir holds its plugin.json; empty for a bundled plugin.
	Dir string
	// Parent is the id of the plugin in whose directory it lies.
	Parent string
	// Command starts its backend; empty for a plugin without.
	Command []string
	// Aliases are further ids it answers to.
	Aliases []string
	// Bundled: it came with the host's own binary, or the host was told of it.
	Bundled bool
	// Preferred is the folder given to Prefer, if it was found there.
	Preferred string
}

// Fault is something that was found and could not be loaded.
type Fault struct {
	// Path is the plugin.json or directory at fault.
	Path string
	// PluginID is known only where the file could be read so far.
	PluginID string
	// Reason says what is wrong, and where.
	Reason string
	// Signature is set where the signature is at fault, and says how:
	// "unsigned", "modified" or "invalid".
	Signature string
}

func (f Fault) Error() string { return f.Path + ": " + f.Reason }

// Catalog holds what is installed, each plugin once. The first wins an id.
type Catalog struct {
	entries  map[string]*Entry
	faults   []Fault
	searched map[string]bool // directories
	// preferring is what Prefer scans.
	preferring string
}

// New returns an empty catalog.
func New() *Catalog {
	return &Catalog{entries: map[string]*Entry{}, searched: map[string]bool{}}
}

// Bundle adds a plugin of which there is no directory.
func (c *Catalog) Bundle(raw []byte, command, aliases []string) error {
	manifest, err := parseManifest(raw)
	if err != nil {
		return err
	}
	entry := &Entry{Manifest: manifest, Command: command, Aliases: aliases, Bundled: true}
	if !manifest.Backend {
		entry.Command = nil
	}
	if other := c.add(entry); other != nil {
		return fmt.Errorf("plugin %s is bundled twice", manifest.ID)
	}
	return nil
}

// Scan adds the plugins below dir. What cannot be loaded becomes a fault, and
// the rest is loaded all the same.
func (c *Catalog) Scan(dir string) {
	if absolute, err := filepath.Abs(dir); err == nil {
		dir = absolute
	}
	files, faults := findManifests(dir, c.searched)
	c.faults = append(c.faults, faults...)
	found := map[string]*Entry{} // by directory
	for _, file := range files {
		if entry := c.load(file, found); entry != nil {
			found[entry.Dir] = entry
		}
	}
}

// Prefer is Scan for a folder that was chosen over those to come: what they have
// of its plugins is left out without a word.
func (c *Catalog) Prefer(dir string) {
	c.preferring = dir
	c.Scan(dir)
	c.preferring = ""
}

// load reads one plugin.json. Files come in the order of their paths, so a
// parent is there before its children.
func (c *Catalog) load(file string, found map[string]*Entry) *Entry {
	manifest, err := readManifest(file)
	if err != nil {
		c.faults = append(c.faults, Fault{Path: file, PluginID: manifest.ID, Reason: err.Error()})
		return nil
	}
	dir := filepath.Dir(file)
	command, err := command(dir, manifest)
	if err != nil {
		c.faults = append(c.faults, Fault{Path: file, PluginID: manifest.ID, Reason: err.Error()})
		return nil
	}
	entry := &Entry{Manifest: manifest, Dir: dir, Command: command, Parent: parent(dir, found), Preferred: c.preferring}
	if other := c.add(entry); other != nil {
		if other.Preferred != "" {
			return nil
		}
		c.faults = append(c.faults, Fault{Path: file, PluginID: manifest.ID,
			Reason: fmt.Sprintf("plugin %s is already loaded from %s; this one is left out", manifest.ID, other.where())})
		return nil
	}
	return entry
}

// add returns the entry that has the id already, if there is one.
func (c *Catalog) add(entry *Entry) *Entry {
	id := entry.Manifest.ID
	if other, taken := c.entries[id]; taken {
		return other
	}
	c.entries[id] = entry
	return nil
}

func (e *Entry) where() string {
	if e.Bundled {
		return "the host's own plugins"
	}
	return e.Dir
}

// parent returns the id of the nearest plugin above dir.
func parent(dir string, found map[string]*Entry) string {
	for above := filepath.Dir(dir); above != dir; dir, above = above, filepath.Dir(above) {
		if entry, ok := found[above]; ok {
			return entry.Manifest.ID
		}
	}
	return ""
}

// Refuse takes a plugin out again, because of its signature, and records why.
func (c *Catalog) Refuse(id, signature, reason string) {
	entry, ok := c.entries[id]
	if !ok {
		return
	}
	delete(c.entries, id)
	c.faults = append(c.faults, Fault{Path: entry.where(), PluginID: id, Reason: reason, Signature: signature})
}

// Blame adds faults that somebody else has found.
func (c *Catalog) Blame(faults ...Fault) { c.faults = append(c.faults, faults...) }

// Entries returns the plugins by id.
func (c *Catalog) Entries() []*Entry {
	entries := make([]*Entry, 0, len(c.entries))
	for _, entry := range c.entries {
		entries = append(entries, entry)
	}
	slices.SortFunc(entries, func(a, b *Entry) int { return strings.Compare(a.Manifest.ID, b.Manifest.ID) })
	return entries
}

// Faults returns what could not be loaded, in the order it was met.
func (c *Catalog) Faults() []Fault { return c.faults }
