package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/access"
	"github.com/plugboard/plugboard/server/datasource"
)

// sourceJSON is a data source as the API tells it. Secrets are told by name
// only.
type sourceJSON struct {
	ID               int64           `json:"id"`
	UID              string          `json:"uid"`
	OrgID            int64           `json:"orgId"`
	Name             string          `json:"name"`
	Type             string          `json:"type"`
	TypeLogoURL      string          `json:"typeLogoUrl"`
	Access           string          `json:"access"`
	URL              string          `json:"url"`
	User             string          `json:"user"`
	Database         string          `json:"database"`
	BasicAuth        bool            `json:"basicAuth"`
	BasicAuthUser    string          `json:"basicAuthUser"`
	WithCredentials  bool            `json:"withCredentials"`
	IsDefault        bool            `json:"isDefault"`
	JSONData         json.RawMessage `json:"jsonData"`
	SecureJSONFields map[string]bool `json:"secureJsonFields"`
	Version          int64           `json:"version"`
	ReadOnly         bool            `json:"readOnly"`
	// Provenance is the file that a read-only one comes from.
	Provenance string `json:"provenance,omitempty"`
}

// listedSourceJSON is a data source in the list of all.
type listedSourceJSON struct {
	ID          int64           `json:"id"`
	UID         string          `json:"uid"`
	OrgID       int64           `json:"orgId"`
	Name        string          `json:"name"`
	Type        string          `json:"type"`
	TypeName    string          `json:"typeName"`
	TypeLogoURL string          `json:"typeLogoUrl"`
	Access      string          `json:"access"`
	URL         string          `json:"url"`
	User        string          `json:"user"`
	Database    string          `json:"database"`
	BasicAuth   bool            `json:"basicAuth"`
	IsDefault   bool            `json:"isDefault"`
	JSONData    json.RawMessage `json:"jsonData"`
	ReadOnly    bool            `json:"readOnly"`
}

// sourceCommand is the body that creates or replaces a data source.
type sourceCommand struct {
	UID             string            `json:"uid"`
	Name            string            `json:"name"`
	Type            string            `json:"type"`
	Access          string            `json:"access"`
	URL             string            `json:"url"`
	User            string            `json:"user"`
	Database        string            `json:"database"`
	BasicAuth       bool              `json:"basicAuth"`
	BasicAuthUser   string            `json:"basicAuthUser"`
	WithCredentials bool              `json:"withCredentials"`
	IsDefault       bool              `json:"isDefault"`
	JSONData        json.RawMessage   `json:"jsonData"`
	SecureJSONData  map[string]string `json:"secureJsonData"`
	Version         int64             `json:"version"`
}

// savedJSON answers a command that created or replaced a data source.
type savedJSON struct {
	Datasource sourceJSON `json:"datasource"`
	ID         int64      `json:"id"`
	Message    string     `json:"message"`
	Name       string     `json:"name"`
}

// listSources answers GET /api/datasources.
func (g *Gateway) listSources(w http.ResponseWriter, r *http.Request) error {
	sources, err := g.store.DataSources(r.Context())
	if err != nil {
		return storeFailure(err)
	}
	user := userOf(r)
	sources = slices.DeleteFunc(sources, func(d datasource.DataSource) bool { return !user.MayAsk(d.UID) })
	list := make([]listedSourceJSON, len(sources))
	for i, d := range sources {
		d = shown(d, user)
		list[i] = listedSourceJSON{
			ID: d.ID, UID: d.UID, OrgID: orgID, Name: d.Name, Type: d.Type, Access: d.Access,
			URL: d.URL, User: d.User, Database: d.Database, BasicAuth: d.BasicAuth,
			IsDefault: d.IsDefault, JSONData: objectOrEmpty(d.JSON), ReadOnly: d.ReadOnly,
		}
		if p, ok := g.host.Plugin(d.Type); ok {
			about, err := g.describe(r.Context(), p)
			if err != nil {
				return err
			}
			list[i].TypeName, list[i].TypeLogoURL = about.Name, about.Info.Logos.Small
		}
	}
	return writeJSON(w, http.StatusOK, list)
}

