// Package prometheus is the bundled data source plugin that asks Prometheus,
// and what else speaks its HTTP API, in PromQL. It takes the settings and
// queries of Grafana's data source of the same id.
package prometheus

import (
	"context"
	_ "embed" // plugin.json
	"errors"
	"net/http"
	"strings"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/httpclient"
)

// Manifest is the plugin's plugin.json.
//
//go:embed plugin.json
var Manifest []byte

// Plugin returns the plugin.
func Plugin() plugin.Plugin { return plugin.DataSource(open) }

// settings are the data source's, beside those of httpclient.
type settings struct {
	// URL is the server's, perhaps with a path before /api/v1.
	URL string `json:"url" title:"Server" description:"The address of Prometheus, perhaps with a path before /api/v1." examples:"http://localhost:9090"`
	// HTTPMethod is POST (default) or GET, in any case.
	HTTPMethod string `json:"httpMethod" title:"HTTP method" description:"POST, or GET for servers and proxies that take no other." examples:"POST\nGET" group:"Requests"`
	// TimeInterval is how often the server scrapes, at least 15s if empty: no
	// step is smaller.
	TimeInterval string `json:"timeInterval" title:"Scrape interval" description:"No step is smaller; 15s if empty." examples:"15s\n1m"`
	// QueryTimeout is how long an answer may take; default 60s.
	QueryTimeout string `json:"queryTimeout" title:"Query timeout" description:"60s if empty." examples:"60s" group:"Requests"`
	// CustomQueryParameters go with every request, as in "a=1&b=2".
	CustomQueryParameters string `json:"customQueryParameters" title:"Query parameters" description:"Go with every request." examples:"max_source_resolution=5m&timeout=10" group:"Requests"`
	httpclient.Settings
}

// model is a query as Grafana saves it. What only editors need is ignored.
type model struct {
	Expr string `json:"expr" plugboard:"text" title:"PromQL" format:"multiline" language:"promql" options:"completions?before={before}" examples:"up\nrate(http_requests_total[$__rate_interval])"`
	// Range and Instant say what to ask; neither is a range.
	Range   bool `json:"range" title:"Range" description:"Over the time range; so it is if nothing is chosen."`
	Instant bool `json:"instant" title:"Instant" description:"At the end of the time range."`
	// Exemplar asks for exemplars too.
	Exemplar bool `json:"exemplar" title:"Exemplars" description:"Samples of what was counted, too."`
	// Format is time_series (default), table or heatmap.
	Format string `json:"format" title:"Format" enum:"time_series,table,heatmap" default:"time_series"`
	// LegendFormat names the series, as in "{{instance}}".
	LegendFormat string `json:"legendFormat" title:"Legend" examples:"{{instance}}"`
	// Interval is the smallest step, as in "30s", or $__interval or
	// $__rate_interval.
	Interval       string  `json:"interval" title:"Smallest step" examples:"30s\n$__rate_interval" group:"Step"`
	IntervalFactor int64   `json:"intervalFactor" title:"Step factor" group:"Step"`
	IntervalMS     float64 `json:"intervalMs" title:"Interval" description:"Of the graph, in milliseconds; the host says it." group:"Step"`
	UTCOffsetSec   int64   `json:"utcOffsetSec" title:"UTC offset" description:"In seconds: days begin there." group:"Step"`
}

// source is one data source.
type source struct {
	*server
	timeInterval string
}

func open(_ context.Context, s plugin.Settings[settings]) (*source, error) {
	server, err := newServer(s)
	if err != nil {
		return nil, err
	}
	if s.Values.TimeInterval != "" {
		if _, err := parseInterval(s.Values.TimeInterval); err != nil {
			return nil, plugin.BadRequest("settings: jsonData.timeInterval: %w", err)
		}
	}
	return &source{server, s.Values.TimeInterval}, nil
}

// Close closes the connections.
func (s *source) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// Query asks for the instant, the range and the exemplars, as the query says.
func (s *source) Query(ctx context.Context, q plugin.Query[model]) (frame.Frames, error) {
	if strings.TrimSpace(q.Model.Expr) == "" {
		return nil, plugin.BadRequest("query: expr is missing")
	}
	question, err := newQuestion(q, s.timeInterval)
	if err != nil {
		return nil, plugin.BadRequest("query: %w", err)
	}
	var frames frame.Frames
	if q.Model.Instant {
		answer, err := s.instant(ctx, question)
		if err != nil {
			return nil, err
		}
		frames = append(frames, answer...)
	}
	if q.Model.Range || !q.Model.Instant { // old dashboards say neither
		answer, err := s.rangeOf(ctx, question)
		if err != nil {
			return nil, err
		}
		frames = append(frames, answer...)
	}
	if q.Model.Exemplar && plugin.HeadersFrom(ctx)["FromAlert"] != "true" {
		frames, err = s.addExemplars(ctx, question, frames)
	}
	return frames, err
}

// instant asks for the values at the end of the time range.
func (s *source) instant(ctx context.Context, q *question) (frame.Frames, error) {
	answer, err := s.ask(ctx, "api/v1/query", q.instantForm())
	if err != nil {
		return nil, err
	}
	return q.frames(ctx, answer), nil
}

func (s *source) rangeOf(ctx context.Context, q *question) (frame.Frames, error) {
	answer, err := s.ask(ctx, "api/v1/query_range", q.rangeForm())
	if err != nil {
		return nil, err
	}
	return q.frames(ctx, answer), nil
}

// addExemplars adds a frame of exemplars. Without them the answer is still one:
// not every server keeps any, so a failure is but a notice.
func (s *source) addExemplars(ctx context.Context, q *question, frames frame.Frames) (frame.Frames, error) {
	answer, err := s.ask(ctx, "api/v1/query_exemplars", q.exemplarForm())
	switch {
	case errors.Is(err, context.Canceled):
		return nil, err
	case err != nil && len(frames) > 0:
		meta := frames[0].Meta
		meta.Notices = append(meta.Notices, frame.Notice{Severity: frame.Warning, Text: "no exemplars: " + err.Error()})
		return frames, nil
	case err != nil:
		return nil, err
	}
	if sampled := sample(answer.exemplars, q); sampled != nil {
		frames = append(frames, sampled)
	}
	return frames, nil
}

// CheckHealth asks for a sum, as Grafana does.
func (s *source) CheckHealth(ctx context.Context) (plugin.Health, error) {
	_, err := s.ask(ctx, "api/v1/query", form{"query": "1+1", "time": "4"})
	if err != nil {
		return plugin.Health{Status: plugin.HealthError, Message: err.Error() + " - There was an error returned querying the Prometheus API."}, nil
	}
	return plugin.Health{
		Status:  plugin.HealthOK,
		Message: "Successfully queried the Prometheus API.",
		Details: s.build(ctx),
	}, nil
}

// ServeHTTP passes on what editors complete names with.
func (s *source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := s.pass(w, r); err != nil {
		status := http.StatusBadGateway
		if failure, ok := errors.AsType[*plugin.Error](err); ok {
			status = failure.Status
		}
		http.Error(w, err.Error(), status)
	}
}
