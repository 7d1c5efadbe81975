package datasource

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"time"
)

// MaxUID is the longest uid that is accepted.
const MaxUID = 40

// ValidUID reports whether uid may name a data source in URLs and channels.
func ValidUID(uid string) bool {
	if uid == "" || len(uid) > MaxUID {
		return false
	}
	for _, c := range []byte(uid) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		digit := '0' <= c && c <= '9'
		if !letter && !digit && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// Clean returns d as a store keeps it: defaults filled in, JSON without needless
// space, empty secrets removed; or an error that wraps ErrInvalid. An empty
// UID is left for the store to make up.
func (d DataSource) Clean() (DataSource, error) {
	if d.Name == "" {
		return d, fmt.Errorf("data source without a name: %w", ErrInvalid)
	}
	if d.Type == "" {
		return d, fmt.Errorf("data source %q has no type, the id of its plugin: %w", d.Name, ErrInvalid)
	}
	if d.UID != "" && !ValidUID(d.UID) {
		return d, fmt.Errorf("data source %q: uid %q is not up to %d letters, digits, \"-\" and \"_\": %w",
			d.Name, d.UID, MaxUID, ErrInvalid)
	}
	object, err := compactObject(d.JSON)
	if err != nil {
		return d, fmt.Errorf("data source %q: jsonData %w", d.Name, err)
	}
	if d.Access == "" {
		d.Access = "proxy"
	}
	d.JSON = object
	d.Secrets = mergeSecrets(nil, d.Secrets)
	return d, nil
}

// Revise returns what a store keeps when d takes the place of stored, and
// whether that differs from stored. The result has d's UID (stored's if empty),
// d's ReadOnly, Provenance and Prunable, and stored's ID and Created. Version
// moves with every difference; Updated by at least a millisecond with those
// that a plugin sees.
func Revise(stored, d DataSource, now time.Time) (revised DataSource, changed bool, err error) {
	if d.Version != 0 && d.Version != stored.Version {
		return stored, false, fmt.Errorf("data source %q is at version %d, the change is made to version %d: %w",
			stored.Name, stored.Version, d.Version, ErrStale)
	}
	secrets := mergeSecrets(stored.Secrets, d.Secrets)
	if d.UID == "" {
		d.UID = stored.UID
	}
	d, err = d.Clean()
	if err != nil {
		return stored, false, err
	}
	d.Secrets = secrets
	d.ID, d.Created = stored.ID, stored.Created
	d.Version, d.Updated = stored.Version, stored.Updated
	if sameJSON(stored.JSON, d.JSON) {
		d.JSON = stored.JSON
	}

	seen := !d.sameToPlugin(stored)
	if !seen && d.sameToClient(stored) {
		return stored, false, nil
	}
	d.Version++
	if seen {
		d.Updated = after(stored.Updated, now)
	}
	return d, true, nil
}

// sameToPlugin compares what Settings shows, and the plugin that it is shown to.
func (d DataSource) sameToPlugin(o DataSource) bool {
	return d.UID == o.UID && d.Name == o.Name && d.Type == o.Type &&
		d.URL == o.URL && d.User == o.User && d.Database == o.Database &&
		d.BasicAuth == o.BasicAuth && d.BasicAuthUser == o.BasicAuthUser &&
		bytes.Equal(d.JSON, o.JSON) && maps.Equal(d.Secrets, o.Secrets)
}

// sameToClient compares the rest.
func (d DataSource) sameToClient(o DataSource) bool {
	return d.Access == o.Access && d.WithCredentials == o.WithCredentials && d.IsDefault == o.IsDefault &&
		d.ReadOnly == o.ReadOnly && d.Provenance == o.Provenance && d.Prunable == o.Prunable
}

// Clean returns a as a store keeps it, or an error that wraps ErrInvalid.
func (a App) Clean() (App, error) {
	if a.PluginID == "" {
		return a, fmt.Errorf("app settings without a plugin id: %w", ErrInvalid)
	}
	object, err := compactObject(a.JSON)
	if err != nil {
		return a, fmt.Errorf("app %q: jsonData %w", a.PluginID, err)
	}
	a.JSON = object
	a.Secrets = mergeSecrets(nil, a.Secrets)
	return a, nil
}

// ReviseApp is Revise for apps. A zero stored is an app that was never saved.
func ReviseApp(stored, a App, now time.Time) (revised App, changed bool, err error) {
	secrets := mergeSecrets(stored.Secrets, a.Secrets)
	a, err = a.Clean()
	if err != nil {
		return stored, false, err
	}
	a.Secrets = secrets
	a.Updated = stored.Updated
	if sameJSON(stored.JSON, a.JSON) {
		a.JSON = stored.JSON
	}
	seen := stored.PluginID == "" || !bytes.Equal(a.JSON, stored.JSON) || !maps.Equal(a.Secrets, stored.Secrets)
	if !seen && a.Enabled == stored.Enabled && a.Pinned == stored.Pinned {
		return stored, false, nil
	}
	if seen {
		a.Updated = after(stored.Updated, now)
	}
	return a, true, nil
}

// mergeSecrets returns what is stored with the changes made: a new map, never nil.
func mergeSecrets(stored, changes map[string]string) map[string]string {
	merged := make(map[string]string, len(stored)+len(changes))
	maps.Copy(merged, stored)
	maps.Copy(merged, changes)
	maps.DeleteFunc(merged, func(_, value string) bool { return value == "" })
	return merged
}

// after returns now in whole milliseconds, which is what plugins see, but at
// least one more than last.
func after(last, now time.Time) time.Time {
	now = now.UTC().Truncate(time.Millisecond)
	if next := last.Add(time.Millisecond); now.Before(next) {
		return next
	}
	return now
}

func compactObject(object json.RawMessage) (json.RawMessage, error) {
	if len(bytes.TrimSpace(object)) == 0 || string(bytes.TrimSpace(object)) == "null" {
		return json.RawMessage("{}"), nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, object); err != nil {
		return nil, fmt.Errorf("is not JSON: %w: %w", err, ErrInvalid)
	}
	if compact.Bytes()[0] != '{' {
		return nil, fmt.Errorf("is not a JSON object: %w", ErrInvalid)
	}
	return compact.Bytes(), nil
}
