package ours

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/experimental/datasourcetest"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/plugboard/plugboard/conformance/official"
)

func queryData(t *testing.T, h *official.Client, req *backend.QueryDataRequest) backend.Responses {
	t.Helper()
	answer, err := h.Data.QueryData(t.Context(), backend.ToProto().QueryDataRequest(req))
	if err != nil {
		t.Fatal(err)
	}
	response, err := backend.FromProto().QueryDataResponse(answer)
	if err != nil {
		t.Fatal(err)
	}
	return response.Responses
}

func query(refID, model string) backend.DataQuery {
	return backend.DataQuery{
		RefID: refID, QueryType: "rainfall", MaxDataPoints: 7, Interval: 15 * time.Second, JSON: []byte(model),
		TimeRange: backend.TimeRange{From: time.UnixMilli(1700000000001), To: time.UnixMilli(1700000060002)},
	}
}

func column(f *data.Frame) string {
	var values []string
	for i := range f.Rows() {
		values = append(values, fmt.Sprint(f.Fields[0].At(i)))
	}
	return strings.Join(values, "|")
}

func TestQueryData(t *testing.T) {
	h := startEverything(t)
	for _, format := range []backend.DataFrameFormat{backend.DataFrameFormat_ARROW, backend.DataFrameFormat_JSON} {
		req := &backend.QueryDataRequest{PluginContext: seattle(), Format: format, Headers: map[string]string{"FromAlert": "true"}, Queries: []backend.DataQuery{
			query("rows", `{"do":"rows","rows":3}`),
			query("who", `{"do":"who"}`),
			query("settings", `{"do":"settings"}`),
			query("query", `{"do":"query"}`),
			query("panic", `{"do":"panic"}`),
			query("downstream", `{"do":"downstream"}`),
			query("wrong", `{"do":"sing"}`),
			query("type", `{"do":3}`),
		}}
		req.SetHTTPHeader("Authorization", "Bearer b")
		req.SetHTTPHeader("X-Panel-Id", "4")
		responses := queryData(t, h, req)

		for refID, want := range map[string]string{
			"who":        "ada|everything|Grafana/12.1.0 (linux; amd64)|http://here|Bearer b|4|true",
			"settings":   "Seattle|http://rain|sesame|Rain|rain|3 true 1700000000123",
			"query":      "query|rainfall|15s|7|2023-11-14T22:13:20.001Z|2023-11-14T22:14:20.002Z",
			"downstream": "partial",
		} {
			r := responses[refID]
			if len(r.Frames) != 1 || column(r.Frames[0]) != want {
				t.Errorf("%v, %s: got %v, %v", format, refID, r.Frames, r.Error)
			} else if r.Frames[0].RefID != refID {
				t.Errorf("%v, %s: the frame has ref id %q", format, refID, r.Frames[0].RefID)
			}
		}
		for refID, want := range map[string]backend.DataResponse{
			"rows":       {Status: 200},
			"panic":      {Status: 500, Error: errors.New("the plugin panicked: as ordered"), ErrorSource: backend.ErrorSourcePlugin},
			"downstream": {Status: 502, Error: errors.New("no answer"), ErrorSource: backend.ErrorSourceDownstream},
			"wrong":      {Status: 400, Error: errors.New(`do "sing"`), ErrorSource: backend.ErrorSourceDownstream},
			"type":       {Status: 400, Error: errors.New("query: do: want a string, have number"), ErrorSource: backend.ErrorSourceDownstream},
		} {
			r := responses[refID]
			if r.Status != want.Status || fmt.Sprint(r.Error) != fmt.Sprint(want.Error) || r.ErrorSource != want.ErrorSource {
				t.Errorf("%v, %s: got %d, %v, %q", format, refID, r.Status, r.Error, r.ErrorSource)
			}
		}
		checkRain(t, responses["rows"].Frames[0], "rows", 3)
	}
}

