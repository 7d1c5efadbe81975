// Command everything is a data source on the unmodified official SDK that has
// every capability and every way to go wrong; the tests in ../../theirs run it
// under our host.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/datasource"
	"github.com/grafana/grafana-plugin-sdk-go/backend/httpclient"
	"github.com/grafana/grafana-plugin-sdk-go/backend/instancemgmt"
	"github.com/grafana/grafana-plugin-sdk-go/backend/resource/httpadapter"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var queries = promauto.NewCounter(prometheus.CounterOpts{Name: "everything_queries_total", Help: "Queries answered."})

func main() {
	if err := datasource.Manage("plugboard-everything-datasource", open, datasource.ManageOpts{}); err != nil {
		backend.Logger.Error(err.Error())
		os.Exit(1)
	}
}

// everything is one instance: it tells which settings it was opened with.
type everything struct {
	backend.CallResourceHandler
	settings backend.DataSourceInstanceSettings
	greeting string
}

func open(_ context.Context, settings backend.DataSourceInstanceSettings) (instancemgmt.Instance, error) {
	var model struct {
		Greeting string `json:"greeting"`
		Fail     bool   `json:"fail"`
	}
	if err := json.Unmarshal(settings.JSONData, &model); err != nil {
		return nil, err
	}
	if model.Fail {
		return nil, errors.New("told to fail by its settings")
	}
	e := &everything{settings: settings, greeting: model.Greeting}
	mux := http.NewServeMux()
	mux.HandleFunc("/settings", e.tellSettings)
	mux.HandleFunc("/request", tellRequest)
	mux.HandleFunc("/chunks", tellInChunks)
	mux.HandleFunc("/fetch", e.fetch)
	e.CallResourceHandler = httpadapter.New(mux)
	return e, nil
}

type model struct {
	Mode string `json:"mode"`
	Rows int    `json:"rows"`
}

func (e *everything) QueryData(ctx context.Context, req *backend.QueryDataRequest) (*backend.QueryDataResponse, error) {
	response := backend.NewQueryDataResponse()
	for _, q := range req.Queries {
		queries.Inc()
		var m model
		if err := json.Unmarshal(q.JSON, &m); err != nil {
			response.Responses[q.RefID] = backend.ErrDataResponse(backend.StatusBadRequest, err.Error())
			continue
		}
		switch m.Mode {
		case "die":
			os.Exit(3)
		case "panic":
			panic("told to panic")
		case "hang":
			<-ctx.Done()
			return nil, ctx.Err()
		case "fail":
			return nil, errors.New("told to fail")
		case "downstream":
			response.Responses[q.RefID] = backend.ErrorResponseWithErrorSource(backend.DownstreamError(errors.New("told to blame downstream")))
		case "fetch":
			body, err := e.get(ctx)
			response.Responses[q.RefID] = backend.DataResponse{Error: err, Frames: data.Frames{data.NewFrame("", data.NewField("body", nil, []string{string(body)}))}}
		case "query":
			response.Responses[q.RefID] = backend.DataResponse{Frames: data.Frames{tellQuery(q, req)}}
		default:
			response.Responses[q.RefID] = backend.DataResponse{Frames: data.Frames{numbers(m.Rows, 0)}}
		}
	}
	return response, nil
}

func (e *everything) QueryChunkedData(ctx context.Context, req *backend.QueryChunkedDataRequest, w backend.ChunkedDataWriter) error {
	for _, q := range req.Queries {
		for chunk := range 3 {
			if err := w.WriteFrame(ctx, q.RefID, "numbers", numbers(2, 2*chunk)); err != nil {
				return err
			}
		}
	}
	return nil
}

// numbers returns rows of a time and a number, counting on from first.
func numbers(rows, first int) *data.Frame {
	times, values := make([]time.Time, rows), make([]float64, rows)
	for i := range rows {
		times[i], values[i] = time.Unix(int64(first+i), 0).UTC(), float64(first+i)
	}
	return data.NewFrame("numbers", data.NewField("time", nil, times), data.NewField("value", data.Labels{"kind": "n"}, values))
}

