package plugin

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"
)

// metrics is what every plugin measures of itself. Names and labels are those
// of the official SDK, so that dashboards for plugins fit.
type metrics struct {
	registry *prometheus.Registry
	calls    *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	dropped  prometheus.Counter // packets of streams
	// ended finds those of a call's end, by endpoint.
	ended map[string]*[outcomes]atomic.Pointer[endMetrics]
}

// endMetrics are what one way for a call to end is counted in.
type endMetrics struct {
	calls   prometheus.Counter
	seconds prometheus.Observer
}

// endpoints are the calls that are counted, by their names in metrics.
var endpoints = [...]string{
	"queryData", "queryChunkedData", "checkHealth", "callResource", "subscribeStream", "publishStream", "runStream",
}

// outcome is how a call ended: how well, and whose fault it was.
type outcome int

const outcomes = 6

func outcomeOf(err error) outcome {
	if err == nil {
		return 0
	}
	how := outcome(2)
	if errors.Is(err, context.Canceled) {
		how = 1
	}
	if failureOf(err).Source == SourceDownstream {
		how += outcomes / 2
	}
	return how
}

func (o outcome) status() string { return [...]string{"ok", "cancelled", "error"}[o%(outcomes/2)] }

func (o outcome) source() ErrorSource {
	return [...]ErrorSource{SourcePlugin, SourceDownstream}[o/(outcomes/2)]
}

func newMetrics(instances *instances) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "grafana_plugin_request_total",
			Help: "Calls of the plugin by endpoint, outcome and whose fault a failure was.",
		}, []string{"endpoint", "status", "status_source"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "grafana_plugin_request_duration_seconds",
			Help:    "How long the plugin took to answer its calls. A stream's call lasts as long as the stream.",
			Buckets: []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"endpoint", "status", "status_source"}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "plugboard_stream_dropped_total",
			Help: "Packets of streams that gave way to newer ones because the host was slow.",
		}),
		ended: map[string]*[outcomes]atomic.Pointer[endMetrics]{},
	}
	for _, endpoint := range endpoints {
		m.ended[endpoint] = &[outcomes]atomic.Pointer[endMetrics]{}
	}
	m.registry.MustRegister(
		m.calls, m.seconds, m.dropped,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "plugins_active_instances",
			Help: "Instances that are not closed yet.",
		}, instances.count),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "plugins_datasource_instances_total",
			Help: "Instances that were opened, ever.",
		}, instances.everOpened),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// count counts a call that ended with err.
func (m *metrics) count(endpoint string, took time.Duration, err error) outcome {
	how := outcomeOf(err)
	place := &m.ended[endpoint][how]
	in := place.Load()
	if in == nil {
		labels := []string{endpoint, how.status(), string(how.source())}
		in = &endMetrics{m.calls.WithLabelValues(labels...), m.seconds.WithLabelValues(labels...)}
		place.Store(in) // should two do so, both are the same
	}
	in.calls.Inc()
	in.seconds.Observe(took.Seconds())
	return how
}

// text returns the plugin's metrics and those of its instances. An error does
// not mean that there is no text: it says what is not in it.
func (m *metrics) text(instances []prometheus.Gatherer) ([]byte, error) {
	families, gatherErr := append(prometheus.Gatherers{m.registry}, instances...).Gather()
	var text bytes.Buffer
	encoder := expfmt.NewEncoder(&text, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), gatherErr
}

// instanceLabels tell apart the metrics that instances of one plugin
// register.
func instanceLabels(c Context) prometheus.Labels {
	labels := prometheus.Labels{}
	if c.DataSource != nil {
		labels["datasource_uid"] = c.DataSource.UID
	}
	if c.OrgID > 1 {
		labels["org_id"] = strconv.FormatInt(c.OrgID, 10)
	}
	if c.Namespace != "" && c.Namespace != "default" {
		labels["namespace"] = c.Namespace
	}
	return labels
}
