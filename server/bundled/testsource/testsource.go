// Package testsource is the bundled data source plugin testdata: made-up data,
// delays and errors on demand, and live streams. (Go ignores folders that are
// named testdata.)
package testsource

import (
	"context"
	_ "embed" // plugin.json
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

// Manifest is the plugin's plugin.json.
//
//go:embed plugin.json
var Manifest []byte

// Plugin returns the plugin.
func Plugin() plugin.Plugin { return plugin.DataSource(open) }

// settings are the data source's.
type settings struct {
	// URL is where a server has its metrics, for the stream of its vitals.
	URL string `json:"url" title:"Server" description:"A server with /metrics, for the stream of its vitals." examples:"http://localhost:3000"`
}

// model is a query. Beside the scenario's own, its fields are ignored.
type model struct {
	// ScenarioID is what happens: see scenarios. Default random_walk.
	ScenarioID string `json:"scenarioId" plugboard:"text" title:"Scenario" description:"What happens; random_walk if empty." options:"scenarios" examples:"random_walk\ncsv_content\nslow_query\nerror\ntable\nstates\nlogs\ntrace\nvitals"`
	// SeriesCount is how many random walks there are; default 1.
	SeriesCount int `json:"seriesCount" title:"Series" description:"How many random walks; 1 if empty."`
	// CSVContent is the table of csv_content, its first line the names.
	CSVContent string `json:"csvContent" title:"CSV" description:"The table of csv_content, its first line the names." format:"multiline"`
	// Duration is how long slow_query takes, as in "1.5s"; default 5s.
	Duration string `json:"duration" title:"Duration" description:"How long slow_query takes; 5s if empty." examples:"1.5s"`
	// Message is that of error.
	Message string `json:"message" title:"Message" description:"That of error."`
	// Source is whose fault error is: plugin (default) or downstream.
	Source plugin.ErrorSource `json:"source" title:"Whose fault" description:"That of error." enum:"plugin,downstream"`
	// Rows and Columns are the size of table; default 100 and 5. Rows are also
	// the lines of logs and the spans of trace; default 100 and 24.
	Rows    int `json:"rows" title:"Rows" description:"Of table; the lines of logs; the spans of trace."`
	Columns int `json:"columns" title:"Columns" description:"Of table; 5 if empty."`
}

// source is one data source.
type source struct {
	uid, url string
}

// scenarios are what a query can ask for.
func (s *source) scenarios() map[string]func(context.Context, plugin.Query[model]) (*frame.Frame, error) {
	return map[string]func(context.Context, plugin.Query[model]) (*frame.Frame, error){
		"random_walk": randomWalk,
		"csv_content": csvContent,
		"slow_query":  slowQuery,
		"error":       failure,
		"table":       table,
		"states":      states,
		"logs":        logs,
		"trace":       trace,
		"vitals":      s.vitals,
	}
}

// scenario is one that a query can ask for, and what happens.
type scenario struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

// listed are the scenarios, for forms to offer.
var listed = []scenario{
	{"random_walk", "lines that go up and down by chance"}, {"states", "enums, units, thresholds, links"}, {"table", "waves as a table of any size"},
	{"csv_content", "the table that the query brings"}, {"logs", "lines of a log"}, {"trace", "spans of a trace"},
	{"slow_query", "an answer after a while"}, {"error", "an error"}, {"vitals", "the vital signs of a server, as a stream"},
}

// ServeHTTP answers GET /scenarios.
func (s *source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet || strings.Trim(r.URL.Path, "/") != "scenarios" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(listed) // the client went away
}

func open(_ context.Context, s plugin.Settings[settings]) (*source, error) {
	return &source{uid: s.UID, url: s.Values.URL}, nil
}

// Query answers with one frame, or with the error that was asked for.
func (s *source) Query(ctx context.Context, q plugin.Query[model]) (frame.Frames, error) {
	id := q.Model.ScenarioID
	if id == "" {
		id = "random_walk"
	}
	scenarios := s.scenarios()
	answer, ok := scenarios[id]
	if !ok {
		return nil, plugin.BadRequest("query: no scenarioId %q, only %s", id, strings.Join(slices.Sorted(maps.Keys(scenarios)), ", "))
	}
	f, err := answer(ctx, q)
	if err != nil {
		return nil, err
	}
	return frame.Frames{f}, nil
}

// CheckHealth reads the server's metrics, where there is a server.
func (s *source) CheckHealth(ctx context.Context) (plugin.Health, error) {
	if s.url == "" {
		return plugin.Health{Status: plugin.HealthOK, Message: "Test data is always there"}, nil
	}
	if _, err := readVitals(ctx, s.url); err != nil {
		return plugin.Health{}, err
	}
	return plugin.Health{Status: plugin.HealthOK, Message: "The server shows its metrics"}, nil
}

// slowQuery answers after a while, or not at all if nobody waits for it.
func slowQuery(ctx context.Context, q plugin.Query[model]) (*frame.Frame, error) {
	text := q.Model.Duration
	if text == "" {
		text = "5s"
	}
	duration, err := time.ParseDuration(text)
	if err != nil {
		return nil, plugin.BadRequest("query: duration: %w", err)
	}
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return frame.New("slow", frame.NewField("waited", nil, []string{duration.String()})), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func failure(_ context.Context, q plugin.Query[model]) (*frame.Frame, error) {
	f := &plugin.Error{Message: q.Model.Message, Source: plugin.SourcePlugin, Status: http.StatusInternalServerError}
	if f.Message == "" {
		f.Message = "the error that was asked for"
	}
	if q.Model.Source == plugin.SourceDownstream {
		f.Source, f.Status = plugin.SourceDownstream, http.StatusBadGateway
	}
	return nil, f
}