// getSource answers GET /api/datasources/ with an id, uid or name.
func (g *Gateway) getSource(w http.ResponseWriter, r *http.Request) error {
	d, err := g.storedSource(r)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, jsonOf(shown(d, userOf(r))))
}

// getSourceID answers GET /api/datasources/id/:name.
func (g *Gateway) getSourceID(w http.ResponseWriter, r *http.Request) error {
	d, err := g.storedSource(r)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]int64{"id": d.ID})
}

// createSource answers POST /api/datasources.
func (g *Gateway) createSource(w http.ResponseWriter, r *http.Request) error {
	d, err := g.readSource(w, r)
	if err != nil {
		return err
	}
	if d, err = g.store.Create(r.Context(), d); err != nil {
		return storeFailure(err)
	}
	return writeJSON(w, http.StatusOK, savedJSON{jsonOf(d), d.ID, "Datasource added", d.Name})
}

// updateSource answers PUT: the body replaces all but the secrets it does not
// mention.
func (g *Gateway) updateSource(w http.ResponseWriter, r *http.Request) error {
	stored, err := g.storedSource(r)
	if err != nil {
		return err
	}
	d, err := g.readSource(w, r)
	if err != nil {
		return err
	}
	if d.ID = stored.ID; d.UID == "" {
		d.UID = stored.UID
	}
	if d, err = g.store.Update(r.Context(), d); err != nil {
		return storeFailure(err)
	}
	switch {
	case d.Type != stored.Type || d.UID != stored.UID:
		g.forget(r.Context(), gone(stored)) // as far as that plugin can tell
	case !d.Updated.Equal(stored.Updated):
		g.host.RenewStreams(stored.Type, stored.UID)
	}
	return writeJSON(w, http.StatusOK, savedJSON{jsonOf(d), d.ID, "Datasource updated", d.Name})
}

// deleteSource answers DELETE.
func (g *Gateway) deleteSource(w http.ResponseWriter, r *http.Request) error {
	d, err := g.storedSource(r)
	if err != nil {
		return err
	}
	if err := g.store.Delete(r.Context(), d.ID); err != nil {
		return storeFailure(err)
	}
	g.forget(r.Context(), gone(d))
	return writeJSON(w, http.StatusOK, struct {
		ID      int64  `json:"id"`
		Message string `json:"message"`
	}{d.ID, "Data source deleted"})
}

// gone is the context of a deleted data source.
func gone(d datasource.DataSource) plugin.Context {
	return plugin.Context{PluginID: d.Type, DataSource: &plugin.DataSourceSettings{ID: d.ID, UID: d.UID}}
}

// forget tells a plugin that a data source of its is gone, or that it is
// disabled. That is done whether the plugin listens or not: in time it closes
// what it does not use.
func (g *Gateway) forget(ctx context.Context, what plugin.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgetTime)
	defer cancel()
	what.OrgID, what.Namespace = orgID, namespace
	err := g.host.Forget(ctx, what)
	if err == nil || errors.Is(err, host.ErrNotFound) || errors.Is(err, host.ErrNoBackend) {
		return
	}
	uid := ""
	if what.DataSource != nil {
		uid = what.DataSource.UID
	}
	g.log.Warn("the plugin was not told that a data source was deleted or the app disabled", keyPlugin, what.PluginID, keySource, uid, keyError, err)
}

// forgetTime bounds how long the deletion of a data source waits for its
// plugin.
const forgetTime = time.Second

// sourceByID answers what is left of /api/datasources/:id/: the health check.
func (g *Gateway) sourceByID(w http.ResponseWriter, r *http.Request) error {
	if r.PathValue("rest") != "health" {
		return notFound("Not found")
	}
	return g.sourceHealth(w, r)
}

// storedSource returns the data source that a request's path names.
func (g *Gateway) storedSource(r *http.Request) (datasource.DataSource, error) {
	key, err := pathKey(r)
	if err != nil {
		return datasource.DataSource{}, err
	}
	d, err := g.source(r, key)
	if errors.Is(err, datasource.ErrDamaged) { // it may be shown, mended and deleted
		err = nil
	}
	return d, err
}

