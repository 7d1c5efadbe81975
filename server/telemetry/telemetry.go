// Package telemetry counts what the server and its plugins do, for Prometheus.
package telemetry

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
)

// Plugin is the state of one plugin at the moment of a scrape.
type Plugin struct {
	ID string
	// Up: its process runs and answers.
	Up bool
	// State is what it is doing; Entered counts how often it has begun to, for
	// every state that there is.
	State   string
	Entered map[string]int
	// Restarts counts since the server started.
	Restarts int
	// Exits counts the ends of its process that nobody had asked for, by how;
	// PeakRSS is the most memory that the last of those processes has had.
	Exits   map[string]int
	PeakRSS int64
	// Calls are under way, Waiting wait for their turn.
	Calls, Waiting int
}

// Telemetry counts calls to plugins. Its methods may be used from many
// goroutines.
type Telemetry struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	calls    *prometheus.CounterVec
	seconds  *prometheus.HistogramVec

	mu      sync.Mutex
	sources map[string]bool // that have a label of their own
}

// maxSources is how many data sources get labels of their own. The calls of
// any further ones are counted together, under otherSources.
const (
	maxSources   = 1000
	otherSources = "other"
)

// New registers the server's metrics with the registry: its Go runtime and
// process, HTTP requests, the calls to plugins, and the state of those that plugins lists.
func New(registry *prometheus.Registry, version string, plugins func() []Plugin) (*Telemetry, error) {
	t := &Telemetry{
		registry: registry,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "plugboard_http_requests_total",
			Help: "HTTP requests that were answered.",
		}, []string{"method", "code"}),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "plugboard_plugin_calls_total",
			Help: "Calls to plugins, by outcome: ok, error or cancelled.",
		}, []string{"plugin", "source", "endpoint", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "plugboard_plugin_call_duration_seconds",
			Help:    "How long calls to plugins took.",
			Buckets: []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"plugin", "source", "endpoint"}),
		sources: map[string]bool{},
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "plugboard_build_info", Help: "1, labelled by the version of the server.",
		ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	var errs []error
	for _, c := range []prometheus.Collector{
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		build, t.requests, t.calls, t.seconds, states(plugins),
	} {
		errs = append(errs, registry.Register(c))
	}
	return t, errors.Join(errs...)
}

// Handler serves the metrics.
func (t *Telemetry) Handler() http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{Registry: t.registry})
}

// Counting counts what next answers.
func (t *Telemetry) Counting(next http.Handler) http.Handler {
	return promhttp.InstrumentHandlerCounter(t.requests, next)
}

// Called counts one call to a plugin; source is the uid of the data source that
// was asked, empty for the plugin itself. No argument may be a client's
// invention: every new one is kept for ever.
func (t *Telemetry) Called(plugin, source, endpoint string, took time.Duration, err error) {
	source = t.sourceLabel(source)
	status := "ok"
	switch {
	case errors.Is(err, context.Canceled):
		status = "cancelled"
	case err != nil:
		status = "error"
	}
	t.calls.WithLabelValues(plugin, source, endpoint, status).Inc()
	t.seconds.WithLabelValues(plugin, source, endpoint).Observe(took.Seconds())
}

// Calls counts what a plugin was asked.
type Calls struct{ Made, Failed float64 }

// questions are the endpoints that ask a plugin something. The others look after
// its process.
var questions = map[string]bool{"query": true, "health": true, "resource": true, "subscribe": true, "publish": true}

// Calls returns how many calls each plugin has had so far, under the id or alias
// by which it was called. Those that were cancelled have not failed.
func (t *Telemetry) Calls() map[string]Calls {
	series := make(chan prometheus.Metric)
	go func() {
		t.calls.Collect(series)
		close(series)
	}()
	calls := map[string]Calls{}
	for one := range series {
		var m dto.Metric
		if one.Write(&m) != nil {
			continue // which does not happen to a counter
		}
		labels := map[string]string{}
		for _, label := range m.GetLabel() {
			labels[label.GetName()] = label.GetValue()
		}
		if !questions[labels["endpoint"]] {
			continue
		}
		of := calls[labels["plugin"]]
		of.Made += m.GetCounter().GetValue()
		if labels["status"] == "error" {
			of.Failed += m.GetCounter().GetValue()
		}
		calls[labels["plugin"]] = of
	}
	return calls
}

func (t *Telemetry) sourceLabel(source string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case source == "" || t.sources[source]:
		return source
	case len(t.sources) >= maxSources:
		return otherSources
	}
	t.sources[source] = true
	return source
}

// states collects the state of plugins at each scrape.
type states func() []Plugin

var (
	upDesc       = prometheus.NewDesc("plugboard_plugin_up", "1 if the plugin's process runs and answers.", []string{"plugin"}, nil)
	restartsDesc = prometheus.NewDesc("plugboard_plugin_restarts_total", "Times that the plugin's process was started again.", []string{"plugin"}, nil)
	stateDesc    = prometheus.NewDesc("plugboard_plugin_state", "1 for the state that the plugin is in.", []string{"plugin", "state"}, nil)
	enteredDesc  = prometheus.NewDesc("plugboard_plugin_transitions_total", "Times that the plugin has entered a state.", []string{"plugin", "state"}, nil)
	exitsDesc    = prometheus.NewDesc("plugboard_plugin_exits_total", "Times that the plugin's process has ended by itself, by how.", []string{"plugin", "how"}, nil)
	peakDesc     = prometheus.NewDesc("plugboard_plugin_exit_peak_rss_bytes", "The most resident memory in the life of the process that last ended by itself.", []string{"plugin"}, nil)
	callsDesc    = prometheus.NewDesc("plugboard_plugin_calls_in_flight", "Calls for queries and resources that the plugin is being asked.", []string{"plugin"}, nil)
	waitingDesc  = prometheus.NewDesc("plugboard_plugin_calls_waiting", "Calls that wait for their turn.", []string{"plugin"}, nil)
)

// Describe implements prometheus.Collector.
func (s states) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{upDesc, restartsDesc, stateDesc, enteredDesc, exitsDesc, peakDesc, callsDesc, waitingDesc} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (s states) Collect(metrics chan<- prometheus.Metric) {
	for _, p := range s() {
		metrics <- prometheus.MustNewConstMetric(upDesc, prometheus.GaugeValue, oneIf(p.Up), p.ID)
		metrics <- prometheus.MustNewConstMetric(restartsDesc, prometheus.CounterValue, float64(p.Restarts), p.ID)
		metrics <- prometheus.MustNewConstMetric(callsDesc, prometheus.GaugeValue, float64(p.Calls), p.ID)
		metrics <- prometheus.MustNewConstMetric(waitingDesc, prometheus.GaugeValue, float64(p.Waiting), p.ID)
		for how, times := range p.Exits {
			metrics <- prometheus.MustNewConstMetric(exitsDesc, prometheus.CounterValue, float64(times), p.ID, how)
		}
		if p.PeakRSS > 0 {
			metrics <- prometheus.MustNewConstMetric(peakDesc, prometheus.GaugeValue, float64(p.PeakRSS), p.ID)
		}
		for state, times := range p.Entered {
			metrics <- prometheus.MustNewConstMetric(stateDesc, prometheus.GaugeValue, oneIf(state == p.State), p.ID, state)
			metrics <- prometheus.MustNewConstMetric(enteredDesc, prometheus.CounterValue, float64(times), p.ID, state)
		}
	}
}

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
