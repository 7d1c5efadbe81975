package plugin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// home is the folder of the plugin's plugin.json.
type home struct{ dir, id string }

// findHome looks where a person starts a plugin from: the folder that was
// named, that of the executable, the working directory or, in pkg, the one
// above; in each of them rather in its dist.
func findHome(named string) (home, error) {
	if named != "" {
		return homeBelow(named)
	}
	var places []string
	if path, err := os.Executable(); err == nil {
		places = append(places, filepath.Dir(path))
	}
	if dir, err := os.Getwd(); err == nil {
		if filepath.Base(dir) == "pkg" {
			dir = filepath.Dir(dir)
		}
		places = append(places, dir)
	}
	for _, place := range places {
		h, err := homeBelow(place)
		if !errors.Is(err, errNoHome) {
			return h, err
		}
	}
	return home{}, fmt.Errorf("%w in %s: set %s to the folder of the plugin.json", errNoHome, strings.Join(places, ", "), standaloneKey)
}

var errNoHome = errors.New("there is no plugin.json with a backend")

// deepestHome is how far below a folder a plugin.json is looked for: that of a
// data source may lie in a folder of its app's.
const deepestHome = 2

// homeBelow returns the one plugin with a backend in dir, or in its dist.
func homeBelow(dir string) (home, error) {
	dist := filepath.Join(dir, "dist")
	if info, err := os.Stat(dist); err == nil && info.IsDir() {
		dir = dist
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return home{}, err
	}
	var homes []home
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		below, _ := filepath.Rel(dir, path)
		switch {
		case err != nil:
			return fs.SkipDir
		case entry.IsDir() && (entry.Name() == "node_modules" || below != "." && strings.Count(below, string(filepath.Separator)) >= deepestHome):
			return fs.SkipDir
		case entry.Name() == "plugin.json":
			if h, ok := readHome(filepath.Dir(path)); ok {
				homes = append(homes, h)
			}
		}
		return nil
	})
	switch len(homes) {
	case 0:
		return home{}, fmt.Errorf("%w in %s", errNoHome, dir)
	case 1:
		return homes[0], nil
	}
	dirs := make([]string, len(homes))
	for i, h := range homes {
		dirs[i] = h.dir
	}
	return home{}, fmt.Errorf("several plugins have a backend: set %s to one of %s", standaloneKey, strings.Join(dirs, ", "))
}

// readHome reads the plugin.json in dir, if it has a backend.
func readHome(dir string) (home, bool) {
	text, err := os.ReadFile(filepath.Join(dir, "plugin.json"))
	if err != nil {
		return home{}, false
	}
	var manifest struct {
		ID      string `json:"id"`
		Backend bool   `json:"backend"`
	}
	if err := json.Unmarshal(text, &manifest); err != nil || !manifest.Backend {
		return home{}, false
	}
	return home{dir: dir, id: manifest.ID}, true
}

// configured is the address that the environment gives the plugin, as for
// plugins on the official SDK; empty if it gives none.
func (h home) configured() string {
	return os.Getenv("GF_PLUGIN_GRPC_ADDRESS_" + strings.ToUpper(strings.ReplaceAll(h.id, "-", "_")))
}

// servedBy returns the process that serves the plugin standalone, if one does.
func (h home) servedBy() (pid int, ok bool) {
	if _, err := os.Stat(filepath.Join(h.dir, addressFile)); err != nil {
		return 0, false
	}
	text, err := os.ReadFile(filepath.Join(h.dir, pidFile))
	if err != nil {
		return 0, false
	}
	pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
	return pid, err == nil && pid > 0 && pid != os.Getpid() && alive(pid)
}

// alive tells whether there is a process of that id.
func alive(pid int) bool {
	process, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	err = process.Signal(syscall.Signal(0)) // on Windows an error that says nothing
	return !errors.Is(err, os.ErrProcessDone) && !errors.Is(err, syscall.ESRCH)
}