// tellQuery returns what the plugin was told, for the test to compare.
func tellQuery(q backend.DataQuery, req *backend.QueryDataRequest) *data.Frame {
	pc := req.PluginContext
	told, err := json.Marshal(map[string]any{
		"refId": q.RefID, "queryType": q.QueryType, "maxDataPoints": q.MaxDataPoints, "intervalMs": q.Interval.Milliseconds(),
		"from": q.TimeRange.From.UnixMilli(), "to": q.TimeRange.To.UnixMilli(), "json": q.JSON,
		//lint:ignore SA1019 plugins in the field still read it
		"orgId":    pc.OrgID,
		"pluginId": pc.PluginID, "pluginVersion": pc.PluginVersion, "namespace": pc.Namespace,
		"user": pc.User, "userAgent": pc.UserAgent.String(), "headers": req.GetHTTPHeaders(), "fromAlert": req.Headers["FromAlert"],
	})
	if err != nil {
		panic(err)
	}
	sql, err := pc.GrafanaConfig.SQL()
	if err != nil {
		panic(err)
	}
	return data.NewFrame("told",
		data.NewField("request", nil, []json.RawMessage{told}),
		data.NewField("rowLimit", nil, []int64{sql.RowLimit}))
}

func (e *everything) CheckHealth(context.Context, *backend.CheckHealthRequest) (*backend.CheckHealthResult, error) {
	return &backend.CheckHealthResult{
		Status:      backend.HealthStatusOk,
		Message:     "everything is fine: " + e.greeting,
		JSONDetails: fmt.Appendf(nil, `{"pid":%d}`, os.Getpid()),
	}, nil
}

func (e *everything) tellSettings(rw http.ResponseWriter, _ *http.Request) {
	s := e.settings
	rw.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(rw).Encode(map[string]any{
		"id": s.ID, "uid": s.UID, "name": s.Name, "type": s.Type, "url": s.URL, "user": s.User, "database": s.Database,
		"basicAuth": s.BasicAuthEnabled, "basicAuthUser": s.BasicAuthUser, "json": json.RawMessage(s.JSONData),
		"secret": s.DecryptedSecureJSONData["apiKey"], "updated": s.Updated.UnixMilli(),
	})
}

// fetch asks the data source's URL with the official HTTP client, and passes
// the answer on.
func (e *everything) fetch(rw http.ResponseWriter, r *http.Request) {
	body, err := e.get(r.Context())
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadGateway)
		return
	}
	_, _ = rw.Write(body)
}

func (e *everything) get(ctx context.Context) ([]byte, error) {
	options, err := e.settings.HTTPClientOptions(ctx)
	if err != nil {
		return nil, err
	}
	options.ForwardHTTPHeaders = true
	client, err := httpclient.New(options)
	if err != nil {
		return nil, err
	}
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, e.settings.URL, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

func tellRequest(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Content-Type", "application/json")
	rw.Header()["X-Two"] = []string{"1", "2"}
	rw.WriteHeader(http.StatusTeapot)
	_ = json.NewEncoder(rw).Encode(map[string]any{"method": r.Method, "url": r.URL.String(), "custom": r.Header.Values("X-Custom")})
}

func tellInChunks(rw http.ResponseWriter, _ *http.Request) {
	for i := range 3 {
		fmt.Fprintf(rw, "chunk %d\n", i)
		rw.(http.Flusher).Flush()
	}
}

func (e *everything) SubscribeStream(_ context.Context, req *backend.SubscribeStreamRequest) (*backend.SubscribeStreamResponse, error) {
	switch req.Path {
	case "secret":
		return &backend.SubscribeStreamResponse{Status: backend.SubscribeStreamStatusPermissionDenied}, nil
	case "nothing":
		return &backend.SubscribeStreamResponse{Status: backend.SubscribeStreamStatusNotFound}, nil
	}
	initial, err := backend.NewInitialData([]byte(`{"path":"` + req.Path + `"}`))
	if err != nil {
		return nil, err
	}
	return &backend.SubscribeStreamResponse{Status: backend.SubscribeStreamStatusOK, InitialData: initial}, nil
}

func (e *everything) PublishStream(_ context.Context, req *backend.PublishStreamRequest) (*backend.PublishStreamResponse, error) {
	if req.Path != "chat" {
		return &backend.PublishStreamResponse{Status: backend.PublishStreamStatusPermissionDenied}, nil
	}
	return &backend.PublishStreamResponse{Status: backend.PublishStreamStatusOK, Data: req.Data}, nil
}

// RunStream counts. On path "once" it ends by itself, on "broken" it fails
// after every packet.
func (e *everything) RunStream(ctx context.Context, req *backend.RunStreamRequest, sender *backend.StreamSender) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if err := sender.SendJSON(fmt.Appendf(nil, `{"n":%d,"pid":%d,"data":%s}`, n, os.Getpid(), orNull(req.Data))); err != nil {
			return err
		}
		switch req.Path {
		case "once":
			return nil
		case "broken":
			return errors.New("told to break")
		}
	}
}

func orNull(data []byte) []byte {
	if len(data) == 0 {
		return []byte("null")
	}
	return data
}
