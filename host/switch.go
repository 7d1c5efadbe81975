package host

import (
	"context"
	"errors"
	"fmt"

	"github.com/plugboard/plugboard/host/internal/catalog"
	"github.com/plugboard/plugboard/plugin"
)

// Candidate is a process of a plugin's other version, before it is switched to.
type Candidate struct {
	h      *Host
	m      *member
	client *plugin.Client
}

// CheckHealth is Host.CheckHealth, of the candidate.
func (c Candidate) CheckHealth(ctx context.Context, req *plugin.HealthRequest) (plugin.Health, error) {
	request := *req
	request.Context = c.h.fill(c.m, req.Context)
	return c.client.CheckHealth(ctx, &request)
}

// Reload reads a plugin's folder again and switches to what is there now: a
// process of that is started beside the one that runs; if it answers, and check
// (which may be nil) finds nothing wrong with it, it takes the other one's
// place. Calls under way end with the old process, within half a minute;
// streams go on with the new. No call fails for it. If anything is wrong all
// stays as it is, and the error says what.
func (h *Host) Reload(ctx context.Context, id string, check func(context.Context, Candidate) error) error {
	m, ok := h.members[id]
	if !ok {
		return fmt.Errorf("%w: %q is not installed", ErrNotFound, id)
	}
	m.switching.Lock()
	defer m.switching.Unlock()
	next, err := h.read(m, h.folders(m.version())...)
	if err != nil {
		return fmt.Errorf("reload plugin %s: %w", m.id, err)
	}
	next.installed = m.version().installed
	return h.switchTo(ctx, m, next, check, nil)
}

// folders are those to search for a version of a plugin: a nested one is found
// with the plugins around it, which may have been signed for it.
func (h *Host) folders(v *version) []string {
	if v.installed != "" {
		return []string{v.installed}
	}
	return h.config.folders()
}

// read returns the version of a plugin that lies in one of the folders, if it
// may run.
func (h *Host) read(m *member, dirs ...string) (*version, error) {
	switch {
	case m.address != "":
		return nil, errors.New("it runs elsewhere, and has its versions there")
	case m.version().entry.Bundled:
		return nil, errors.New("it is part of this program, and comes with its versions")
	}
	found := catalog.New()
	for _, dir := range dirs {
		found.Scan(dir)
	}
	ring, err := h.config.ring()
	if err != nil {
		return nil, err
	}
	entries := found.Entries()
	byID := map[string]*catalog.Entry{}
	for _, entry := range entries {
		byID[entry.Manifest.ID] = entry
	}
	var family []*catalog.Entry
	for entry := byID[m.id]; entry != nil; entry = byID[entry.Parent] {
		family = append(family, entry)
	}
	if len(family) == 0 {
		return nil, missing(m.id, dirs, found.Faults())
	}
	entry := family[0] // verify puts those around it first
	signature := verify(ring, family)[m.id]
	if err := h.config.objection(entry, signature); err != nil {
		return nil, err
	}
	if entry.Manifest.Backend != (m.supervisor != nil) {
		return nil, errors.New("it had a backend and has none now, or the other way round: that takes a restart of the host")
	}
	return h.newVersion(entry, signature), nil
}

// missing says why a plugin is not in folders.
func missing(id string, dirs []string, faults []catalog.Fault) error {
	for _, fault := range faults {
		if fault.PluginID == id || fault.PluginID == "" {
			return fault
		}
	}
	return fmt.Errorf("%w: there is no plugin.json with the id %s below %q", ErrNotFound, id, dirs)
}

// switchTo puts another version in the place of the one that runs. back is
// called if that is undone because the new one ends too soon. m.switching is
// held.
func (h *Host) switchTo(ctx context.Context, m *member, next *version, check func(context.Context, Candidate) error, back func()) error {
	former := m.version()
	if m.supervisor == nil || !h.ran.Load() { // there is no process to switch
		m.current.Store(next)
		m.initial.Store(next)
		return nil
	}
	begin, checked := h.starting(m, next), false
	run := func(ctx context.Context) (*running, error) {
		r, err := h.start(ctx, begin)
		if err != nil || checked || check == nil {
			return r, err
		}
		if err := check(ctx, Candidate{h, m, r.client}); err != nil {
			r.Stop()
			return nil, err
		}
		checked = true
		return r, nil
	}
	rolledBack := func(error) {
		next.given.Store(true)
		if m.current.CompareAndSwap(next, former) && back != nil {
			back()
		}
	}
	reason := fmt.Sprintf("switched from version %s to %s", former.entry.Manifest.Info.Version, next.entry.Manifest.Info.Version)
	// A switch that nobody waits for any more would go on all the same.
	if err := m.supervisor.Switch(context.WithoutCancel(ctx), run, reason, rolledBack); err != nil {
		return m.unavailable("is not switched to version "+next.entry.Manifest.Info.Version, err)
	}
	m.current.Store(next)
	if next.given.Load() { // it has ended already
		m.current.CompareAndSwap(next, former)
		return m.unavailable("went back to the version before", errors.New("the new one ended at once"))
	}
	h.streams.RenewAll(m.id)
	return nil
}
