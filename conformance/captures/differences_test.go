package captures

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// difference is one way in which our answers differ from the captured ones on
// purpose. change makes the captured answer the one that we want to give.
type difference struct {
	numbers string // of the exchanges
	what    string
	why     string
	change  func(captured *answer, all map[string]answer)
}

// differences is the whole list. Besides, and by rule rather than by number:
//
//   - The message of an error begins with the captured one and goes on with
//     what, where and whose fault: "Data source not found" alone leaves the
//     reader to guess.
//   - Every error has one shape, with statusCode and traceID, and errorSource
//     where a plugin or its downstream is at fault. Grafana has them in some
//     errors and not in others.
//   - A query's error has its errorSource, as in newer releases.
//   - A plugin has fields more: its process, which Grafana does not tell, and
//     in its settings its category and queryText, for the command line.
//   - Of the headers, those that carry meaning are compared: the media type,
//     the sandbox, the plugin's own.
//   - The web socket's packets are server-sent events, one data line each, and
//     the channel has no number of an organisation.
var differences = []difference{
	{
		"02", "a provisioned data source tells which file it comes from",
		"who may not change it here has to know where",
		func(a *answer, _ map[string]answer) {
			a.body = strings.Replace(a.body, `"readOnly":`, `"provenance":"captures.yaml","readOnly":`, 1)
		},
	},
	{
		"18 19", "404 instead of 500 for an unknown data source, in the words of a query's",
		"an unknown uid is the caller's mistake, and the same one everywhere",
		sameAs("17"),
	},
	{
		"28", "404 instead of 500 for a data source whose plugin is not installed, in the words of a query's",
		"nothing failed here; a query answers 404",
		sameAs("27"),
	},
	{
		"25", "400 instead of 200 for a time range that cannot be read",
		"Grafana asks the plugin for 1970 without a word",
		failure(http.StatusBadRequest, `bad request data: "from" of the time range: "xyz" is no time`, ""),
	},
	{
		"13", "the failure of one data source of several is told in the plugin's words",
		"Grafana tells of its own wrappers: [plugin.downstreamError] ... rpc error: code = Unknown",
		func(a *answer, _ map[string]answer) {
			const theirs = `[plugin.downstreamError] failed to query data: Failed to query data: rpc error: code = Unknown desc = `
			const ours = `An error occurred within the plugin: data source \"bench\" (plugin bench-datasource): `
			a.body = strings.ReplaceAll(a.body, theirs, ours)
		},
	},
	{
		"49", "400 instead of 503 for a plugin that says it is not well",
		"as for data sources, and as in newer releases",
		func(a *answer, _ map[string]answer) { a.status = http.StatusBadRequest },
	},
	{
		"29", "503 instead of 500 for a query to a plugin without a backend",
		"health and resources answer 503, and so do newer releases",
		failure(http.StatusServiceUnavailable, "Plugin unavailable", "plugin.unavailable"),
	},
	{
		"62 68", "503 instead of 500 for a plugin that dies while it answers",
		"503 tells a client that asking again may help",
		failure(http.StatusServiceUnavailable, "Plugin unavailable", "plugin.unavailable"),
	},
	{
		"63", "an answer instead of an error right after the plugin died",
		"the host starts it again at once, and calls wait for that",
		sameAs("67"),
	},
	{"64", "likewise for a health check", "likewise", sameAs("69")},
	{"65", "likewise for a resource", "likewise", sameAs("47")},
	{"66", "likewise for metrics", "likewise", sameAs("50")},
}

// sameAs is a change to the answer of another exchange.
func sameAs(number string) func(*answer, map[string]answer) {
	return func(a *answer, all map[string]answer) { *a = all[number] }
}

// failure is a change to another error.
func failure(status int, message, id string) func(*answer, map[string]answer) {
	return func(a *answer, _ map[string]answer) {
		body, err := json.Marshal(struct {
			Message   string `json:"message"`
			MessageID string `json:"messageId,omitempty"`
		}{message, id})
		if err != nil {
			panic(err)
		}
		a.status, a.body = status, string(body)
		a.header = http.Header{"Content-Type": {"application/json"}}
	}
}

// expect returns the answer that we want to give to an exchange.
func expect(e exchange, all map[string]answer) answer {
	want := e.answer
	for _, d := range differences {
		if slices.Contains(strings.Fields(d.numbers), e.number) {
			d.change(&want, all)
		}
	}
	return want
}
