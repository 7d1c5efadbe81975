package sqlstore

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/plugboard/plugboard/server/datasource"
)

// index is the store's content in memory. What goes in and out is copied.
type index struct {
	mu     sync.RWMutex
	byID   map[int64]entry
	byUID  map[string]int64
	byName map[string]int64
	apps   map[string]appEntry
}

// An entry whose secrets could not be decrypted is damaged: it has none, and
// says so when it is asked for.
type entry struct {
	datasource.DataSource
	damaged error
}

type appEntry struct {
	datasource.App
	damaged error
}

func (x *index) reset() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.byID = map[int64]entry{}
	x.byUID = map[string]int64{}
	x.byName = map[string]int64{}
	x.apps = map[string]appEntry{}
}

func (x *index) get(key datasource.Key) (entry, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	id := key.ID
	switch {
	case key.UID != "":
		id = x.byUID[key.UID]
	case key.Name != "":
		id = x.byName[key.Name]
	}
	found, ok := x.byID[id]
	if !ok {
		return entry{}, fmt.Errorf("%s: %w", key, datasource.ErrNotFound)
	}
	found.DataSource = clone(found.DataSource)
	return found, nil
}

func (x *index) list() []datasource.DataSource {
	x.mu.RLock()
	defer x.mu.RUnlock()
	all := make([]datasource.DataSource, 0, len(x.byID))
	for _, e := range x.byID {
		all = append(all, clone(e.DataSource))
	}
	slices.SortFunc(all, func(a, b datasource.DataSource) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// put adds or replaces; a new default takes the place of the old one.
func (x *index) put(e entry) {
	e.DataSource = clone(e.DataSource)
	x.mu.Lock()
	defer x.mu.Unlock()
	if e.IsDefault {
		x.clearDefault(e.ID)
	}
	x.drop(e.ID)
	x.byID[e.ID] = e
	x.byUID[e.UID] = e.ID
	x.byName[e.Name] = e.ID
}

// clearDefault is the statement clearDefault, in memory.
func (x *index) clearDefault(except int64) {
	for id, e := range x.byID {
		if e.IsDefault && id != except {
			e.IsDefault = false
			e.Version++
			x.byID[id] = e
		}
	}
}

func (x *index) remove(id int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.drop(id)
}

func (x *index) drop(id int64) {
	if old, ok := x.byID[id]; ok {
		delete(x.byID, id)
		delete(x.byUID, old.UID)
		delete(x.byName, old.Name)
	}
}

func (x *index) getApp(pluginID string) (appEntry, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	found, ok := x.apps[pluginID]
	if !ok {
		return appEntry{}, fmt.Errorf("app %q: %w", pluginID, datasource.ErrNotFound)
	}
	found.App = cloneApp(found.App)
	return found, nil
}

func (x *index) putApp(e appEntry) {
	e.App = cloneApp(e.App)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.apps[e.PluginID] = e
}

func clone(d datasource.DataSource) datasource.DataSource {
	d.JSON = slices.Clone(d.JSON)
	d.Secrets = maps.Clone(d.Secrets)
	return d
}

func cloneApp(a datasource.App) datasource.App {
	a.JSON = slices.Clone(a.JSON)
	a.Secrets = maps.Clone(a.Secrets)
	return a
}
