package main

import (
	"fmt"
	"testing"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/host/hosttest"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

// TestHello runs the plugin inside the test.
func TestHello(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(open))
	response, err := client.Query(t.Context(), &plugin.QueryRequest{
		Context: plugin.Context{DataSource: &plugin.DataSourceSettings{UID: "hi", JSON: []byte(`{"greeting":"hello"}`)}},
		Queries: []plugin.DataQuery{{RefID: "A", JSON: []byte(`{"name":"world"}`)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	a := response.Responses["A"]
	if a.Error != "" {
		t.Fatal(a.Error)
	}
	f, err := frame.UnmarshalArrow(a.Frames[0])
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(f.Fields[0].At(0)); got != "hello world" || f.RefID != "A" {
		t.Errorf("got %q with ref id %q", got, f.RefID)
	}
}

// TestProcess runs it as a host does.
func TestProcess(t *testing.T) {
	p := hosttest.Run(t, ".", plugin.Context{DataSource: &plugin.DataSourceSettings{UID: "hi", JSON: []byte(`{"greeting":"hello"}`)}})
	frames, err := p.Query(`{"name":"world"}`)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := frame.Value[string](frames[0].Field("greeting"), 0); got != "hello world" {
		t.Errorf("got %q", got)
	}
}

// TestSuite checks what every plugin should do.
func TestSuite(t *testing.T) {
	plugintest.Suite(t, plugin.DataSource(open), plugintest.Subject{
		Context: plugin.Context{DataSource: &plugin.DataSourceSettings{UID: "hi", JSON: []byte(`{"greeting":"hello"}`)}},
		Query:   `{"name":"world"}`,
	})
}