// checkRain compares a frame with what the official SDK would have made.
func checkRain(t *testing.T, got *data.Frame, refID string, n int) {
	t.Helper()
	var times []time.Time
	var values []float64
	var names []string
	for i := range n {
		times, values, names = append(times, time.Unix(int64(i), 0).UTC()), append(values, float64(i)/2), append(names, fmt.Sprint("row ", i))
	}
	want := data.NewFrame("rain", data.NewField("time", nil, times),
		data.NewField("mm", data.Labels{"city": "Seattle"}, values), data.NewField("name", nil, names))
	want.RefID = refID
	a, errA := data.FrameToJSON(got, data.IncludeAll)
	b, errB := data.FrameToJSON(want, data.IncludeAll)
	if errA != nil || errB != nil || string(a) != string(b) {
		t.Errorf("got  %s, %v\nwant %s, %v", a, errA, b, errB)
	}
}

func TestQueryChunkedData(t *testing.T) {
	h := startEverything(t)
	for _, format := range []backend.DataFrameFormat{backend.DataFrameFormat_ARROW, backend.DataFrameFormat_JSON} {
		req := backend.ToProto().QueryDataRequest(&backend.QueryDataRequest{PluginContext: seattle(), Queries: []backend.DataQuery{
			query("A", `{"rows":5}`),
		}})
		stream, err := h.Data.QueryChunkedData(t.Context(), &pluginv2.QueryChunkedDataRequest{
			PluginContext: req.PluginContext, Queries: req.Queries, Format: pluginv2.DataFrameFormat(format),
		})
		if err != nil {
			t.Fatal(err)
		}
		pieces := 0
		chunks := func(yield func(*pluginv2.QueryChunkedDataResponse, error) bool) {
			for {
				chunk, err := stream.Recv()
				if errors.Is(err, io.EOF) || !yield(chunk, err) {
					return
				}
				pieces++
			}
		}
		accumulate := datasourcetest.AccumulateArrow
		if format == backend.DataFrameFormat_JSON {
			accumulate = datasourcetest.AccumulateJSON
		}
		response, err := accumulate(chunks)
		if err != nil {
			t.Fatal(err)
		}
		if r := response.Responses["A"]; pieces != 5 || len(r.Frames) != 1 || r.Status != 200 {
			t.Fatalf("%v: %d pieces of %d frames, status %d", format, pieces, len(r.Frames), r.Status)
		}
		checkRain(t, response.Responses["A"].Frames[0], "A", 5)
	}
}

func TestChunkErrors(t *testing.T) {
	h := startEverything(t)
	req := backend.ToProto().QueryDataRequest(&backend.QueryDataRequest{PluginContext: seattle(), Queries: []backend.DataQuery{
		query("A", `{"do":"panic"}`),
	}})
	stream, err := h.Data.QueryChunkedData(t.Context(), &pluginv2.QueryChunkedDataRequest{PluginContext: req.PluginContext, Queries: req.Queries})
	if err != nil {
		t.Fatal(err)
	}
	chunk, err := stream.Recv()
	if err != nil || chunk.RefId != "A" || chunk.Status != 500 || chunk.Error != "the plugin panicked: as ordered" {
		t.Errorf("got %v, %v", chunk, err)
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("then %v", err)
	}
}

func TestWrongSettings(t *testing.T) {
	h := startEverything(t)
	responses := queryData(t, h, &backend.QueryDataRequest{PluginContext: with(`{"city":"Atlantis"}`), Queries: []backend.DataQuery{
		query("A", `{"do":"rows"}`), query("B", `{"do":"rows"}`),
	}})
	for _, refID := range []string{"A", "B"} {
		if r := responses[refID]; fmt.Sprint(r.Error) != "no such city" {
			t.Errorf("%s: %v", refID, r.Error)
		}
	}
	_, _, err := callResource(t, h, with(`{"city":7}`), "any")
	if status.Code(err) != codes.Unknown || status.Convert(err).Message() != "settings: city: want a string, have number" {
		t.Errorf("resource: %v", err)
	}
}

func TestHello(t *testing.T) {
	h := start(t, exec.Command(buildHello(t)))
	responses := queryData(t, h, &backend.QueryDataRequest{PluginContext: with(`{"greeting":"hello"}`), Queries: []backend.DataQuery{
		query("A", `{"name":"world"}`),
	}})
	if r := responses["A"]; r.Error != nil || column(r.Frames[0]) != "hello world" {
		t.Errorf("got %v, %v", r.Frames, r.Error)
	}
}
