package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

func TestCheckHealth(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(openEverything))
	for settings, want := range map[string]string{
		`{}`:                      "OK fine ",
		`{"prefix":"sick"}`:       `ERROR not well {"since":"yesterday"}`,
		`{"prefix":"panic"}`:      "ERROR the plugin panicked: as ordered ",
		`{"fail":"no bucket"}`:    "ERROR no bucket ",
		`{"prefix":{"is":"odd"}}`: "ERROR settings: prefix: want a string, have object ",
	} {
		h, err := client.CheckHealth(t.Context(), &plugin.HealthRequest{Context: source(settings)})
		if got := fmt.Sprintf("%s %s %s", h.Status, h.Message, h.Details); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", settings, got, err, want)
		}
	}
}

func TestResource(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(openEverything))
	call := func(path, query string) (status int, header http.Header, bodies []string, err error) {
		url := path
		if query != "" {
			url += "?" + query
		}
		err = client.CallResource(t.Context(), &plugin.ResourceRequest{
			Context: source(`{}`), Path: path, URL: url, Method: "PATCH", Header: http.Header{"X-Trace": {"t1"}},
		}, func(r plugin.ResourceResponse) error {
			if status == 0 {
				status, header = r.Status, r.Header
			}
			bodies = append(bodies, string(r.Body))
			return nil
		})
		return status, header, bodies, err
	}

	status, header, bodies, err := call("echo", "a=b%20c")
	if err != nil || status != http.StatusTeapot || header.Get("X-Method") != "PATCH" || fmt.Sprint(bodies) != "[a=b%20c t1 ada]" {
		t.Errorf("echo: %d %v %q %v", status, header, bodies, err)
	}
	status, header, bodies, err = call("drip", "")
	if err != nil || status != 200 || len(bodies) != 3 || header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("drip: %d %v %q %v", status, header, bodies, err)
	}
	_, _, bodies, err = call("large", "")
	if got := len(strings.Join(bodies, "")); err != nil || got != 1<<20 {
		t.Errorf("large: %d bytes, %v", got, err)
	}
	status, _, bodies, err = call("nothing", "")
	if err != nil || status != 200 || fmt.Sprint(bodies) != "[]" {
		t.Errorf("nothing: %d %q %v", status, bodies, err)
	}
	_, _, _, err = call("panic", "")
	if failure, ok := errors.AsType[*plugin.Error](err); !ok || failure.Message != "the plugin panicked: as ordered" {
		t.Errorf("panic: %v", err)
	}
	if status, _, _, err = call("/elsewhere", ""); err != nil || status != http.StatusNotFound {
		t.Errorf("after the panic: %d %v", status, err)
	}
}

// HTTP allows bytes in a header that the wire, which has text only, does not.
func TestHeaderThatIsNotText(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(openEverything))
	var body string
	err := client.CallResource(t.Context(), &plugin.ResourceRequest{
		Context: source(`{}`), Path: "echo", URL: "echo", Method: "PATCH", Header: http.Header{"X-Trace": {"caf\xe9"}},
	}, func(r plugin.ResourceResponse) error { body += string(r.Body); return nil })
	if err != nil || !strings.Contains(body, "caf\uFFFD") {
		t.Errorf("%q, %v", body, err)
	}
}

func TestErrorsOfWholeCallsKeepSourceAndStatus(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(openEverything))
	err := client.CallResource(t.Context(), &plugin.ResourceRequest{Context: source(`{"url":1}`)}, nil)
	failure, ok := errors.AsType[*plugin.Error](err)
	if !ok || failure.Source != plugin.SourceDownstream || failure.Status != http.StatusBadRequest {
		t.Errorf("got %#v", err)
	}
}

func TestSubscribeAndPublish(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(openEverything))
	for path, want := range map[string]plugin.StreamStatus{"open": plugin.StreamOK, "secret": plugin.StreamPermissionDenied} {
		reply, err := client.Subscribe(t.Context(), &plugin.StreamRequest{Context: source(`{}`), Path: path, Data: []byte(`{"a":1}`)})
		if err != nil || reply.Status != want || (want == plugin.StreamOK) != (string(reply.Data) == `{"a":1}`) {
			t.Errorf("%s: %+v, %v", path, reply, err)
		}
	}
	reply, err := client.Publish(t.Context(), &plugin.StreamRequest{Context: source(`{}`), Path: "open", Data: []byte(`2`)})
	if err != nil || string(reply.Data) != `2` {
		t.Errorf("publish: %+v, %v", reply, err)
	}
	if _, err := client.Subscribe(t.Context(), &plugin.StreamRequest{Context: source(`{}`), Path: "panic"}); err == nil {
		t.Error("a panic is no error")
	}
}

