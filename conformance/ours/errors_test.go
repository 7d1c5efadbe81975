package ours

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
)

// TestErrorsOfQueries: status and source as Grafana counts and shows them.
func TestErrorsOfQueries(t *testing.T) {
	h := startEverything(t)
	const plugin, downstream = backend.ErrorSourcePlugin, backend.ErrorSourceDownstream
	for model, want := range map[string]struct {
		status  backend.Status
		source  backend.ErrorSource
		message string
	}{
		`{"do":"network"}`:           {502, downstream, "ask: dial tcp 127.0.0.1:1: connect: connection refused"},
		`{"do":"status","rows":403}`: {403, downstream, "as ordered"},
		`{"do":"status","rows":501}`: {501, plugin, "as ordered"},
		`{"do":"status","rows":777}`: {500, downstream, "as ordered"},
		`{"do":"panic"}`:             {500, plugin, "the plugin panicked: as ordered"},
		`{"do":"who","unit":"ell"}`:  {400, downstream, `query: unit: want one of mm, inch, have "ell"`},
	} {
		responses := queryData(t, h, &backend.QueryDataRequest{PluginContext: seattle(), Queries: []backend.DataQuery{query("A", model), query("B", `{"do":"rows"}`)}})
		r := responses["A"]
		if r.Status != want.status || r.ErrorSource != want.source || fmt.Sprint(r.Error) != want.message {
			t.Errorf("%s: got %d, %s, %v", model, r.Status, r.ErrorSource, r.Error)
		}
		// What Grafana's own SDK makes of the status agrees, where the status is all there is.
		if want.message == "as ordered" && want.status != 500 && backend.ErrorSourceFromHTTPStatus(int(want.status)) != want.source {
			t.Errorf("%s: they say %s", model, backend.ErrorSourceFromHTTPStatus(int(want.status)))
		}
		if b := responses["B"]; b.Status != 200 || b.Error != nil {
			t.Errorf("%s: B: %+v", model, b)
		}
	}
}

// TestStatusesBothSides compares the source of every status.
func TestStatusesBothSides(t *testing.T) {
	h := startEverything(t)
	for status := 400; status < 600; status++ {
		r := queryData(t, h, &backend.QueryDataRequest{PluginContext: seattle(), Queries: []backend.DataQuery{
			query("A", fmt.Sprintf(`{"do":"status","rows":%d}`, status)),
		}})["A"]
		if want := backend.ErrorSourceFromHTTPStatus(status); r.ErrorSource != want || int(r.Status) != status {
			t.Errorf("%d: got %d, %s, want %s", status, r.Status, r.ErrorSource, want)
		}
	}
}

func TestErrorsOfResources(t *testing.T) {
	h := startEverything(t)
	first, bodies, err := callResource(t, h, seattle(), "denied")
	if err != nil || first.Status != 403 || first.Headers["Content-Type"][0] != "application/json" ||
		fmt.Sprint(bodies) != `[{"errorSource":"downstream","message":"not for ada"}]` {
		t.Errorf("got %+v, %s, %v", first, bodies, err)
	}
}

// TestErrorsOfWholeCalls: the source travels in the details of the status.
func TestErrorsOfWholeCalls(t *testing.T) {
	h := startEverything(t)
	for path, want := range map[string]backend.ErrorSource{"denied": backend.ErrorSourceDownstream, "panic": backend.ErrorSourcePlugin} {
		stream, err := h.Stream.RunStream(t.Context(), &pluginv2.RunStreamRequest{PluginContext: backend.ToProto().PluginContext(seattle()), Path: path})
		if err == nil {
			_, err = stream.Recv()
		}
		source, told := backend.ErrorSourceFromGrpcStatusError(t.Context(), err)
		if !told || source != want {
			t.Errorf("%s: %v: %s, %v", path, err, source, told)
		}
	}
}

// TestPanicInChunks: the other query of the request goes on, and the plugin.
func TestPanicInChunks(t *testing.T) {
	h := startEverything(t)
	req := backend.ToProto().QueryDataRequest(&backend.QueryDataRequest{PluginContext: seattle(), Queries: []backend.DataQuery{
		query("A", `{"do":"panic"}`), query("B", `{"rows":2}`),
	}})
	for range 2 {
		stream, err := h.Data.QueryChunkedData(t.Context(), &pluginv2.QueryChunkedDataRequest{PluginContext: req.PluginContext, Queries: req.Queries})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for {
			chunk, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got[fmt.Sprint(chunk.RefId, " ", chunk.Status, " ", chunk.ErrorSource, " ", chunk.Error)]++
		}
		if want := "map[A 500 plugin the plugin panicked: as ordered:1 B 200  :2]"; fmt.Sprint(got) != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
}
