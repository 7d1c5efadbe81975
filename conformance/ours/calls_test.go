package ours

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/plugboard/plugboard/conformance/official"
)

func TestCheckHealth(t *testing.T) {
	h := startEverything(t)
	for settings, want := range map[string]string{
		`{"city":"Seattle"}`:  `OK it rains in Seattle {"mm":3}`,
		`{"city":"Atlantis"}`: "ERROR no such city ",
		`{"city":7}`:          "ERROR settings: city: want a string, have number ",
		`{"city":`:            "ERROR settings: unexpected end of JSON input ",
	} {
		r, err := h.Diagnostics.CheckHealth(t.Context(), &pluginv2.CheckHealthRequest{PluginContext: backend.ToProto().PluginContext(with(settings))})
		if err != nil {
			t.Fatal(err)
		}
		health := backend.FromProto().CheckHealthResponse(r)
		if got := fmt.Sprintf("%s %s %s", health.Status, health.Message, health.JSONDetails); got != want {
			t.Errorf("%s: got %q, want %q", settings, got, want)
		}
	}
}

func TestCollectMetrics(t *testing.T) {
	h := startEverything(t)
	queryData(t, h, &backend.QueryDataRequest{PluginContext: seattle(), Queries: []backend.DataQuery{query("A", `{"do":"rows"}`)}})
	r, err := h.Diagnostics.CollectMetrics(t.Context(), &pluginv2.CollectMetricsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`everything_asked_total{datasource_uid="rain"} 1`, "go_goroutines ", "process_start_time_seconds ",
		`grafana_plugin_request_total{endpoint="queryData",status="ok",status_source="plugin"} 1`,
		`grafana_plugin_request_duration_seconds_count{endpoint="queryData",status="ok",status_source="plugin"} 1`, "plugins_active_instances 1",
	} {
		if !strings.Contains(string(r.Metrics.Prometheus), want) {
			t.Errorf("no %s in\n%s", want, r.Metrics.Prometheus)
		}
	}
}

func callResource(t *testing.T, h *official.Client, c backend.PluginContext, url string) (first *backend.CallResourceResponse, bodies []string, err error) {
	t.Helper()
	path, _, _ := strings.Cut(url, "?")
	stream, err := h.Resource.CallResource(t.Context(), backend.ToProto().CallResourceRequest(&backend.CallResourceRequest{
		PluginContext: c, Path: path, URL: url, Method: http.MethodPut, Body: []byte("body"), Headers: map[string][]string{"X-In": {"in"}},
	}))
	if err != nil {
		t.Fatal(err)
	}
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return first, bodies, nil
		}
		if err != nil {
			return nil, nil, err
		}
		r := backend.FromProto().CallResourceResponse(message)
		if first == nil {
			first = r
		}
		bodies = append(bodies, string(r.Body))
	}
}

func TestCallResource(t *testing.T) {
	h := startEverything(t)
	first, bodies, err := callResource(t, h, seattle(), "a/b%20c?d=e")
	if err != nil || first.Status != 200 || fmt.Sprint(first.Headers["X-Two"]) != "[a b]" || fmt.Sprint(bodies) != "[PUT /a/b%20c?d=e in 4]" {
		t.Errorf("got %+v, %q, %v", first, bodies, err)
	}
	first, bodies, err = callResource(t, h, seattle(), "drip")
	if err != nil || first.Status != http.StatusAccepted || fmt.Sprint(bodies) != "[drop 0 drop 1 drop 2]" {
		t.Errorf("got %+v, %q, %v", first, bodies, err)
	}
	if _, _, err = callResource(t, h, seattle(), "panic"); status.Code(err) != codes.Unknown {
		t.Errorf("panic: %v", err)
	}
	if _, _, err = callResource(t, h, seattle(), "again"); err != nil {
		t.Errorf("after the panic: %v", err)
	}
}

func TestStreams(t *testing.T) {
	h := startEverything(t)
	c := backend.ToProto().PluginContext(seattle())
	for path, want := range map[string]pluginv2.SubscribeStreamResponse_Status{
		"count": pluginv2.SubscribeStreamResponse_OK, "private": pluginv2.SubscribeStreamResponse_PERMISSION_DENIED,
		"other": pluginv2.SubscribeStreamResponse_NOT_FOUND,
	} {
		r, err := h.Stream.SubscribeStream(t.Context(), &pluginv2.SubscribeStreamRequest{PluginContext: c, Path: path, Data: []byte(`1`)})
		if err != nil || r.Status != want {
			t.Errorf("%s: %v, %v", path, r, err)
		}
	}
	published, err := h.Stream.PublishStream(t.Context(), &pluginv2.PublishStreamRequest{PluginContext: c, Path: "count", Data: []byte(`{"a":1}`)})
	if err != nil || string(published.Data) != `{"a":1}` {
		t.Errorf("publish: %v, %v", published, err)
	}

	stream, err := h.Stream.RunStream(t.Context(), &pluginv2.RunStreamRequest{PluginContext: c, Path: "count"})
	if err != nil {
		t.Fatal(err)
	}
	var got *data.Frame
	for {
		packet, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if got == nil {
			got = &data.Frame{}
			err = got.UnmarshalJSON(packet.Data)
		} else {
			err = data.AppendJSONData(got, packet.Data)
		}
		if err != nil {
			t.Fatalf("%s: %v", packet.Data, err)
		}
	}
	checkRain(t, got, "", 3)
}

func TestAbsentServicesAreUnimplemented(t *testing.T) {
	h := start(t, exec.Command(buildHello(t)))
	c := backend.ToProto().PluginContext(seattle())
	_, health := h.Diagnostics.CheckHealth(t.Context(), &pluginv2.CheckHealthRequest{PluginContext: c})
	_, subscribe := h.Stream.SubscribeStream(t.Context(), &pluginv2.SubscribeStreamRequest{PluginContext: c})
	_, publish := h.Stream.PublishStream(t.Context(), &pluginv2.PublishStreamRequest{PluginContext: c})
	_, validate := h.Admission.ValidateAdmission(t.Context(), &pluginv2.AdmissionRequest{PluginContext: c})
	_, mutate := h.Admission.MutateAdmission(t.Context(), &pluginv2.AdmissionRequest{PluginContext: c})
	_, convert := h.Conversion.ConvertObjects(t.Context(), &pluginv2.ConversionRequest{PluginContext: c})
	_, _, resource := callResource(t, h, seattle(), "any")
	for call, err := range map[string]error{
		"health": health, "subscribe": subscribe, "publish": publish,
		"validate": validate, "mutate": mutate, "convert": convert, "resource": resource,
	} {
		if status.Code(err) != codes.Unimplemented {
			t.Errorf("%s: %v", call, err)
		}
	}
	run, err := h.Stream.RunStream(t.Context(), &pluginv2.RunStreamRequest{PluginContext: c})
	if err == nil {
		_, err = run.Recv()
	}
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("run: %v", err)
	}
	chunked, err := h.Data.QueryChunkedData(t.Context(), &pluginv2.QueryChunkedDataRequest{PluginContext: c})
	if err == nil {
		_, err = chunked.Recv()
	}
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("chunked: %v", err)
	}
}
