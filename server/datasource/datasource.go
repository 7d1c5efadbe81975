// Package datasource is what people configured: data sources and app
// settings, and the Store that keeps them.
package datasource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/plugboard/plugboard/plugin"
)

// DataSource is one configured data source.
type DataSource struct {
	// ID is given by the store: unique, and never used again.
	ID int64
	// UID names the data source in URLs; unique, at most 40 characters of
	// letters, digits, "-" and "_".
	UID string
	// Name is unique too.
	Name string
	// Type is the id of the plugin that answers.
	Type   string
	Access string
	URL    string
	User   string
	// Database, BasicAuth and the like are Grafana's fields; plugins read
	// them from their settings.
	Database        string
	BasicAuth       bool
	BasicAuthUser   string
	WithCredentials bool
	IsDefault       bool
	// JSON is a JSON object; empty means {}.
	JSON json.RawMessage
	// Secrets are in clear here and encrypted at rest.
	Secrets map[string]string
	// Version counts the changes, from 1.
	Version int64
	// ReadOnly data sources are changed by provisioning only.
	ReadOnly bool
	// Provenance is the file that a provisioned data source comes from.
	Provenance string
	// Prunable ones go when they vanish from the provisioning files.
	Prunable         bool
	Created, Updated time.Time
}

// SecretFields returns the names of the secrets that are set, sorted.
func (d DataSource) SecretFields() []string {
	return slices.Sorted(maps.Keys(d.Secrets))
}

// Settings returns what the plugin gets to see.
func (d DataSource) Settings() *plugin.DataSourceSettings {
	return &plugin.DataSourceSettings{
		ID:            d.ID,
		UID:           d.UID,
		Name:          d.Name,
		URL:           d.URL,
		User:          d.User,
		Database:      d.Database,
		BasicAuth:     d.BasicAuth,
		BasicAuthUser: d.BasicAuthUser,
		JSON:          d.JSON,
		Secrets:       d.Secrets,
		Updated:       d.Updated,
	}
}

// App holds the settings of one app plugin.
type App struct {
	PluginID        string
	Enabled, Pinned bool
	JSON            json.RawMessage
	Secrets         map[string]string
	Updated         time.Time
}

// Settings returns what the plugin gets to see.
func (a App) Settings() *plugin.AppSettings {
	return &plugin.AppSettings{JSON: a.JSON, Secrets: a.Secrets, Updated: a.Updated}
}

// Store keeps data sources and app settings. It may be used from many
// goroutines; what it returns is the caller's.
//
// Its errors wrap ErrInvalid, ErrNotFound, ErrExists, ErrStale or ErrReadOnly
// where they apply, and say which data source is meant.
type Store interface {
	// DataSources returns all, sorted by name without regard to case. One
	// whose secrets cannot be read is among them, without its secrets.
	DataSources(ctx context.Context) ([]DataSource, error)
	// DataSource returns the one that key names. With ErrDamaged it is there
	// too, but without its secrets.
	DataSource(ctx context.Context, key Key) (DataSource, error)
	// Create adds d and returns it with its id, uid (made up if empty),
	// version 1 and times. A second default takes the place of the first.
	Create(ctx context.Context, d DataSource) (DataSource, error)
	// Update replaces the data source with d.ID. Secrets that d does not
	// mention are kept, empty ones removed; an empty d.UID keeps the uid. A
	// d.Version other than 0 must be the stored one. Version moves if
	// something changed, Updated if a plugin sees the change. ReadOnly,
	// Provenance and Prunable are provisioning's: they stay as stored.
	Update(ctx context.Context, d DataSource) (DataSource, error)
	// Delete removes the data source with the id.
	Delete(ctx context.Context, id int64) error

	// App returns the settings of an app plugin, ErrNotFound if none were
	// ever saved.
	App(ctx context.Context, pluginID string) (App, error)
	// SaveApp replaces an app's settings; secrets and Updated as in Update.
	SaveApp(ctx context.Context, a App) (App, error)

	// Ping fails if the store cannot answer.
	Ping(ctx context.Context) error
}

// Provisioner is a Store with a door for provisioning.
type Provisioner interface {
	Store
	// Provisioning returns the store as provisioning sees it: there Update
	// and Delete take read-only data sources too, and Update writes ReadOnly,
	// Provenance and Prunable.
	Provisioning() Store
}

// Key names a data source by one of its three names. Make it with ByID, ByUID
// or ByName.
type Key struct {
	ID   int64
	UID  string
	Name string
}

func ByID(id int64) Key      { return Key{ID: id} }
func ByUID(uid string) Key   { return Key{UID: uid} }
func ByName(name string) Key { return Key{Name: name} }

// String reads as "uid \"x\"", for errors.
func (k Key) String() string {
	switch {
	case k.UID != "":
		return fmt.Sprintf("uid %q", k.UID)
	case k.Name != "":
		return fmt.Sprintf("name %q", k.Name)
	default:
		return fmt.Sprintf("id %d", k.ID)
	}
}

var (
	// ErrInvalid: a data source or app cannot be stored as it is given.
	ErrInvalid = errors.New("invalid")
	// ErrNotFound: there is no such data source or app setting.
	ErrNotFound = errors.New("data source not found")
	// ErrExists: another data source has the uid or the name.
	ErrExists = errors.New("data source with the same name or uid already exists")
	// ErrStale: the data source has changed since it was read.
	ErrStale = errors.New("data source has been changed by somebody else")
	// ErrDamaged: the stored secrets cannot be decrypted. Saving the data
	// source again mends it.
	ErrDamaged = errors.New("the stored secrets cannot be decrypted, enter them again: the database was damaged or tampered with")
	// ErrReadOnly: the data source is provisioned.
	ErrReadOnly = errors.New("data source is provisioned and read-only")
)
