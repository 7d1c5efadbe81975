package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/useragent"
	"github.com/grafana/grafana-plugin-sdk-go/config"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	jsoniter "github.com/json-iterator/go"

	"github.com/plugboard/plugboard/conformance/bench/measure"
	"github.com/plugboard/plugboard/conformance/official"
)

// reference is a host made of the official SDK's parts and as little else as
// possible: what Grafana does for a query, without what else it does.
type reference struct {
	plugin *official.Client
}

// runReference runs the reference host. It prints its address.
func runReference(ctx context.Context, s setup) error {
	client, err := official.Launch(exec.Command(measure.Binary(s.plugins)), false, io.Discard)
	if client != nil {
		defer client.Process.Kill()
	}
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	host := &reference{plugin: client}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/ds/query", host.query)
	mux.HandleFunc("POST /api/datasources/uid/bench/resources/{path...}", host.resource)
	web := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	defer context.AfterFunc(ctx, func() { _ = web.Close() })()
	if err := web.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}

// pluginContext is what our server sends, and Grafana: a plugin has the same to
// read behind either host.
func pluginContext() *pluginv2.PluginContext {
	return backend.ToProto().PluginContext(backend.PluginContext{
		//lint:ignore SA1019 Grafana still sends it
		OrgID:    1,
		PluginID: "bench-datasource", PluginVersion: "1.0.0", Namespace: "default",
		UserAgent: userAgent,
		User:      &backend.User{Login: "bench", Name: "bench", Email: "bench@localhost", Role: "Viewer"},
		DataSourceInstanceSettings: &backend.DataSourceInstanceSettings{
			ID: 1, UID: "bench", Name: "Bench", Type: "bench-datasource", URL: "http://127.0.0.1:1",
			JSONData: []byte(`{"a":1}`), DecryptedSecureJSONData: map[string]string{"token": "secret"},
			Updated: time.UnixMilli(1700000000000),
		},
		GrafanaConfig: config.NewGrafanaCfg(map[string]string{
			"GF_CONCURRENT_QUERY_COUNT":                "10",
			"GF_SQL_ROW_LIMIT":                         "1000000",
			"GF_SQL_MAX_OPEN_CONNS_DEFAULT":            "100",
			"GF_SQL_MAX_IDLE_CONNS_DEFAULT":            "100",
			"GF_SQL_MAX_CONN_LIFETIME_SECONDS_DEFAULT": "14400",
		}),
	})
}

var userAgent = func() *useragent.UserAgent {
	agent, err := useragent.New("12.4.0", runtime.GOOS, runtime.GOARCH)
	if err != nil {
		panic(err)
	}
	return agent
}()

type queryCommand struct {
	From    string            `json:"from"`
	To      string            `json:"to"`
	Queries []json.RawMessage `json:"queries"`
}

type queryModel struct {
	RefID         string `json:"refId"`
	MaxDataPoints int64  `json:"maxDataPoints"`
	IntervalMS    int64  `json:"intervalMs"`
}

func (h *reference) query(w http.ResponseWriter, r *http.Request) {
	var command queryCommand
	if err := json.NewDecoder(r.Body).Decode(&command); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	from, _ := strconv.ParseInt(command.From, 10, 64)
	to, _ := strconv.ParseInt(command.To, 10, 64)
	request := &pluginv2.QueryDataRequest{PluginContext: pluginContext()}
	for _, raw := range command.Queries {
		var model queryModel
		if err := json.Unmarshal(raw, &model); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		request.Queries = append(request.Queries, &pluginv2.DataQuery{
			RefId: model.RefID, MaxDataPoints: model.MaxDataPoints, IntervalMS: model.IntervalMS, Json: raw,
			TimeRange: &pluginv2.TimeRange{FromEpochMS: from, ToEpochMS: to},
		})
	}
	answer, err := h.plugin.Data.QueryData(r.Context(), request)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	decoded, err := backend.FromProto().QueryDataResponse(answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = jsoniter.ConfigCompatibleWithStandardLibrary.NewEncoder(w).Encode(decoded)
}

func (h *reference) resource(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	headers := map[string]*pluginv2.StringList{}
	for name, values := range r.Header {
		headers[name] = &pluginv2.StringList{Values: values}
	}
	path := strings.TrimPrefix(r.URL.Path, "/api/datasources/uid/bench/resources/")
	stream, err := h.plugin.Resource.CallResource(r.Context(), &pluginv2.CallResourceRequest{
		PluginContext: pluginContext(), Path: path, Method: r.Method, Url: path + "?" + r.URL.RawQuery, Headers: headers, Body: body,
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	for first := true; ; first = false {
		message, err := stream.Recv()
		if err != nil {
			return
		}
		if first {
			for name, values := range message.Headers {
				w.Header()[name] = values.Values
			}
			w.WriteHeader(int(message.Code))
		}
		_, _ = w.Write(message.Body)
	}
}
