package catalog

import (
	"fmt"
	"os"
	"path/filepath"
)

const manifestName = "plugin.json"

// findManifests returns the plugin.json files below root, parents before
// their children, and what could not be searched. It follows symbolic links,
// leaves out node_modules, and where a directory has a "dist" it looks nowhere
// else in it: what lies beside is the plugin's source.
func findManifests(root string) ([]string, []Fault) {
	f := finder{seen: map[string]bool{}}
	f.walk(filepath.Clean(root))
	return f.files, f.faults
}

type finder struct {
	// seen holds the directories visited by their true paths: links may loop.
	seen   map[string]bool
	files  []string
	faults []Fault
}

func (f *finder) walk(dir string) {
	entries, err := f.enter(dir)
	if err != nil {
		f.faults = append(f.faults, Fault{Path: dir, Reason: fmt.Sprintf("cannot search for plugins: %v", err)})
		return
	}
	var below []string
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		switch {
		case entry.Name() == "node_modules":
		case isDir(path, entry):
			if entry.Name() == "dist" {
				f.walk(path)
				return
			}
			below = append(below, path)
		}
	}
	if manifest := filepath.Join(dir, manifestName); isFile(manifest) {
		f.files = append(f.files, manifest)
	}
	for _, path := range below {
		f.walk(path)
	}
}

// enter lists a directory, or nothing where it has been already.
func (f *finder) enter(dir string) ([]os.DirEntry, error) {
	path, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	path, err = filepath.Abs(path)
	if err != nil || f.seen[path] {
		return nil, err
	}
	f.seen[path] = true
	return os.ReadDir(path)
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
