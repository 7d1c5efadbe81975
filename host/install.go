package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plugboard/plugboard/host/internal/failpoint"

	"github.com/plugboard/plugboard/host/internal/catalog"
	"github.com/plugboard/plugboard/host/internal/trust"
)

// Upgrade installs another version of a plugin, from a folder or a zip file,
// beside the one that runs, in a folder of its own below Config.VersionsDir,
// and switches to it as Reload does. If the new version ends within a minute
// after that, the former is gone back to. From then on the installed version
// wins over the one in PluginDirs, also when the host starts again. signed
// demands a valid signature, whatever AllowUnsigned says.
func (h *Host) Upgrade(ctx context.Context, id, from string, signed bool, check func(context.Context, Candidate) error) error {
	m, ok := h.members[id]
	if !ok {
		return fmt.Errorf("%w: %q is not installed", ErrNotFound, id)
	}
	m.switching.Lock()
	defer m.switching.Unlock()
	if err := h.upgrade(ctx, m, from, signed, check); err != nil {
		return fmt.Errorf("upgrade plugin %s: %w", m.id, err)
	}
	return nil
}

func (h *Host) upgrade(ctx context.Context, m *member, from string, signed bool, check func(context.Context, Candidate) error) error {
	if h.config.VersionsDir == "" {
		return errors.New("there is no folder for versions (VersionsDir)")
	}
	for _, other := range h.ordered {
		if other.version().entry.Parent == m.id {
			return fmt.Errorf("plugin %s is nested in it: put the new version into the plugin folder and start the host again", other.id)
		}
	}
	shelf := h.shelf(m)
	incoming, err := shelf.take(from)
	if err != nil {
		return err
	}
	failpoint.Reach(failpoint.Taken)
	next, err := h.shelve(m, shelf, incoming)
	if signed && errors.Is(err, errUnsigned) {
		err = errNotSigned
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(incoming))
	}
	if signed && Signature(next.signature.Status) != SignatureValid {
		return errors.Join(errNotSigned, os.RemoveAll(next.installed))
	}
	failpoint.Reach(failpoint.Shelved)
	before := m.version()
	if err := h.switchTo(ctx, m, next, check, func() { h.restore(m, shelf, before, next) }); err != nil {
		return errors.Join(err, os.RemoveAll(next.installed))
	}
	return h.remember(m, shelf, next, before)
}

// errNotSigned: no allowance helps where a signature is demanded.
var errNotSigned = errors.New("it has no signature, and what comes this way needs one of somebody who is trusted")

// remember writes down which version runs now.
func (h *Host) remember(m *member, shelf shelf, now, before *version) error {
	err := shelf.choose(nameOf(now), nameOf(before))
	failpoint.Reach(failpoint.Remembered)
	if now.given.Load() { // it was gone back to the other meanwhile
		h.restore(m, shelf, before, now)
	}
	return err
}

// shelve gives a version that has arrived its place.
func (h *Host) shelve(m *member, shelf shelf, incoming string) (*version, error) {
	arrived, err := h.read(m, incoming)
	if err != nil {
		return nil, err
	}
	name := arrived.entry.Manifest.Info.Version
	if name == "" || !filepath.IsLocal(name) || strings.ContainsAny(name, `/\`) || strings.HasPrefix(name, ".") || name == currentName {
		return nil, fmt.Errorf("its version is %q, which cannot be the name of a folder", name)
	}
	place := filepath.Join(shelf.dir, name)
	if place == m.version().installed {
		return nil, fmt.Errorf("version %s is what runs: reload it, or give the new one another version", name)
	}
	if err := os.RemoveAll(place); err != nil { // of an earlier attempt
		return nil, err
	}
	if err := os.Rename(incoming, place); err != nil {
		return nil, err
	}
	next, err := h.read(m, place) // whose signature has to hold there
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(place))
	}
	next.installed = place
	return next, nil
}

// Rollback switches back to the version before the last upgrade, as Reload
// switches. Another Rollback goes forth again.
func (h *Host) Rollback(ctx context.Context, id string, check func(context.Context, Candidate) error) error {
	m, ok := h.members[id]
	if !ok {
		return fmt.Errorf("%w: %q is not installed", ErrNotFound, id)
	}
	m.switching.Lock()
	defer m.switching.Unlock()
	if err := h.rollback(ctx, m, check); err != nil {
		return fmt.Errorf("roll plugin %s back: %w", m.id, err)
	}
	return nil
}

func (h *Host) rollback(ctx context.Context, m *member, check func(context.Context, Candidate) error) error {
	place, dirs, err := h.former(m)
	if err != nil {
		return err
	}
	next, err := h.read(m, dirs...)
	if err != nil {
		return err
	}
	next.installed = place
	shelf, before := h.shelf(m), m.version()
	if err := h.switchTo(ctx, m, next, check, func() { h.restore(m, shelf, before, next) }); err != nil {
		return err
	}
	return h.remember(m, shelf, next, before)
}

func (h *Host) shelf(m *member) shelf { return shelf{filepath.Join(h.config.VersionsDir, m.id)} }

// former returns where the version before the last upgrade lies: its place on
// the shelf, "" for the one in PluginDirs, and the folders to search.
func (h *Host) former(m *member) (place string, dirs []string, err error) {
	shelf := h.shelf(m)
	_, previous, err := shelf.chosen()
	switch {
	case err != nil || h.config.VersionsDir == "":
		return "", nil, errors.Join(errors.New("it has never been upgraded"), err)
	case previous == "":
		return "", h.config.folders(), nil
	}
	place = filepath.Join(shelf.dir, previous)
	return place, []string{place}, nil
}

// restore remembers that a version was gone back to.
func (h *Host) restore(m *member, shelf shelf, to, from *version) {
	if err := shelf.choose(nameOf(to), nameOf(from)); err != nil {
		m.logger.Error("plugin runs in its former version, and would not after a restart of the host", "error", err)
	}
}

// nameOf is the name of a version's folder, "" for one in PluginDirs.
func nameOf(v *version) string {
	if v.installed == "" {
		return ""
	}
	return filepath.Base(v.installed)
}

// prefer adds the plugin in the folder of an installed version, unless it may
// not run: then the one in PluginDirs is better than none.
func (c Config) prefer(installed *catalog.Catalog, ring *trust.Ring, dir string) {
	alone := catalog.New()
	alone.Prefer(dir)
	signatures := verify(ring, alone.Entries())
	for _, entry := range alone.Entries() {
		id := entry.Manifest.ID
		if err := c.objection(entry, signatures[id]); err != nil {
			alone.Refuse(id, string(signatures[id].Status), err.Error())
		}
	}
	if faults := alone.Faults(); len(faults) > 0 {
		installed.Blame(faults...)
		return
	}
	installed.Prefer(dir)
}

// installedVersions returns the folders of the versions that were chosen by an
// upgrade.
func installedVersions(dir string) ([]string, error) {
	plugins, err := os.ReadDir(dir)
	if dir == "" || errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var places []string
	for _, plugin := range plugins {
		shelf := shelf{filepath.Join(dir, plugin.Name())}
		if current, _, err := shelf.chosen(); err == nil && current != "" {
			places = append(places, filepath.Join(shelf.dir, current))
		}
	}
	slices.Sort(places)
	return places, nil
}
