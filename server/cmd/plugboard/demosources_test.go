package main

import (
	"testing"

	"github.com/plugboard/plugboard/host"
)

func TestDemoSources(t *testing.T) {
	var plugins []host.Plugin
	for _, id := range []string{
		"plugboard-foreign-datasource", "myorg-weather-datasource", "prometheus", "odd.id-datasource",
		"a-twin-datasource", "b-twin-datasource", "x-seattle-datasource", "grafana-x-y-datasource",
	} {
		plugins = append(plugins, host.Plugin{Manifest: host.Manifest{ID: id, Name: "Weather in Seattle", Type: "datasource", Backend: true}, Dir: "/plugins/" + id})
	}
	plugins = append(plugins,
		host.Plugin{Manifest: host.Manifest{ID: "sql", Type: "datasource", Backend: true}},
		host.Plugin{Manifest: host.Manifest{ID: "a-b-app", Type: "app", Backend: true}, Dir: "/plugins/a"},
		host.Plugin{Manifest: host.Manifest{ID: "a-browser-datasource", Type: "datasource"}, Dir: "/plugins/b"})

	sources, err := demoSources("http://127.0.0.1:3030", "/data", plugins)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"seattle", "vitals", "testdata", "foreign", "weather", "prometheus", "odd-id",
		"a-twin-datasource", "b-twin-datasource", "x-seattle-datasource", "x-y",
	}
	for i, source := range sources {
		if i >= len(want) || source.UID != want[i] {
			t.Errorf("source %d: %s of %s", i, source.UID, source.Type)
		}
	}
	names := map[string]bool{}
	for _, source := range sources {
		if names[source.Name] {
			t.Errorf("two data sources are named %q", source.Name)
		}
		names[source.Name] = true
	}
	if len(sources) != len(want) {
		t.Errorf("%d sources, want %d", len(sources), len(want))
	}
}
