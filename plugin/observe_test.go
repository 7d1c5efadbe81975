package plugin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/test/bufconn"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/httpclient"
	"github.com/plugboard/plugboard/plugin/plugintest"
	"github.com/plugboard/plugboard/trace"
)

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// kept is a Tracer that keeps what it gets.
type kept struct {
	mu    sync.Mutex
	spans []trace.Record
	ended bool
}

func (k *kept) Sample(trace.TraceID) bool { return false }

func (k *kept) Take(r trace.Record) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.spans = append(k.spans, r)
}

func (k *kept) Run(ctx context.Context) error {
	<-ctx.Done()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ended = true
	return errors.New("as ordered")
}

func (k *kept) named(t *testing.T, name string) trace.Record {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	i := slices.IndexFunc(k.spans, func(r trace.Record) bool { return r.Name == name })
	if i < 0 {
		t.Fatalf("no span %q among %+v", name, k.spans)
	}
	return k.spans[i]
}

func attrs(r trace.Record) map[string]string {
	m := map[string]string{}
	for _, a := range r.Attrs {
		m[a.Key] = a.Value.String()
	}
	return m
}

// asking is a data source that logs, and asks a web API in a span of its own.
type asking struct {
	plugin.Settings[struct{}]
	client *http.Client
}

func openAsking(_ context.Context, s plugin.Settings[struct{}]) (*asking, error) {
	client, err := httpclient.New(s)
	return &asking{s, client}, err
}

func (a *asking) Query(ctx context.Context, _ plugin.Query[struct{}]) (frame.Frames, error) {
	ctx, span := trace.Start(ctx, "ask")
	defer span.End()
	a.Logger.With("how", "well").InfoContext(ctx, "asking")
	a.Logger.Debug("without a context")
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL, nil)
	if err != nil {
		return nil, err
	}
	response, err := a.client.Do(r)
	if err != nil {
		return nil, httpclient.Fault(err)
	}
	defer response.Body.Close()
	return texts(response.Header.Get("Seen")), httpclient.Refusal(response)
}

func (a *asking) Close() error {
	a.client.CloseIdleConnections()
	return nil
}

// serveLogging serves p with a logger, and returns a client and how to stop.
func serveLogging(t *testing.T, p plugin.Plugin, logger *slog.Logger) (*plugin.Client, func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	listener := bufconn.Listen(1 << 20)
	served := make(chan error, 1)
	go func() { served <- plugin.ServeListener(ctx, p, listener, logger) }()
	conn, err := grpc.NewClient("passthrough:plugin", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		_ = conn.Close()
	})
	t.Cleanup(stop)
	return plugin.NewClient(conn), stop
}

// echoTrace is a web API that tells which trace it was asked in.
func echoTrace(t *testing.T, status int) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Seen", r.Header.Get("traceparent")+" "+r.Header.Get("tracestate"))
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/api?key=secret"
}

func askingSource(url string) plugin.Context {
	return plugin.Context{
		PluginID: "asking", PluginVersion: "1.2.3", OrgID: 1, User: &plugin.User{Login: "ada", Name: "Ada"},
		DataSource: &plugin.DataSourceSettings{UID: "u", Name: "Asking", URL: url},
	}
}

// TestTrace follows a trace from the client through plugin and author to the
// web API, and looks at the spans.
func TestTrace(t *testing.T) {
	to := &kept{}
	p := plugin.DataSource(openAsking).Trace(func(*slog.Logger) (trace.Tracer, error) { return to, nil })
	client, stop := serveLogging(t, p, slog.New(slog.DiscardHandler))
	ctx := trace.WithParent(t.Context(), trace.Parse(traceparent, "vendor=1"))
	for url, failed := range map[string]bool{echoTrace(t, 200): false, echoTrace(t, 418): true} {
		to.spans = nil
		response, err := client.Query(ctx, &plugin.QueryRequest{Context: askingSource(url), Queries: []plugin.DataQuery{{RefID: "A"}}})
		if err != nil {
			t.Fatal(err)
		}
		call, author, request := to.named(t, "sdk.queryData"), to.named(t, "ask"), to.named(t, "HTTP Outgoing Request")
		if call.Trace != trace.Parse(traceparent, "").Trace || call.Caller.String() != "b7ad6b7169203331" || call.Kind != trace.Server {
			t.Errorf("the call does not continue the trace: %+v", call)
		}
		if author.Caller != call.Span || request.Caller != author.Span || request.Kind != trace.Client || request.Trace != call.Trace {
			t.Errorf("spans are not within each other: %+v", to.spans)
		}
		if call.Service != (trace.Service{Name: "asking", Version: "1.2.3"}) {
			t.Errorf("service %+v", call.Service)
		}
		if call.Failed != failed || request.Failed != failed || strings.Contains(call.Error+request.Error, "secret") {
			t.Errorf("failed: %v %q, %v %q", call.Failed, call.Error, request.Failed, request.Error)
		}
		status, source := "ok", "plugin"
		if failed {
			status, source = "error", "downstream"
		} else if got, want := cells(t, response.Responses["A"]), request.String()+" vendor=1"; got != want {
			t.Errorf("the API was asked in %q, want %q", got, want)
		}
		a := attrs(call)
		if a["plugin_id"] != "asking" || a["datasource_uid"] != "u" || a["datasource_name"] != "Asking" || a["user"] != "Ada" ||
			a["org_id"] != "1" || a["request_status"] != status || a["status_source"] != source {
			t.Errorf("attributes of the call: %v", a)
		}
		a = attrs(request)
		if a["http.method"] != "GET" || a["http.status_code"] == "" || !strings.HasSuffix(a["http.url"], "/api") {
			t.Errorf("attributes of the request: %v", a)
		}
	}
	stop()
	if !to.ended {
		t.Error("the tracer still runs when the plugin is no longer served")
	}
}

