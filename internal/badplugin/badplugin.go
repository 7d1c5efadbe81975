// Package badplugin is a plugin that obeys orders, for tests: it hangs, prints
// nonsense, floods, crashes and leaves children behind when told to. A test
// binary turns into it by calling Run first thing in TestMain.
package badplugin

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// How the plugin behaves from its start. The default is a plugin without a
// fault, until a query or a stream orders one.
const (
	Good     = "good"
	Chunked  = "chunked"  // answers chunked queries and says so; others panic on them
	Hang     = "hang"     // never says a word
	Garbage  = "garbage"  // prints something else instead of a handshake
	Endless  = "endless"  // prints a line that never ends
	Noise    = "noise"    // prints a greeting before its handshake
	Exit     = "exit"     // ends with code 3 and some last words
	Deaf     = "deaf"     // gives a handshake, but nobody listens at its address
	Mute     = "mute"     // gives a handshake and accepts connections, but never answers
	Flood    = "flood"    // fills stdout and stderr for ever from the first query on, and serves
	BadLog   = "badlog"   // logs lines that look like JSON logs and are not, and serves
	Gated    = "gated"    // serves once the file named by GF_PLUGIN_GATE exists
	Orphan   = "orphan"   // starts a child in its group, one out of it, and serves
	Zombie   = "zombie"   // serves, and lives on when that is over
	Immortal = "immortal" // serves without the services by which a plugin is told to end
)

// argument marks a command line as ours.
const argument = "badplugin"

// prefix of the executables that Install makes.
const prefix = "gpx_bad-"

// Run turns the process into the plugin if it was started by Command or from
// an installed one. It reports whether it has; the caller returns then.
func Run() bool {
	mode, ours := mode()
	if !ours {
		return false
	}
	run(mode)
	return true
}

func mode() (string, bool) {
	if len(os.Args) == 3 && os.Args[1] == argument {
		return os.Args[2], true
	}
	mode, installed := strings.CutPrefix(filepath.Base(os.Args[0]), prefix)
	mode, _, _ = strings.Cut(mode, "_")
	return mode, installed
}

// Command starts the running test binary as the plugin.
func Command(mode string) []string {
	path, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return []string{path, argument, mode}
}

// Manifest is a plugin.json for the plugin.
func Manifest(id, mode string) []byte {
	return fmt.Appendf(nil, `{"id": %q, "type": "datasource", "name": "Bad", "backend": true, "executable": %q, "info": {"version": "1.0.0"}}`, id, prefix+mode)
}

// Install makes dir the directory of an installed plugin, and returns the path
// of its executable.
func Install(dir, id, mode string) (string, error) {
	binary, err := os.Executable()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "plugin.json"), Manifest(id, mode), 0o644); err != nil {
		return "", err
	}
	name := prefix + mode + "_" + runtime.GOOS + "_" + runtime.GOARCH
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	path := filepath.Join(dir, name)
	return path, place(binary, path)
}

// place makes a second name for a file or, on another file system, a copy. A
// symbolic link would lead out of the plugin's folder.
func place(file, path string) error {
	if os.Link(file, path) == nil {
		return nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o755)
}
