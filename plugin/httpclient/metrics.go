package httpclient

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are those of the requests. Names and labels are the official SDK's,
// so that dashboards fit.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	inFlight *prometheus.GaugeVec
	bytes    *prometheus.HistogramVec
	last     *prometheus.GaugeVec
}

const (
	labelType     = "datasource_type"
	labelCode     = "code"
	labelMethod   = "method"
	labelProxy    = "secure_socks_ds_proxy_enabled"
	labelEndpoint = "endpoint"
)

// of says what a request is made for.
type of struct {
	plugin, endpoint string
	proxied          string // "true" or "false"
}

// newMetrics registers the metrics, or takes those that another client of the
// same instance has registered.
func newMetrics(to prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "plugins_datasource_request_total",
			Help: "Outgoing requests by status code, and 0 where there was no answer.",
		}, []string{labelType, labelCode, labelMethod, labelProxy, labelEndpoint}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "plugins_datasource_request_duration_seconds",
			Help:    "Time from an outgoing request to the head of its answer.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 25, 50, 100},
		}, []string{labelType, labelCode, labelMethod, labelProxy, labelEndpoint}),
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "plugins_datasource_request_in_flight",
			Help: "Outgoing requests without an answer yet.",
		}, []string{labelType, labelProxy, labelEndpoint}),
		bytes: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "plugins_datasource_response_size_bytes",
			Help:    "Bytes read of the bodies of answers, decompressed.",
			Buckets: prometheus.ExponentialBuckets(128, 4, 13),
		}, []string{labelType, labelProxy, labelEndpoint}),
		last: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "plugins_datasource_response_size",
			Help: "Bytes read of the body of the last answer, decompressed.",
		}, []string{labelType, labelProxy, labelEndpoint}),
	}
	if to == nil {
		return m, nil
	}
	var errs [5]error
	m.requests, errs[0] = register(to, m.requests)
	m.seconds, errs[1] = register(to, m.seconds)
	m.inFlight, errs[2] = register(to, m.inFlight)
	m.bytes, errs[3] = register(to, m.bytes)
	m.last, errs[4] = register(to, m.last)
	return m, errors.Join(errs[:]...)
}

func register[C prometheus.Collector](to prometheus.Registerer, c C) (C, error) {
	err := to.Register(c)
	if have, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		if same, ok := have.ExistingCollector.(C); ok {
			return same, nil
		}
	}
	if err != nil {
		return c, fmt.Errorf("register the metrics of the HTTP client: %w", err)
	}
	return c, nil
}

// measure sends the request.
func (m *metrics) measure(r *http.Request, to of, next http.RoundTripper) (*http.Response, error) {
	flying := m.inFlight.WithLabelValues(to.plugin, to.proxied, to.endpoint)
	flying.Inc()
	defer flying.Dec()
	start := time.Now()
	response, err := next.RoundTrip(r)
	code := "0"
	if err == nil {
		code = strconv.Itoa(response.StatusCode)
	}
	method := methodLabel(r.Method)
	m.requests.WithLabelValues(to.plugin, code, method, to.proxied, to.endpoint).Inc()
	m.seconds.WithLabelValues(to.plugin, code, method, to.proxied, to.endpoint).Observe(time.Since(start).Seconds())
	return response, err
}

// methodLabel keeps made-up methods from making metrics without end.
func methodLabel(method string) string {
	switch method {
	case "":
		return "get"
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE":
		return strings.ToLower(method)
	}
	return "unknown"
}

func (m *metrics) received(to of, n int64) {
	m.bytes.WithLabelValues(to.plugin, to.proxied, to.endpoint).Observe(float64(n))
	m.last.WithLabelValues(to.plugin, to.proxied, to.endpoint).Set(float64(n))
}
