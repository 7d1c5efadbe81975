package gateway

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/access"
	"github.com/plugboard/plugboard/server/datasource"
)

// What a link asks for that says no time range.
const (
	linkFrom = "now-1h"
	linkTo   = "now"
)

// link answers GET /api/datasources/uid/{uid}/query?query=…&from=…&to=…, which
// fits into a link: one query, as JSON or as the plain text that the plugin
// takes, and the format by name for those who cannot say what they accept.
func (g *Gateway) link(w http.ResponseWriter, r *http.Request) error {
	if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" {
		return &failure{status: http.StatusForbidden, message: access.ErrOrigin.Error() + ": a page of another site made this query: open the link by itself"}
	}
	f, err := formatOf(r, r.FormValue("format"))
	if err != nil {
		return err
	}
	target, err := g.sourceTarget(r, datasource.ByUID(r.PathValue("uid")))
	if err != nil {
		return err
	}
	model, err := g.linkModel(r, target)
	if err != nil {
		return err
	}
	q, err := parseQuery(model)
	if err != nil {
		return err
	}
	q.TimeRange, err = timeRange(quoted(r, "from", linkFrom), quoted(r, "to", linkTo), time.Now())
	if err != nil {
		return badRequest("bad request data: %w", err)
	}
	only := &group{target: target, headers: callHeaders(r, target), queries: []plugin.DataQuery{q.DataQuery}}
	return g.answer(w, r, f, []*group{only})
}

// linkModel is the query's JSON, which names the data source.
func (g *Gateway) linkModel(r *http.Request, t target) ([]byte, error) {
	text := r.FormValue("query")
	if text == "" {
		return nil, badRequest(`bad request data: the link has no query: it ends in "query?query=…", with the query's JSON or text`)
	}
	var model map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &model) != nil || model == nil {
		description, err := g.host.Describe(r.Context(), t.PluginID)
		if err != nil && !errors.Is(err, plugin.ErrNotImplemented) {
			return nil, t.failed(callQuery, err)
		}
		if description.QueryText == "" {
			return nil, badRequest("bad request data: the query is not a JSON object, and plugin %s names no field for plain text", t.PluginID)
		}
		model = map[string]json.RawMessage{description.QueryText: appendString(nil, text)}
	}
	model["datasource"], _ = json.Marshal(map[string]string{"uid": t.DataSource.UID}) // strings always marshal
	return json.Marshal(model)
}

// quoted returns a parameter of a link as JSON.
func quoted(r *http.Request, name, otherwise string) []byte {
	value := r.FormValue(name)
	if value == "" {
		value = otherwise
	}
	return appendString(nil, value)
}