// TestSpansOfTheClient checks that a call has a span on the caller's side too,
// that of the plugin within it.
func TestSpansOfTheClient(t *testing.T) {
	there, here := &kept{}, &kept{}
	client, stop := serveLogging(t, plugin.DataSource(openEverything).Trace(func(*slog.Logger) (trace.Tracer, error) { return there, nil }), slog.New(slog.DiscardHandler))
	ctx := trace.WithParent(trace.With(t.Context(), here, trace.Service{Name: "host"}), trace.Parse(traceparent, ""))
	if _, err := client.Query(ctx, &plugin.QueryRequest{Context: source(`{}`), Queries: []plugin.DataQuery{query("A", `{}`)}}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CheckHealth(ctx, &plugin.HealthRequest{Context: source(`{}`)}); err != nil {
		t.Fatal(err)
	}
	if err := client.RunStream(ctx, &plugin.StreamRequest{Context: source(`{"fail":"as ordered"}`)}, nil); err == nil {
		t.Error("the stream runs")
	}
	stop()
	for called, answered := range map[string]string{
		"pluginv2.Data/QueryData": "sdk.queryData", "pluginv2.Diagnostics/CheckHealth": "sdk.checkHealth", "pluginv2.Stream/RunStream": "sdk.runStream",
	} {
		caller, callee := here.named(t, called), there.named(t, answered)
		if caller.Caller.String() != "b7ad6b7169203331" || callee.Caller != caller.Span || callee.Trace != caller.Trace || caller.Kind != trace.Client {
			t.Errorf("%+v answers %+v", callee, caller)
		}
		if want := called == "pluginv2.Stream/RunStream"; caller.Failed != want || callee.Failed != want {
			t.Errorf("%s failed: %v, %s: %v", called, caller.Failed, answered, callee.Failed)
		}
	}
}

// TestTraceIsPassedOn asks a plugin that nobody traces.
func TestTraceIsPassedOn(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(openAsking))
	for name, ctx := range map[string]context.Context{
		"ours":   trace.WithParent(t.Context(), trace.Parse(traceparent, "vendor=1")),
		"a host": metadata.AppendToOutgoingContext(t.Context(), "traceparent", traceparent, "tracestate", "vendor=1"),
	} {
		response, err := client.Query(ctx, &plugin.QueryRequest{Context: askingSource(echoTrace(t, 200)), Queries: []plugin.DataQuery{{RefID: "A"}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := cells(t, response.Responses["A"]); got != traceparent+" vendor=1" {
			t.Errorf("%s: the API was asked in %q", name, got)
		}
	}
}

func TestFaultyTracer(t *testing.T) {
	var log lockedBuffer
	p := plugin.DataSource(openAsking).Trace(func(*slog.Logger) (trace.Tracer, error) { return nil, errors.New("as ordered") })
	client, stop := serveLogging(t, p, slog.New(slog.NewTextHandler(&log, nil)))
	_, err := client.Query(t.Context(), &plugin.QueryRequest{Context: askingSource(echoTrace(t, 200)), Queries: []plugin.DataQuery{{RefID: "A"}}})
	stop()
	if err != nil || !strings.Contains(log.String(), "no traces are recorded") {
		t.Errorf("%v; log: %s", err, log.String())
	}
}

// TestLogLines checks that a line says which call it is about, and that a call
// writes none of its own.
func TestLogLines(t *testing.T) {
	var log lockedBuffer
	client, stop := serveLogging(t, plugin.DataSource(openAsking), slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	ctx := metadata.AppendToOutgoingContext(trace.WithParent(t.Context(), trace.Parse(traceparent, "")), "loggerParamsCtxMetadata", "dashboard:::d1")
	for range 2 {
		_, err := client.Query(ctx, &plugin.QueryRequest{Context: askingSource(echoTrace(t, 200)), Queries: []plugin.DataQuery{{RefID: "A"}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	stop()
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 4 {
		t.Fatalf("want the four lines of the author, have:\n%s", log.String())
	}
	want := map[string]any{
		"level": "INFO", "msg": "asking", "how": "well", "pluginId": "asking", "endpoint": "queryData", "refID": "A", "dsName": "Asking", "dsUid": "u",
		"uname": "Ada", "traceId": "0af7651916cd43dd8448eb211c80319c", "dashboard": "d1",
	}
	compareLine(t, lines[0], want)
	compareLine(t, lines[1], map[string]any{"level": "DEBUG", "msg": "without a context", "dsName": "Asking", "dsUid": "u"})
}

func compareLine(t *testing.T, line string, want map[string]any) {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "time")
	for key, value := range want {
		if got[key] != value || strings.Count(line, `"`+key+`":`) != 1 {
			t.Errorf("%s is %v, want %v, once, in %s", key, got[key], value, line)
		}
		delete(got, key)
	}
	if len(got) > 0 {
		t.Errorf("also says %v", got)
	}
}

// TestPanicLine checks that the line about a panic names query and data source.
func TestPanicLine(t *testing.T) {
	var log lockedBuffer
	client, stop := serveLogging(t, plugin.DataSource(openEverything), slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelError})))
	_, err := client.Query(t.Context(), &plugin.QueryRequest{Context: source(`{}`), Queries: []plugin.DataQuery{query("B", `{"do":"panic"}`)}})
	stop()
	var line map[string]any
	if json.Unmarshal(bytes.TrimSpace([]byte(log.String())), &line) != nil || err != nil {
		t.Fatalf("%v; log: %s", err, log.String())
	}
	if line["refID"] != "B" || line["dsUid"] != "one" || line["endpoint"] != "queryData" || line["panic"] != "as ordered" {
		t.Errorf("got %v", line)
	}
}
