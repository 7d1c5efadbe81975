package gateway

import (
	"net/http"

	"github.com/plugboard/plugboard/server/access"
)

// route is one line of the API's table of contents.
type route struct {
	pattern string
	// least is the role that it takes; empty means that it is for everybody.
	// Who may ask a data source is checked where the data source is known.
	least   access.Role
	handler handler
}

// resourcePattern stands for all paths that parseResourcePath knows.
const resourcePattern = "…/resources/{path...}"

// routes is the API's table of contents.
func (g *Gateway) routes(c Config) []route {
	list := []route{
		{"POST /api/ds/query", access.Viewer, g.query},
		{resourcePattern, access.Viewer, g.resource},

		{"GET /api/datasources", access.Viewer, g.listSources},
		{"POST /api/datasources", access.Admin, g.createSource},
		{"GET /api/datasources/id/{name}", access.Viewer, g.getSourceID},
		{"/api/datasources/uid/{uid}/health", access.Viewer, g.sourceHealth},
		{"GET /api/datasources/uid/{uid}/query", access.Viewer, g.link},
		{"/api/datasources/{id}/{rest...}", access.Viewer, g.sourceByID}, // "/{id}/health" would conflict with "/uid/{uid}"

		{"GET /api/plugins", access.Viewer, g.listPlugins},
		{"GET /api/plugins/errors", access.Admin, g.pluginErrors},
		{"GET /api/plugins/{id}/settings", access.Viewer, g.pluginSettings},
		{"POST /api/plugins/{id}/settings", access.Admin, g.savePluginSettings},
		{"GET /api/plugins/{id}/schema", access.Viewer, g.pluginSchema},
		{"GET /api/plugins/{id}/health", access.Viewer, g.pluginHealth},
		{"GET /api/plugins/{id}/metrics", access.Admin, g.pluginMetrics},
		{"POST /api/plugins/{id}/start", access.Admin, g.order(startPlugin)},
		{"POST /api/plugins/{id}/stop", access.Admin, g.order(stopPlugin)},
		{"POST /api/plugins/{id}/restart", access.Admin, g.order(restartPlugin)},
		{"POST /api/plugins/{id}/reload", access.Admin, g.reloadPlugin},
		{"POST /api/plugins/{id}/upgrade", access.Admin, g.upgradePlugin},
		{"POST /api/plugins/{id}/rollback", access.Admin, g.rollbackPlugin},
		{"GET /api/plugins/{id}/versions", access.Admin, g.pluginVersions},
		{"GET /api/plugins/{id}/events", access.Admin, g.pluginEvents},
		{"GET /api/plugins/{id}/logs", access.Admin, g.pluginLogs},
		{"GET /public/plugins/{id}/{file...}", access.Viewer, g.pluginFile},

		{"GET /api/live/sse", access.Viewer, g.stream},
		{"POST /api/live/publish", access.Editor, g.publish},

		{"GET /api/user", access.Viewer, g.user},
		{"GET /api/health", "", g.health},
		{"/", access.Viewer, func(http.ResponseWriter, *http.Request) error { return notFound("Not found") }},
	}
	for _, form := range []string{"{id}", "uid/{uid}", "name/{name}"} {
		list = append(list,
			route{"GET /api/datasources/" + form, access.Viewer, g.getSource},
			route{"PUT /api/datasources/" + form, access.Admin, g.updateSource},
			route{"DELETE /api/datasources/" + form, access.Admin, g.deleteSource},
		)
	}
	if c.History != nil {
		list = append(list, route{"GET /api/plugins/{id}/history", access.Admin, g.pluginHistory})
	}
	if c.Accounts != nil {
		list = append(list, g.accountRoutes()...)
	}
	if door, ok := c.Guard.(Door); ok {
		list = append(list,
			route{"POST /login", "", login(door)},
			route{"GET /logout", "", logout(door)},
			route{"POST /logout", "", logout(door)},
		)
	}
	if c.Metrics != nil {
		list = append(list, route{"GET /metrics", "", func(w http.ResponseWriter, r *http.Request) error {
			c.Metrics.ServeHTTP(w, r)
			return nil
		}})
	}
	return list
}

func (g *Gateway) accountRoutes() []route {
	const one = "/api/serviceaccounts/{id}"
	return []route{
		{"GET /api/serviceaccounts", access.Admin, g.listAccounts},
		{"GET /api/serviceaccounts/search", access.Admin, g.searchAccounts},
		{"POST /api/serviceaccounts", access.Admin, g.createAccount},
		{"GET " + one, access.Admin, g.getAccount},
		{"PATCH " + one, access.Admin, g.updateAccount},
		{"DELETE " + one, access.Admin, g.deleteAccount},
		{"GET " + one + "/tokens", access.Admin, g.listTokens},
		{"POST " + one + "/tokens", access.Admin, g.createToken},
		{"DELETE " + one + "/tokens/{token}", access.Admin, g.deleteToken},
	}
}
