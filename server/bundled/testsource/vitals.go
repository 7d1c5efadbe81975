package testsource

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	prommodel "github.com/prometheus/common/model"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

// vitals are what a server's metrics say at one time.
type vitals struct {
	at         time.Time
	cpuSeconds float64 // since it started
	memory     float64 // bytes
	requests   float64 // since it started
}

// The metrics they are read from.
const (
	metricCPU      = "process_cpu_seconds_total"
	metricMemory   = "process_resident_memory_bytes"
	metricRequests = "plugboard_http_requests_total"
)

// liveVitals reads the metrics at url one time after the other. CPU and
// requests are rates since the last time, so the first row has none.
func liveVitals(url string) func(context.Context) (*frame.Frame, error) {
	var last vitals
	return func(ctx context.Context) (*frame.Frame, error) {
		now, err := readVitals(ctx, url)
		if err != nil {
			return nil, err
		}
		defer func() { last = now }()
		return now.since(last), nil
	}
}

// vitals answers with one row: the rates are of one second, which it takes. The
// frame names the stream that goes on with it.
func (s *source) vitals(ctx context.Context, _ plugin.Query[model]) (*frame.Frame, error) {
	if s.url == "" {
		return nil, errNoServer
	}
	first, err := readVitals(ctx, s.url)
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(tick)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	second, err := readVitals(ctx, s.url)
	if err != nil {
		return nil, err
	}
	row := second.since(first)
	row.Meta = &frame.Meta{Channel: "ds/" + s.uid + "/" + channelVitals}
	return row, nil
}

// errNoServer refuses vitals of a data source that knows no server.
var errNoServer = plugin.BadRequest("vitals want the url of a server's metrics in the settings")

// since returns one row of vitals.
func (v vitals) since(last vitals) *frame.Frame {
	var cpu, requests *float64
	if seconds := v.at.Sub(last.at).Seconds(); !last.at.IsZero() && seconds > 0 {
		cpu = new(100 * (v.cpuSeconds - last.cpuSeconds) / seconds)
		requests = new((v.requests - last.requests) / seconds)
	}
	return frame.New("vitals",
		frame.NewField("time", nil, []time.Time{v.at}),
		withUnit("percent", frame.NewNullableField("cpu", nil, []*float64{cpu})),
		withUnit("bytes", frame.NewField("memory", nil, []float64{v.memory})),
		withUnit("reqps", frame.NewNullableField("requests", nil, []*float64{requests})))
}

func withUnit(unit string, field *frame.Field) *frame.Field {
	field.Config = &frame.Config{Unit: unit}
	return field
}

// vitalsTimeout bounds one reading: a server that takes longer is not well.
const vitalsTimeout = 5 * time.Second

// mostMetrics bounds what is read of a server's metrics, in bytes.
const mostMetrics = 16 << 20

// readVitals reads a server's metrics in Prometheus's text format.
func readVitals(ctx context.Context, url string) (vitals, error) {
	ctx, cancel := context.WithTimeout(ctx, vitalsTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return vitals{}, plugin.BadRequest("settings: url: %w", err)
	}
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		return vitals{}, plugin.Downstream(fmt.Errorf("read the metrics: %w", err))
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return vitals{}, plugin.Downstream(fmt.Errorf("read the metrics at %s: %s", url, response.Status))
	}
	return parseVitals(io.LimitReader(response.Body, mostMetrics), time.Now().Truncate(time.Millisecond))
}

func parseVitals(text io.Reader, at time.Time) (vitals, error) {
	parser := expfmt.NewTextParser(prommodel.UTF8Validation)
	families, err := parser.TextToMetricFamilies(text)
	if err != nil {
		return vitals{}, plugin.Downstream(fmt.Errorf("read the metrics: %w", err))
	}
	for _, name := range []string{metricCPU, metricMemory} {
		if families[name] == nil {
			return vitals{}, plugin.Downstream(fmt.Errorf("the metrics lack %s", name))
		}
	}
	return vitals{
		at:         at,
		cpuSeconds: sum(families[metricCPU]),
		memory:     sum(families[metricMemory]),
		requests:   sum(families[metricRequests]),
	}, nil
}

// sum adds up the counters and gauges of a family; nil has none.
func sum(family *dto.MetricFamily) (total float64) {
	for _, m := range family.GetMetric() {
		total += m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	return total
}