func TestRunStream(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(openEverything))
	run := func(path string) (packets []string, err error) {
		err = client.RunStream(t.Context(), &plugin.StreamRequest{Context: source(`{}`), Path: path}, func(packet []byte) error {
			packets = append(packets, string(packet))
			return nil
		})
		return packets, err
	}

	packets, err := run("count/")
	want := []string{
		`{"schema":{"name":"count","fields":[{"name":"n","type":"number","typeInfo":{"frame":"int64"}}]},"data":{"values":[[0]]}}`,
		`{"data":{"values":[[1]]}}`,
		`{"data":{"values":[[2]]}}`,
		`{"schema":{"name":"count","fields":[{"name":"n","type":"string","typeInfo":{"frame":"string"}}]},"data":{"values":[["done"]]}}`,
	}
	if err != nil || fmt.Sprint(packets) != fmt.Sprint(want) {
		t.Errorf("count: %v, %v", packets, err)
	}
	if packets, err = run("json"); err != nil || fmt.Sprint(packets) != `[{"free":true}]` {
		t.Errorf("json: %v, %v", packets, err)
	}
	if _, err = run("count"); err == nil || err.Error() != `no channel "count"` {
		t.Errorf("the path was tampered with: %v", err)
	}
	_, err = run("timeout")
	if failure, ok := errors.AsType[*plugin.Error](err); !ok || failure.Status != http.StatusGatewayTimeout || failure.Source != plugin.SourceDownstream {
		t.Errorf("a time limit of the plugin's own is not that of the call: %v", err)
	}
	if _, err = run("panic"); err == nil || err.Error() != "the plugin panicked: as ordered" {
		t.Errorf("panic: %v", err)
	}
}

// TestLateSubscriber: the channel runs already, and its schema has gone by.
func TestLateSubscriber(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(openEverything))
	subscribe := func(data string) string {
		reply, err := client.Subscribe(t.Context(), &plugin.StreamRequest{Context: source(`{}`), Path: "latest", Data: []byte(data)})
		if err != nil {
			t.Error(err)
		}
		return string(reply.Data)
	}
	if got := subscribe(""); got != "" {
		t.Errorf("before the stream: %s", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := client.RunStream(ctx, &plugin.StreamRequest{Context: source(`{}`), Path: "latest"}, func(packet []byte) error {
		if string(packet) != `{"data":{"values":[[2]]}}` {
			return nil
		}
		const want = `{"schema":{"name":"count","fields":[{"name":"n","type":"number","typeInfo":{"frame":"int64"}}]},"data":{"values":[[2]]}}`
		if got := subscribe(""); got != want {
			t.Errorf("while it runs: %s", got)
		}
		if got := subscribe(`"the author's own"`); got != `"the author's own"` {
			t.Errorf("the author's answer became %s", got)
		}
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the stream ended with %v", err)
	}
}

func TestStreamEndsWhenSettingsChange(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(openEverything))
	err := client.RunStream(t.Context(), &plugin.StreamRequest{Context: source(`{}`), Path: "forever"}, func([]byte) error {
		_, err := client.CheckHealth(t.Context(), &plugin.HealthRequest{Context: source(`{"prefix":"new"}`)})
		return err
	})
	if err == nil || err.Error() != "the settings have changed" {
		t.Errorf("got %v", err)
	}
}

func TestListenerWhoLeavesEndsTheStream(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(openEverything))
	ctx, cancel := context.WithCancel(t.Context())
	err := client.RunStream(ctx, &plugin.StreamRequest{Context: source(`{}`), Path: "forever"}, func([]byte) error {
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestMetrics(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(openEverything))
	two := source(`{}`)
	two.DataSource.UID, two.DataSource.ID = "two", 2
	for _, c := range []plugin.Context{source(`{}`), source(`{"prefix":"new"}`), two} {
		_, err := client.Query(t.Context(), &plugin.QueryRequest{Context: c, Queries: []plugin.DataQuery{
			query("A", `{}`), query("B", `{"do":"downstream"}`),
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	text, err := client.Metrics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`everything_asked_total{datasource_uid="one"} 2`,
		`everything_asked_total{datasource_uid="two"} 2`,
		`grafana_plugin_request_total{endpoint="queryData",status="error",status_source="downstream"} 3`,
		`grafana_plugin_request_duration_seconds_count{endpoint="queryData",status="error",status_source="downstream"} 3`,
		"\ngo_goroutines ",
		"\nplugins_active_instances ",
		"\nplugboard_stream_dropped_total 0",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

// eventually waits for what another process, or the network, does.
func eventually(t *testing.T, what string, happens func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !happens(); <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no %s", what)
		}
	}
}
