package plugin

import (
	"bytes"
	"context"
	"errors"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"
)

// metrics is what every plugin measures of itself. Names and labels are those
// of the official SDK, so that dashboards for plugins fit.
type metrics struct {
	registry *prometheus.Registry
	calls    *prometheus.CounterVec
}

func newMetrics(instances func() float64) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "grafana_plugin_request_total",
			Help: "Calls of the plugin by endpoint, outcome and whose fault a failure was.",
		}, []string{"endpoint", "status", "status_source"}),
	}
	m.registry.MustRegister(
		m.calls,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "plugins_active_instances",
			Help: "Instances that are not closed yet.",
		}, instances),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// count counts a call that ended with err.
func (m *metrics) count(endpoint string, err error) {
	outcome := "ok"
	switch {
	case errors.Is(err, context.Canceled):
		outcome = "cancelled"
	case err != nil:
		outcome = "error"
	}
	m.calls.WithLabelValues(endpoint, outcome, string(failureOf(err).Source)).Inc()
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
		labels[keyDataSource] = c.DataSource.UID
	}
	if c.OrgID > 1 {
		labels[keyOrg] = strconv.FormatInt(c.OrgID, 10)
	}
	if c.Namespace != "" && c.Namespace != "default" {
		labels[keyNamespace] = c.Namespace
	}
	return labels
}
