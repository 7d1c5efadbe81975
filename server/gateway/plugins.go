package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/datasource"
)

// listPlugins answers GET /api/plugins, sorted by name.
func (g *Gateway) listPlugins(w http.ResponseWriter, r *http.Request) error {
	filter := r.URL.Query()
	list := []pluginJSON{}
	for _, p := range g.host.Plugins() {
		entry, err := g.describe(r.Context(), p)
		if err != nil {
			return err
		}
		entry.Enabled = entry.Enabled || entry.Type != typeApp // others need no enabling
		if filtered(filter.Get("type"), p.Manifest.Type) ||
			filtered(filter.Get("enabled"), digit(entry.Enabled)) ||
			filtered(filter.Get("core"), digit(p.Signature == host.SignatureInternal)) ||
			filtered(filter.Get("embedded"), digit(p.Parent != "")) {
			continue
		}
		entry.DefaultNavURL = "/plugins/" + entry.ID + "/"
		entry.showTo(userOf(r))
		list = append(list, entry.pluginJSON)
	}
	slices.SortStableFunc(list, func(a, b pluginJSON) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.ID, b.ID))
	})
	return writeJSON(w, http.StatusOK, list)
}

// filtered tells whether a filter that is set leaves a value out.
func filtered(filter, value string) bool { return filter != "" && filter != value }

func digit(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// pluginErrors answers GET /api/plugins/errors with what could not be loaded.
func (g *Gateway) pluginErrors(w http.ResponseWriter, _ *http.Request) error {
	type faultJSON struct {
		ErrorCode string `json:"errorCode"`
		PluginID  string `json:"pluginId"`
		Path      string `json:"path"`
		Reason    string `json:"reason"`
	}
	faults := []faultJSON{}
	for _, f := range g.host.Faults() {
		faults = append(faults, faultJSON{faultCode(f), f.PluginID, f.Path, f.Reason})
	}
	return writeJSON(w, http.StatusOK, faults)
}

// faultCode is Grafana's word for a fault, where it has one.
func faultCode(f host.Fault) string {
	switch f.Signature {
	case host.SignatureUnsigned:
		return "signatureMissing"
	case host.SignatureModified:
		return "signatureModified"
	case host.SignatureInvalid:
		return "signatureInvalid"
	default:
		return "pluginNotLoaded"
	}
}

// pluginSettings answers GET /api/plugins/:id/settings.
func (g *Gateway) pluginSettings(w http.ResponseWriter, r *http.Request) error {
	p, err := g.plugin(r.PathValue("id"))
	if err != nil {
		return err
	}
	settings, err := g.describe(r.Context(), p)
	if err != nil {
		return err
	}
	settings.QueryText = g.queryText(r.Context(), p)
	settings.showTo(userOf(r))
	return writeJSON(w, http.StatusOK, settings)
}

// savePluginSettings answers POST /api/plugins/:id/settings: the body replaces
// all but the secrets it does not mention.
func (g *Gateway) savePluginSettings(w http.ResponseWriter, r *http.Request) error {
	p, err := g.plugin(r.PathValue("id"))
	if err != nil {
		return err
	}
	var body struct {
		Enabled, Pinned bool
		JSONData        json.RawMessage   `json:"jsonData"`
		SecureJSONData  map[string]string `json:"secureJsonData"`
	}
	if err := g.readJSON(w, r, &body); err != nil {
		return err
	}
	if len(body.JSONData) > 0 && string(body.JSONData) != "null" && body.JSONData[0] != '{' {
		return badRequest("bad request data: jsonData is an object")
	}
	_, err = g.store.SaveApp(r.Context(), datasource.App{
		PluginID: p.Manifest.ID, Enabled: body.Enabled, Pinned: body.Pinned,
		JSON: objectOrEmpty(body.JSONData), Secrets: body.SecureJSONData,
	})
	if err != nil {
		return storeFailure(err)
	}
	if body.Enabled {
		g.host.RenewStreams(p.Manifest.ID, "")
	} else {
		g.forget(r.Context(), plugin.Context{PluginID: p.Manifest.ID})
	}
	return writeJSON(w, http.StatusOK, map[string]string{"message": "Plugin settings updated"})
}

// pluginMetrics answers GET /api/plugins/:id/metrics; a plugin without metrics
// has none.
func (g *Gateway) pluginMetrics(w http.ResponseWriter, r *http.Request) error {
	t, err := g.pluginTarget(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	start := time.Now()
	text, err := g.host.Metrics(r.Context(), t.PluginID)
	if errors.Is(err, plugin.ErrNotImplemented) {
		err = nil
	}
	g.observe(callMetrics, t, start, err)
	if err != nil {
		return t.failed(callMetrics, err)
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(text) // the client has gone away, or not
	return nil
}

// describePatience bounds how long an answer waits for a plugin to tell of
// itself: it is a help, and not worth more.
const describePatience = time.Second

// queryText returns the field of the plugin's query model that takes a query
// typed as text, "" if that is not known at the moment.
func (g *Gateway) queryText(ctx context.Context, p host.Plugin) string {
	if p.State == host.StateNoBackend || p.State == host.StateStopped {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, describePatience)
	defer cancel()
	description, err := g.host.Describe(ctx, p.Manifest.ID)
	if err != nil {
		return ""
	}
	return description.QueryText
}
