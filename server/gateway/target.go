package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/datasource"
)

// The one tenant there is so far.
const (
	orgID     = 1
	namespace = "default"
)

// target is what a call is made to: a data source, or a plugin itself. Its
// context says for whom.
type target struct {
	plugin.Context
}

// String names the target for errors.
func (t target) String() string {
	if t.DataSource != nil {
		return fmt.Sprintf("data source %q (plugin %s)", t.DataSource.UID, t.PluginID)
	}
	return "plugin " + t.PluginID
}

// sourceUID is the target's label in metrics.
func (t target) sourceUID() string {
	if t.DataSource == nil {
		return ""
	}
	return t.DataSource.UID
}

// secrets returns the secrets that the target's plugin is given, longest
// first.
func (t target) secrets() []string {
	var secrets []string
	if t.DataSource != nil {
		secrets = slices.AppendSeq(secrets, maps.Values(t.DataSource.Secrets))
	}
	if t.App != nil {
		secrets = slices.AppendSeq(secrets, maps.Values(t.App.Secrets))
	}
	return longestFirst(secrets)
}

// longestFirst orders secrets for redact, as one may be part of another.
func longestFirst(secrets []string) []string {
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return secrets
}

// source returns the data source that key names, if the user may ask it: the
// one way to it from a request. Who may ask some only is not told whether
// another one is there. The error may be datasource.ErrDamaged, all others are
// failures.
func (g *Gateway) source(r *http.Request, key datasource.Key) (datasource.DataSource, error) {
	d, err := g.store.DataSource(r.Context(), key)
	user := userOf(r)
	switch {
	case !user.MayAsk(cmp.Or(d.UID, key.UID)):
		return datasource.DataSource{}, forbidden("Access denied to data source: %s may not ask the one with the %s", user.Login, key)
	case err != nil && !errors.Is(err, datasource.ErrDamaged):
		return datasource.DataSource{}, sourceFailure(key, err)
	}
	return d, err
}

// sourceTarget returns the data source that key names as a target.
func (g *Gateway) sourceTarget(r *http.Request, key datasource.Key) (target, error) {
	d, err := g.source(r, key)
	if errors.Is(err, datasource.ErrDamaged) {
		return target{}, sourceFailure(key, err)
	}
	if err != nil {
		return target{}, err
	}
	return target{plugin.Context{
		PluginID:   d.Type,
		OrgID:      orgID,
		Namespace:  namespace,
		User:       userOf(r).Plugin(),
		DataSource: d.Settings(),
	}}, nil
}

// pluginTarget returns a plugin itself as a target; an app comes with its
// settings.
func (g *Gateway) pluginTarget(r *http.Request, id string) (target, error) {
	user := userOf(r)
	if !user.MayAskPlugins() {
		return target{}, forbidden("Access denied to plugin %q: %s may ask some data sources only", id, user.Login)
	}
	t := target{plugin.Context{PluginID: id, OrgID: orgID, Namespace: namespace, User: user.Plugin()}}
	p, err := g.plugin(id)
	if err != nil {
		return t, err
	}
	if p.Manifest.Type == typeApp {
		app, err := g.app(r.Context(), id)
		if err != nil {
			return t, err
		}
		t.App = app.Settings()
	}
	return t, nil
}

const typeApp = "app"

func (g *Gateway) plugin(id string) (host.Plugin, error) {
	p, ok := g.host.Plugin(id)
	if !ok {
		return p, notFound("Plugin not found, no installed plugin with that id: %q", id)
	}
	return p, nil
}

// installed is the plugin that a request's path names, by its id or an alias.
func (g *Gateway) installed(r *http.Request) (target, host.Plugin, error) {
	t, err := g.pluginTarget(r, r.PathValue("id"))
	if err != nil {
		return t, host.Plugin{}, err
	}
	p, err := g.plugin(t.PluginID)
	return t, p, err
}

// app returns an app's settings, the zero ones if none were ever saved.
func (g *Gateway) app(ctx context.Context, id string) (datasource.App, error) {
	app, err := g.store.App(ctx, id)
	if errors.Is(err, datasource.ErrNotFound) {
		return datasource.App{PluginID: id}, nil
	}
	if err != nil {
		return app, storeFailure(err)
	}
	return app, nil
}