// shown returns what a user gets to see of a data source. How it is configured
// is the admins' business: URLs and jsonData tell more than who only asks has to
// know.
func shown(d datasource.DataSource, user access.User) datasource.DataSource {
	if user.Role.Includes(access.Admin) {
		return d
	}
	return datasource.DataSource{
		ID: d.ID, UID: d.UID, Name: d.Name, Type: d.Type, Access: d.Access,
		IsDefault: d.IsDefault, Version: d.Version, ReadOnly: d.ReadOnly,
	}
}

// namedSource returns the data source that a request's path names as a target.
func (g *Gateway) namedSource(r *http.Request) (target, error) {
	key, err := pathKey(r)
	if err != nil {
		return target{}, err
	}
	return g.sourceTarget(r, key)
}

func pathKey(r *http.Request) (datasource.Key, error) {
	if uid := r.PathValue("uid"); uid != "" {
		return datasource.ByUID(uid), nil
	}
	if name := r.PathValue("name"); name != "" {
		return datasource.ByName(name), nil
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return datasource.Key{}, badRequest("id is invalid: %q is no number", r.PathValue("id"))
	}
	return datasource.ByID(id), nil
}

// readSource reads and checks the body that describes a data source.
func (g *Gateway) readSource(w http.ResponseWriter, r *http.Request) (datasource.DataSource, error) {
	c := sourceCommand{Access: "proxy"}
	if err := g.readJSON(w, r, &c); err != nil {
		return datasource.DataSource{}, err
	}
	switch {
	case c.Name == "" || c.Type == "":
		return datasource.DataSource{}, badRequest("bad request data: a data source needs a name and a type, the id of its plugin")
	case c.Access != "proxy" && c.Access != "direct":
		return datasource.DataSource{}, badRequest(`bad request data: access is "proxy" or "direct", not %q`, c.Access)
	case len(c.JSONData) > 0 && string(c.JSONData) != "null" && c.JSONData[0] != '{':
		return datasource.DataSource{}, badRequest("bad request data: jsonData is an object")
	}
	if err := checkURL(c.URL); err != nil {
		return datasource.DataSource{}, err
	}
	return datasource.DataSource{
		UID: c.UID, Name: c.Name, Type: c.Type, Access: c.Access, URL: c.URL, User: c.User,
		Database: c.Database, BasicAuth: c.BasicAuth, BasicAuthUser: c.BasicAuthUser,
		WithCredentials: c.WithCredentials, IsDefault: c.IsDefault,
		JSON: objectOrEmpty(c.JSONData), Secrets: c.SecureJSONData, Version: c.Version,
	}, nil
}

// checkURL accepts a URL with or without a scheme: SQL data sources have
// host:port there.
func checkURL(text string) error {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	if _, err := url.Parse(text); err != nil {
		return badRequest("Validation error, invalid URL: %w", err)
	}
	return nil
}

func jsonOf(d datasource.DataSource) sourceJSON {
	fields := make(map[string]bool, len(d.Secrets))
	for name := range maps.Keys(d.Secrets) {
		fields[name] = true
	}
	return sourceJSON{
		ID: d.ID, UID: d.UID, OrgID: orgID, Name: d.Name, Type: d.Type, Access: d.Access,
		URL: d.URL, User: d.User, Database: d.Database, BasicAuth: d.BasicAuth, BasicAuthUser: d.BasicAuthUser,
		WithCredentials: d.WithCredentials, IsDefault: d.IsDefault, JSONData: objectOrEmpty(d.JSON),
		SecureJSONFields: fields, Version: d.Version, ReadOnly: d.ReadOnly, Provenance: d.Provenance,
	}
}

func objectOrEmpty(object json.RawMessage) json.RawMessage {
	if len(object) == 0 || string(object) == "null" {
		return json.RawMessage("{}")
	}
	return object
}
