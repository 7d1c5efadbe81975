package httpclient

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plugboard/plugboard/plugin"
)

func TestMetrics(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(echo))
	defer server.Close()
	registry := prometheus.NewRegistry()
	to := prometheus.WrapRegistererWith(prometheus.Labels{"uid": "u"}, registry)
	for range 2 { // two clients of one instance share them
		client, err := New(plugin.Settings[none]{Metrics: to})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := get(t, client, server.URL); err != nil {
			t.Fatal(err)
		}
		client.CloseIdleConnections()
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.Metric {
			got[family.GetName()] += metric.GetCounter().GetValue() + float64(metric.GetHistogram().GetSampleCount())
		}
	}
	want := map[string]float64{
		"plugins_datasource_request_total": 2, "plugins_datasource_request_duration_seconds": 2,
		"plugins_datasource_request_in_flight": 0, "plugins_datasource_response_size_bytes": 2, "plugins_datasource_response_size": 0,
	}
	for name, value := range want {
		if have, ok := got[name]; !ok || have != value {
			t.Errorf("%s is %v, want %v", name, have, value)
		}
	}
}

// TestPool checks that connections are used again, and closed with the
// instance.
func TestPool(t *testing.T) {
	var opened atomic.Int32
	closed := make(chan struct{}, 10)
	server := httptest.NewUnstartedServer(http.HandlerFunc(echo))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			opened.Add(1)
		case http.StateClosed:
			closed <- struct{}{}
		}
	}
	server.Start()
	defer server.Close()
	client := clientOf(t, plugin.DataSourceSettings{})
	for range 5 {
		echoed(t, client, server.URL)
	}
	if opened.Load() != 1 {
		t.Errorf("%d connections for five requests in a row", opened.Load())
	}
	client.CloseIdleConnections()
	<-closed
}
