package datasource

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Provisioning is the state that provisioning files ask for.
type Provisioning struct {
	// Delete names data sources to remove, unless DataSources has them too.
	Delete []string
	// DataSources in the order of the files. A ReadOnly one gets exactly the
	// secrets given here; the others keep the secrets not mentioned.
	DataSources []DataSource
	// Prune lists the files (as in Provenance) whose vanished data sources go
	// even if they were not Prunable when stored.
	Prune []string
	// Incomplete says that parts of the files could not be read. Then nothing
	// is pruned, as nobody knows what has really vanished.
	Incomplete bool
	// Apps in the order of the files; secrets not mentioned are kept.
	Apps []App
	// Warnings are remarks on what was read, for the log.
	Warnings []string
}

// Changes is what Apply did.
type Changes struct {
	Created []DataSource
	// Updated holds those that a plugin sees differently now: their streams
	// need a fresh start.
	Updated []DataSource
	Deleted []DataSource
	// Apps holds those that their plugin sees differently now.
	Apps []App
}

// Apply brings the store to the state that p asks for: deletions first, then
// data sources matched by name, then pruning, then apps. What is as asked
// already is not touched, so applying twice changes nothing the second time.
//
// A data source that is stored under another name with the same uid is
// renamed if it was provisioned and its old name is gone from p.
//
// A failure stops that one data source only: the changes are valid and the
// error tells all that failed.
func Apply(ctx context.Context, store Provisioner, p Provisioning) (Changes, error) {
	stored, err := store.DataSources(ctx)
	if err != nil {
		return Changes{}, fmt.Errorf("apply provisioning: %w", err)
	}
	a := application{ctx: ctx, store: store.Provisioning(), asked: p, stored: make(map[string]DataSource, len(stored))}
	for _, d := range stored {
		a.stored[d.Name] = d
	}
	a.deleteNamed()
	a.prune()
	a.write()
	a.writeApps()
	return a.changes, errors.Join(a.faults...)
}

type application struct {
	ctx     context.Context
	store   Store
	asked   Provisioning
	stored  map[string]DataSource // by name
	changes Changes
	faults  []error
}

func (a *application) deleteNamed() {
	for _, name := range a.asked.Delete {
		if d, found := a.stored[name]; found && !a.names(name) {
			a.delete(d)
		}
	}
}

func (a *application) prune() {
	if a.asked.Incomplete {
		return
	}
	for _, name := range sortedNames(a.stored) {
		d := a.stored[name]
		if d.Provenance == "" || a.names(name) || a.renames(d) {
			continue
		}
		if d.Prunable || slices.Contains(a.asked.Prune, d.Provenance) {
			a.delete(d)
		}
	}
}

func (a *application) delete(d DataSource) {
	if err := a.store.Delete(a.ctx, d.ID); err != nil {
		a.faults = append(a.faults, fmt.Errorf("delete data source %q: %w", d.Name, err))
		return
	}
	delete(a.stored, d.Name)
	a.changes.Deleted = append(a.changes.Deleted, d)
}

func (a *application) write() {
	for _, d := range a.asked.DataSources {
		if err := a.writeOne(d); err != nil {
			a.faults = append(a.faults, fmt.Errorf("%s: data source %q: %w", d.Provenance, d.Name, err))
		}
	}
}

func (a *application) writeOne(d DataSource) error {
	stored, found := a.stored[d.Name]
	if !found {
		stored, found = a.renamed(d)
	}
	if !found {
		created, err := a.store.Create(a.ctx, d)
		if err != nil {
			return err
		}
		a.stored[d.Name] = created
		a.changes.Created = append(a.changes.Created, created)
		return nil
	}

	d.ID, d.Version = stored.ID, 0
	if d.ReadOnly {
		d.Secrets = exactly(d.Secrets, stored.Secrets)
	}
	updated, err := a.store.Update(a.ctx, d)
	if err != nil {
		return err
	}
	delete(a.stored, stored.Name)
	a.stored[d.Name] = updated
	if !updated.Updated.Equal(stored.Updated) {
		a.changes.Updated = append(a.changes.Updated, updated)
	}
	return nil
}

func (a *application) writeApps() {
	for _, app := range a.asked.Apps {
		before, err := a.store.App(a.ctx, app.PluginID)
		if err != nil && !errors.Is(err, ErrNotFound) {
			a.faults = append(a.faults, fmt.Errorf("app %q: %w", app.PluginID, err))
			continue
		}
		saved, err := a.store.SaveApp(a.ctx, app)
		if err != nil {
			a.faults = append(a.faults, fmt.Errorf("app %q: %w", app.PluginID, err))
			continue
		}
		if !saved.Updated.Equal(before.Updated) {
			a.changes.Apps = append(a.changes.Apps, saved)
		}
	}
}

// names reports whether a data source of this name is asked for.
func (a *application) names(name string) bool {
	return slices.ContainsFunc(a.asked.DataSources, func(d DataSource) bool { return d.Name == name })
}

// renames reports whether the stored data source is asked for by another name.
func (a *application) renames(stored DataSource) bool {
	return slices.ContainsFunc(a.asked.DataSources, func(d DataSource) bool { return d.UID == stored.UID })
}

// renamed finds what d was called before.
func (a *application) renamed(d DataSource) (DataSource, bool) {
	for _, stored := range a.stored {
		if stored.UID == d.UID && stored.Provenance != "" && !a.names(stored.Name) {
			return stored, true
		}
	}
	return DataSource{}, false
}

// exactly returns the secrets and an order to remove the other stored ones.
func exactly(secrets, stored map[string]string) map[string]string {
	changes := make(map[string]string, len(stored))
	for name := range stored {
		changes[name] = ""
	}
	for name, value := range secrets {
		changes[name] = value
	}
	return changes
}

func sortedNames(stored map[string]DataSource) []string {
	names := make([]string, 0, len(stored))
	for name := range stored {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
