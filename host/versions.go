package host

import (
	"fmt"
	"path/filepath"
)

// Versions are those that a plugin can be switched to without being given one.
type Versions struct {
	// Former is what Rollback would switch to, nil if the plugin has never been
	// upgraded.
	Former *Version
	// Folder is what Reload would switch to: the same as runs, unless its folder
	// has changed. It is nil for a plugin without a folder.
	Folder *Version
}

// Version is a version of a plugin that does not run.
type Version struct {
	// Version is as in Info; empty if Fault is why it cannot be told.
	Version string
	// Installed: it came by an upgrade; else it is in PluginDirs.
	Installed bool
	// Fault is why it would not be switched to, as far as its files tell.
	Fault error
}

// Versions looks up which versions of a plugin there are. It reads their files,
// signatures and all.
func (h *Host) Versions(id string) (Versions, error) {
	m, ok := h.members[id]
	if !ok {
		return Versions{}, fmt.Errorf("%w: %q is not installed", ErrNotFound, id)
	}
	current := m.version()
	if current.entry.Bundled {
		return Versions{}, nil
	}
	folder := h.look(m, current.installed != "", h.folders(current)...)
	versions := Versions{Folder: &folder}
	if place, dirs, err := h.former(m); err == nil {
		former := h.look(m, place != "", dirs...)
		if former.Version == "" && place != "" {
			former.Version = filepath.Base(place)
		}
		versions.Former = &former
	}
	return versions, nil
}

// look is read, to be shown.
func (h *Host) look(m *member, installed bool, dirs ...string) Version {
	found, err := h.read(m, dirs...)
	if err != nil {
		return Version{Installed: installed, Fault: err}
	}
	return Version{Version: found.entry.Manifest.Info.Version, Installed: installed}
}
