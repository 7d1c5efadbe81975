package catalog

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// command follows the rule by which plugins are packed for many systems. An
// executable lies in the plugin's folder, whatever plugin.json or a link says;
// one that is missing may come later.
func command(dir string, m Manifest) ([]string, error) {
	if !m.Backend {
		return nil, nil
	}
	name := m.Executable + "_" + runtime.GOOS + "_" + runtime.GOARCH
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return nil, fmt.Errorf("its executable %q is not in the folder of the plugin.json", m.Executable)
	}
	path := filepath.Join(dir, name)
	if target, err := filepath.EvalSymlinks(path); err == nil && !within(dir, target) {
		return nil, fmt.Errorf("its executable %s is a link to %s, which is not in the folder of the plugin.json", name, target)
	}
	return []string{path}, nil
}

func within(dir, path string) bool {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false
	}
	name, err := filepath.Rel(real, path)
	return err == nil && name != ".." && !strings.HasPrefix(name, ".."+string(filepath.Separator))
}
