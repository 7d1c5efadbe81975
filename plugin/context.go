package plugin

import "time"

// Context says for whom and against which settings a call is made. It travels
// with every call, so a plugin needs no state of its own to answer.
type Context struct {
	// PluginID is the id in plugin.json; for a data source it is its type.
	PluginID      string
	PluginVersion string
	// OrgID is 1 unless the host knows better.
	OrgID int64
	// Namespace names the tenant; "default" unless the host knows better.
	Namespace string
	// User is who asked, nil for calls the host makes on its own account.
	User *User
	// DataSource is set for calls to a data source, App for calls to an app.
	DataSource *DataSourceSettings
	App        *AppSettings
	// GrafanaConfig holds the host's settings for plugins, by the keys of the
	// official SDK (GF_SQL_ROW_LIMIT and so on). Plugins rebuild their
	// instances when it changes: it must not vary between calls.
	GrafanaConfig map[string]string
	// UserAgent has the form "Grafana/12.1.0 (linux; amd64)"; plugins ignore
	// any other.
	UserAgent  string
	APIVersion string
}

// User is the person or token behind a call.
type User struct {
	Login, Name, Email string
	// Role is "Viewer", "Editor" or "Admin".
	Role string
}

// DataSourceSettings configure one data source.
type DataSourceSettings struct {
	// ID is unique and never used again: plugins built with SDKs before
	// v0.298 tell their cached instances apart by nothing else.
	ID            int64
	UID           string
	Name          string
	URL           string
	User          string
	Database      string
	BasicAuth     bool
	BasicAuthUser string
	// JSON is the jsonData object; empty means {}.
	JSON []byte
	// Secrets are in clear; they never appear in a log, an error or an answer.
	Secrets Secrets
	// Updated moves with every change of the settings, and only then: it
	// makes the plugin replace its instance. Milliseconds count.
	Updated    time.Time
	APIVersion string
}

// AppSettings configure one app plugin.
type AppSettings struct {
	// JSON is the jsonData object; empty means {}.
	JSON []byte
	// Secrets are in clear; they never appear in a log, an error or an answer.
	Secrets    Secrets
	Updated    time.Time
	APIVersion string
}
