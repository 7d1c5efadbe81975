// Package host runs data source and app plugins as child processes and calls
// them: the plugins of Grafana, without Grafana, in any Go program.
//
// New finds the plugins, and refuses those that nobody trusted has signed. Run
// starts a process for each and keeps it alive until its context ends: one that
// crashes or hangs is started again, one that does so too often is left alone
// until Start. On Linux each is confined to what its Policy allows. Meanwhile
// Query, CallResource, CheckHealth, Subscribe and the others ask a plugin by its
// id. They wait, for a bounded time, while it starts, they are bounded by
// Limits, and their errors say which plugin it was, how it is and what to do.
// Plugins and Events tell an operator what has become of them; Upgrade, Rollback
// and Reload change a plugin's version without a failed call.
package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/plugboard/plugboard/host/internal/catalog"
	"github.com/plugboard/plugboard/host/internal/hub"
	"github.com/plugboard/plugboard/host/internal/process"
	"github.com/plugboard/plugboard/host/internal/sandbox"
	"github.com/plugboard/plugboard/host/internal/trust"
)

// Host runs plugins. Its methods may be called from many goroutines, also
// before Run: calls wait for their plugin, within Config.Wait.
type Host struct {
	config    Config
	userAgent string
	members   map[string]*member // by id and alias
	ordered   []*member          // by id
	faults    []Fault
	streams   *hub.Hub
	sandbox   *sandbox.Sandbox
	ran       atomic.Bool
}

// New finds the installed plugins. It starts none: Run does. A plugin that
// cannot be loaded is no error here but one of Faults.
func New(c Config) (*Host, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("host configuration: %w", err)
	}
	c = c.withDefaults()
	installed, signatures, err := open(c)
	if err != nil {
		return nil, err
	}
	h := &Host{config: c, userAgent: c.userAgent(), members: map[string]*member{}}
	h.sandbox = sandbox.New(sandbox.Config{Cgroup: c.Cgroup, Logger: c.Logger})
	h.streams = hub.New(streamRunner{h}, c.Logger)
	for _, fault := range installed.Faults() {
		h.faults = append(h.faults, faultOf(fault))
	}
	for _, entry := range installed.Entries() {
		m := h.newMember(entry, signatures[entry.Manifest.ID])
		h.ordered = append(h.ordered, m)
		h.members[entry.Manifest.ID] = m
	}
	h.addAliases()
	return h, nil
}

// open reads the catalog, bundled plugins first, and refuses those whose
// signature it takes exception to.
func open(c Config) (*catalog.Catalog, map[string]trust.Signature, error) {
	installed := catalog.New()
	for i, bundled := range c.Bundled {
		if err := installed.Bundle(bundled.Manifest, bundled.Command, bundled.Aliases); err != nil {
			return nil, nil, fmt.Errorf("host configuration: Bundled[%d]: %w", i, err)
		}
	}
	for i, remote := range c.Remote {
		if err := installed.Bundle(remote.Manifest, nil, remote.Aliases); err != nil {
			return nil, nil, fmt.Errorf("host configuration: Remote[%d]: %w", i, err)
		}
	}
	versions, err := installedVersions(c.VersionsDir)
	if err != nil {
		return nil, nil, fmt.Errorf("read the installed versions: %w", err)
	}
	ring, err := c.ring()
	if err != nil {
		return nil, nil, err
	}
	for _, dir := range versions {
		c.prefer(installed, ring, dir)
	}
	for _, dir := range c.folders() {
		installed.Scan(dir)
	}
	signatures := verify(ring, installed.Entries())
	for _, entry := range installed.Entries() {
		id := entry.Manifest.ID
		if err := c.objection(entry, signatures[id]); err != nil && !entry.Bundled {
			installed.Refuse(id, string(signatures[id].Status), err.Error())
		}
	}
	return installed, signatures, nil
}

// addAliases lets plugins answer to further ids, as long as no plugin has
// them as its own.
func (h *Host) addAliases() {
	for _, m := range h.ordered {
		for _, alias := range slices.Concat(m.version().entry.Aliases, m.version().entry.Manifest.Aliases) {
			if _, taken := h.members[alias]; !taken {
				h.members[alias] = m
			}
		}
	}
}

// Run starts the backends of all plugins and keeps them alive until ctx ends.
// It returns when all have been stopped and nothing of them is left. It may be
// called once.
func (h *Host) Run(ctx context.Context) error {
	if h.ran.Swap(true) {
		return errors.New("host: Run has been called before")
	}
	process.Sweep()
	alive, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var running sync.WaitGroup
	for _, m := range h.ordered {
		if m.supervisor != nil {
			running.Go(func() { m.supervisor.Run(alive) })
		}
	}
	running.Go(func() { h.logTiers(alive) })
	running.Go(func() { h.watch(alive) })
	<-ctx.Done()
	h.streams.Close()
	stop()
	running.Wait()
	h.sandbox.Close()
	return nil
}

// Plugins returns the installed plugins by id.
func (h *Host) Plugins() []Plugin {
	plugins := make([]Plugin, len(h.ordered))
	for i, m := range h.ordered {
		plugins[i] = m.plugin(h.streams.Running(m.id))
	}
	return plugins
}

// Plugin returns the plugin of an id or alias.
func (h *Host) Plugin(id string) (Plugin, bool) {
	m, ok := h.members[id]
	if !ok {
		return Plugin{}, false
	}
	return m.plugin(h.streams.Running(m.id)), true
}

// Faults returns what was found in the plugin directories and could not be
// loaded.
func (h *Host) Faults() []Fault { return slices.Clone(h.faults) }
