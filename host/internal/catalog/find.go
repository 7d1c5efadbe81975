package catalog

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

const manifestName = "plugin.json"

// findManifests returns the plugin.json files below root, parents before
// their children, and what could not be searched. It follows symbolic links,
// leaves out node_modules, and where a directory has a "dist" it looks nowhere
// else in it: what lies beside is the plugin's source.
//
// A directory is searched once: seen holds the true paths of those that have
// been. Links may loop.
func findManifests(root string, seen map[string]bool) ([]string, []Fault) {
	f := finder{seen: seen}
	f.walk(root)
	return f.files, f.faults
}

type finder struct {
	seen   map[string]bool
	files  []string
	faults []Fault
}

func (f *finder) walk(dir string) {
	isNew, err := f.visit(dir)
	if err != nil {
		f.fault(dir, err)
	}
	if !isNew {
		return
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		f.fault(dir, err)
		return
	}
	below := subdirectories(dir, entries)
	if dist := filepath.Join(dir, "dist"); slices.Contains(below, dist) {
		f.walk(dist)
		return
	}
	if manifest := filepath.Join(dir, manifestName); isFile(manifest) {
		f.files = append(f.files, manifest)
	}
	for _, path := range below {
		f.walk(path)
	}
}

// visit reports whether a directory has not been searched before.
func (f *finder) visit(dir string) (bool, error) {
	path, err := filepath.EvalSymlinks(dir)
	if err != nil || f.seen[path] {
		return false, err
	}
	f.seen[path] = true
	return true, nil
}

func (f *finder) fault(dir string, err error) {
	f.faults = append(f.faults, Fault{Path: dir, Reason: fmt.Sprintf("cannot search for plugins: %v", err)})
}

func subdirectories(dir string, entries []os.DirEntry) []string {
	var below []string
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if entry.Name() != "node_modules" && isDir(path, entry) {
			below = append(below, path)
		}
	}
	return below
}

func isDir(path string, entry os.DirEntry) bool {
	if entry.Type()&os.ModeSymlink == 0 {
		return entry.IsDir()
	}
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
