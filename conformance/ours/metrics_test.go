package ours

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/config"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	prom "github.com/prometheus/common/model"

	"github.com/plugboard/plugboard/conformance/official"
	"github.com/plugboard/plugboard/internal/sockstest"
)

// TestMetricNames asks a plugin of each kind the same, through the host's
// secure SOCKS proxy, and compares what Grafana's dashboards look at: names,
// types and labels of the metrics about calls, instances and requests.
func TestMetricNames(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(tell))
	defer api.Close()
	proxy := sockstest.Start(t)
	var families [2]map[string]*dto.MetricFamily
	for i, h := range []*official.Client{startTheirs(t), startEverything(t)} {
		c := seattle()
		c.PluginID = "everything"
		c.GrafanaConfig = config.NewGrafanaCfg(proxy.Config())
		c.DataSourceInstanceSettings.URL = api.URL
		c.DataSourceInstanceSettings.JSONData = []byte(`{"enableSecureSocksProxy":true}`)
		c.DataSourceInstanceSettings.DecryptedSecureJSONData = map[string]string{"secureSocksProxyPassword": "pw"}
		answer := queryData(t, h, &backend.QueryDataRequest{PluginContext: c, Queries: []backend.DataQuery{query("A", `{"do":"fetch","mode":"fetch"}`)}})["A"]
		if answer.Error != nil {
			t.Fatal(answer.Error)
		}
		if seen := proxy.Seen(); len(seen) != 1 || seen[0] != "rain:pw -> "+strings.TrimPrefix(api.URL, "http://") {
			t.Errorf("plugin %d: the proxy saw %q", i, seen)
		}
		r, err := h.Diagnostics.CollectMetrics(t.Context(), &pluginv2.CollectMetricsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		parser := expfmt.NewTextParser(prom.LegacyValidation)
		if families[i], err = parser.TextToMetricFamilies(bytes.NewReader(r.Metrics.Prometheus)); err != nil {
			t.Fatal(err)
		}
	}
	compared := 0
	for name, theirs := range families[0] {
		if !strings.HasPrefix(name, "grafana_plugin_") && !strings.HasPrefix(name, "plugins_") {
			continue
		}
		compared++
		ours, ok := families[1][name]
		if !ok {
			t.Errorf("no %s", name)
			continue
		}
		want, got := series(theirs), series(ours)
		if ours.GetType() != theirs.GetType() || !slices.Equal(want, got) {
			t.Errorf("%s: theirs is a %v of %q, ours a %v of %q", name, theirs.GetType(), want, ours.GetType(), got)
		}
	}
	if compared < 7 {
		t.Errorf("%d metrics compared", compared)
	}
}

// series returns the labels of a family's metrics, but for what we add and for
// what the plugin is called.
func series(family *dto.MetricFamily) []string {
	var all []string
	for _, metric := range family.Metric {
		var labels []string
		for _, pair := range metric.Label {
			if pair.GetName() != "datasource_uid" {
				labels = append(labels, pair.GetName()+"="+pair.GetValue())
			}
		}
		slices.Sort(labels)
		all = append(all, strings.Join(labels, ","))
	}
	slices.Sort(all)
	return all
}
