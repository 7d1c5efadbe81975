// Package theirs runs plugins on the unmodified official SDK under our host:
// every capability of a data source and of an app, and every way to go wrong.
package theirs

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
)

const (
	dataSourceID = "plugboard-everything-datasource"
	appID        = "plugboard-everything-app"
)

var pluginDir string

func TestMain(m *testing.M) {
	if dir := os.Getenv(hostVariable); dir != "" {
		beHost(dir)
	}
	dir, err := buildPlugins()
	if err != nil {
		panic(err)
	}
	pluginDir = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// buildPlugins builds the two plugins as their authors would and returns the
// folder they are in.
func buildPlugins() (string, error) {
	dir, err := os.MkdirTemp("", "theirs")
	if err != nil {
		return "", err
	}
	for name, executable := range map[string]string{"everything": "gpx_everything", "app": "gpx_app"} {
		target := filepath.Join(dir, name)
		if err := os.MkdirAll(target, 0o755); err != nil {
			return "", err
		}
		manifest, err := os.ReadFile(filepath.Join("../plugins", name, "plugin.json"))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(target, "plugin.json"), manifest, 0o644); err != nil {
			return "", err
		}
		binary := filepath.Join(target, executable+"_"+runtime.GOOS+"_"+runtime.GOARCH)
		build := exec.Command("go", "build", "-o", binary, "../plugins/"+name)
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// run starts a host with the two plugins and stops it when the test ends.
func run(t *testing.T) *host.Host {
	t.Helper()
	h, _ := runWith(t, host.Config{})
	return h
}

// runWith is run with a configuration, and returns how to stop it earlier.
func runWith(t *testing.T, c host.Config) (h *host.Host, stopNow func()) {
	t.Helper()
	c.PluginDirs, c.AllowUnsigned, c.Chunked = []string{pluginDir}, []string{"*"}, []string{dataSourceID}
	h, err := host.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- h.Run(ctx) }()
	stopNow = sync.OnceFunc(func() {
		stop()
		if err := <-stopped; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stopNow)
	return h, stopNow
}

func dataSource(json string) plugin.Context {
	return plugin.Context{
		PluginID: dataSourceID,
		User:     &plugin.User{Login: "ada", Name: "Ada", Email: "ada@example.org", Role: "Editor"},
		DataSource: &plugin.DataSourceSettings{
			ID: 7, UID: "every", Name: "Every", URL: "http://127.0.0.1:9", User: "u", Database: "d",
			BasicAuth: true, BasicAuthUser: "bu", JSON: []byte(json),
			Secrets: map[string]string{"apiKey": "s3cret"}, Updated: time.UnixMilli(1_700_000_000_123),
		},
	}
}

func query(t *testing.T, h *host.Host, model string) (plugin.Response, error) {
	t.Helper()
	return queryFor(t, h, dataSource("{}"), model)
}

func queryFor(t *testing.T, h *host.Host, c plugin.Context, model string) (plugin.Response, error) {
	t.Helper()
	headers := map[string]string{"FromAlert": "true"}
	plugin.SetHeader(headers, "X-Panel-Id", "12")
	response, err := h.Query(t.Context(), &plugin.QueryRequest{
		Context: c,
		Headers: headers,
		Queries: []plugin.DataQuery{{
			RefID: "A", QueryType: "kind", MaxDataPoints: 100, Interval: 2 * time.Second,
			TimeRange: plugin.TimeRange{From: time.UnixMilli(1000), To: time.UnixMilli(5000)},
			JSON:      []byte(model),
		}},
	})
	if err != nil {
		return plugin.Response{}, err
	}
	return response.Responses["A"], nil
}

func TestQuery(t *testing.T) {
	h := run(t)
	response, err := query(t, h, `{"rows":3}`)
	if err != nil || response.Error != "" || response.Status != 200 {
		t.Fatalf("got %+v, %v", response, err)
	}
	frames, err := response.Decode()
	if err != nil || len(frames) != 1 || frames[0].Rows() != 3 || frames[0].Fields[1].At(2) != 2.0 {
		t.Errorf("got %v, %v", frames, err)
	}
}

func TestWhatAPluginIsTold(t *testing.T) {
	h := run(t)
	response, err := query(t, h, `{"mode":"query"}`)
	if err != nil {
		t.Fatal(err)
	}
	frames, err := response.Decode()
	if err != nil {
		t.Fatal(err)
	}
	var told struct {
		RefID, QueryType, PluginID, PluginVersion, Namespace, UserAgent, FromAlert string
		MaxDataPoints, IntervalMs, From, To, OrgID                                 int64
		User                                                                       struct{ Login, Role string }
		Headers                                                                    http.Header
	}
	if err := json.Unmarshal(frames[0].Fields[0].At(0).(json.RawMessage), &told); err != nil {
		t.Fatal(err)
	}
	if told.RefID != "A" || told.QueryType != "kind" || told.MaxDataPoints != 100 || told.IntervalMs != 2000 || told.From != 1000 || told.To != 5000 {
		t.Errorf("the query: %+v", told)
	}
	if told.PluginID != dataSourceID || told.PluginVersion != "1.2.3" || told.OrgID != 1 || told.Namespace != "default" || told.User.Login != "ada" || told.User.Role != "Editor" {
		t.Errorf("the context: %+v", told)
	}
	if !strings.HasPrefix(told.UserAgent, "Grafana/") || told.Headers.Get("X-Panel-Id") != "12" || told.FromAlert != "true" {
		t.Errorf("agent and headers: %+v", told)
	}
	if rows := frames[0].Fields[1].At(0); rows != int64(1000000) {
		t.Errorf("SQL row limit: %v", rows)
	}
}

func TestChunkedQuery(t *testing.T) {
	h := run(t)
	rows := 0
	err := h.QueryChunks(t.Context(), &plugin.QueryRequest{
		Context: dataSource("{}"),
		Queries: []plugin.DataQuery{{RefID: "A", JSON: []byte(`{}`)}},
	}, func(c plugin.Chunk) error {
		frames, err := plugin.Response{Frames: [][]byte{c.Frame}, Format: c.Format}.Decode()
		if err == nil {
			rows += frames[0].Rows()
		}
		return err
	})
	if err != nil || rows != 6 {
		t.Errorf("got %d rows, %v", rows, err)
	}
}

func TestFailures(t *testing.T) {
	h := run(t)
	if r, err := query(t, h, `{"mode":"downstream"}`); err != nil || r.Error != "told to blame downstream" || r.ErrorSource != plugin.SourceDownstream {
		t.Errorf("downstream: %+v, %v", r, err)
	}
	if r, err := query(t, h, `{"rows":"many"}`); err != nil || r.Status != 400 || r.Error == "" {
		t.Errorf("bad query: %+v, %v", r, err)
	}
	for model, want := range map[string]string{`{"mode":"fail"}`: "told to fail", `{"mode":"panic"}`: "told to panic"} {
		_, err := query(t, h, model)
		if failure, ok := errors.AsType[*plugin.Error](err); !ok || !strings.Contains(failure.Message, want) {
			t.Errorf("%s: %v", model, err)
		}
	}
	if r, err := query(t, h, `{"rows":1}`); err != nil || r.Error != "" {
		t.Errorf("afterwards: %+v, %v", r, err)
	}
}

func TestFailingSettings(t *testing.T) {
	h := run(t)
	c := dataSource(`{"fail":true}`)
	health, err := h.CheckHealth(t.Context(), &plugin.HealthRequest{Context: c})
	if err != nil || health.Status != plugin.HealthError || !strings.Contains(health.Message, "told to fail by its settings") {
		t.Errorf("health: %+v, %v", health, err)
	}
	if _, err := queryFor(t, h, c, `{"rows":1}`); err == nil || !strings.Contains(err.Error(), "told to fail by its settings") {
		t.Errorf("query: %v", err)
	}
}

func TestHealth(t *testing.T) {
	h := run(t)
	health, err := h.CheckHealth(t.Context(), &plugin.HealthRequest{Context: dataSource(`{"greeting":"hello"}`)})
	if err != nil || health.Status != plugin.HealthOK || health.Message != "everything is fine: hello" || len(health.Details) == 0 {
		t.Errorf("got %+v, %v", health, err)
	}
}

func TestMetrics(t *testing.T) {
	h := run(t)
	if _, err := query(t, h, `{"rows":1}`); err != nil {
		t.Fatal(err)
	}
	text, err := h.Metrics(t.Context(), dataSourceID)
	if err != nil || !strings.Contains(string(text), "everything_queries_total 1") || !strings.Contains(string(text), "go_goroutines") {
		t.Errorf("got %v, %.200s", err, text)
	}
}

func TestResources(t *testing.T) {
	h := run(t)
	status, _, body := call(t, h, &plugin.ResourceRequest{Context: dataSource(`{"a":1}`), Method: "GET", Path: "settings", URL: "settings"})
	want := `{"basicAuth":true,"basicAuthUser":"bu","database":"d","id":7,"json":{"a":1},"name":"Every","secret":"s3cret","type":"` + dataSourceID +
		`","uid":"every","updated":1700000000123,"url":"http://127.0.0.1:9","user":"u"}`
	if status != 200 || strings.TrimSpace(body) != want {
		t.Errorf("got %d %s", status, body)
	}

	status, header, body := call(t, h, &plugin.ResourceRequest{
		Context: dataSource("{}"), Method: "POST", Path: "request", URL: "request?a=1&b=x%20y",
		Header: http.Header{"X-Custom": {"1", "2"}}, Body: []byte("x"),
	})
	if status != 418 || len(header.Values("X-Two")) != 2 || !strings.Contains(body, `"custom":["1","2"]`) || !strings.Contains(body, `request?a=1`) {
		t.Errorf("got %d %v %s", status, header, body)
	}

	messages := 0
	err := h.CallResource(t.Context(), &plugin.ResourceRequest{Context: dataSource("{}"), Method: "GET", Path: "chunks", URL: "chunks"},
		func(plugin.ResourceResponse) error { messages++; return nil })
	if err != nil || messages < 3 {
		t.Errorf("chunks: %d messages, %v", messages, err)
	}

	large := &plugin.ResourceRequest{Context: dataSource("{}"), Method: "POST", Path: "echo", URL: "echo", Body: make([]byte, 16<<20)}
	err = h.CallResource(t.Context(), large, func(plugin.ResourceResponse) error { return nil })
	if failure, ok := errors.AsType[*plugin.Error](err); !ok || failure.Status != http.StatusRequestEntityTooLarge || failure.Source != plugin.SourceDownstream {
		t.Errorf("a request of 16 MiB and its context: %v", err)
	}
}

func call(t *testing.T, h *host.Host, req *plugin.ResourceRequest) (status int, header http.Header, body string) {
	t.Helper()
	err := h.CallResource(t.Context(), req, func(r plugin.ResourceResponse) error {
		if header == nil {
			status, header = r.Status, r.Header
		}
		body += string(r.Body)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return status, header, body
}

func TestApp(t *testing.T) {
	h := run(t)
	c := plugin.Context{PluginID: appID, User: &plugin.User{Login: "ada"}, App: &plugin.AppSettings{
		JSON: []byte(`{"name":"one"}`), Secrets: map[string]string{"token": "t"}, Updated: time.UnixMilli(1),
	}}
	if health, err := h.CheckHealth(t.Context(), &plugin.HealthRequest{Context: c}); err != nil || health.Message != "app one" {
		t.Errorf("health: %+v, %v", health, err)
	}
	if status, _, body := call(t, h, &plugin.ResourceRequest{Context: c, Method: "GET", Path: "whoami", URL: "whoami"}); status != 200 || strings.TrimSpace(body) != `{"app":"one","secret":"t","user":"ada"}` {
		t.Errorf("resource: %d %s", status, body)
	}
	if health, err := h.CheckHealth(t.Context(), &plugin.HealthRequest{Context: plugin.Context{PluginID: appID}}); err != nil || health.Status != plugin.HealthOK {
		t.Errorf("health without settings: %+v, %v", health, err)
	}
	if _, err := h.Query(t.Context(), &plugin.QueryRequest{Context: c, Queries: []plugin.DataQuery{{RefID: "A"}}}); !errors.Is(err, plugin.ErrNotImplemented) {
		t.Errorf("query: %v", err)
	}
}

func TestStreams(t *testing.T) {
	h := run(t)
	subscribe := func(path, data string) (*host.Subscription, error) {
		return h.Subscribe(t.Context(), &plugin.StreamRequest{Context: dataSource("{}"), Path: path, Data: json.RawMessage(data)}, nil)
	}
	first, err := subscribe("a//B==/c", `{"who":1}`)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if got := string(first.Initial()); got != `{"path":"a//B==/c"}` {
		t.Errorf("initial data: %s", got)
	}
	packet := next(t, first)
	if packet.Data.Who != 1 {
		t.Errorf("packet: %+v", packet)
	}

	second, err := subscribe("a//B==/c", `{"who":2}`)
	if err != nil {
		t.Fatal(err)
	}
	if shared := next(t, second); shared.Data.Who != 1 || shared.N <= packet.N {
		t.Errorf("the second listener does not share the first one's stream: %+v after %+v", shared, packet)
	}
	second.Close()
	next(t, first)

	if _, err := subscribe("secret", ""); !errors.Is(err, host.ErrStreamDenied) {
		t.Errorf("secret: %v", err)
	}
	if _, err := subscribe("nothing", ""); !errors.Is(err, host.ErrStreamNotFound) {
		t.Errorf("nothing: %v", err)
	}

	once, err := subscribe("once", "")
	if err != nil {
		t.Fatal(err)
	}
	defer once.Close()
	next(t, once)
	if _, err := once.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("a stream that ended: %v", err)
	}

	broken, err := subscribe("broken", "")
	if err != nil {
		t.Fatal(err)
	}
	defer broken.Close()
	next(t, broken)
	next(t, broken)

	reply, err := h.Publish(t.Context(), &plugin.StreamRequest{Context: dataSource("{}"), Path: "chat", Data: json.RawMessage(`{"say":"hi"}`)})
	if err != nil || reply.Status != plugin.StreamOK || string(reply.Data) != `{"say":"hi"}` {
		t.Errorf("publish: %+v, %v", reply, err)
	}
}

type packet struct {
	N, PID int
	Data   struct{ Who int }
}

func next(t *testing.T, s *host.Subscription) packet {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	raw, err := s.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var p packet
	if err := json.Unmarshal(raw, &p); err != nil {
		t.Fatalf("packet %s: %v", raw, err)
	}
	return p
}

// TestDeath kills the plugin in all ways: the call in flight fails, the next
// one answers, and a stream goes on.
func TestDeath(t *testing.T) {
	h := run(t)
	stream, err := h.Subscribe(t.Context(), &plugin.StreamRequest{Context: dataSource("{}"), Path: "count"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	before := next(t, stream)

	if _, err := query(t, h, `{"mode":"die"}`); !errors.Is(err, plugin.ErrUnavailable) {
		t.Errorf("the call in flight: %v", err)
	}
	if r, err := query(t, h, `{"rows":1}`); err != nil || r.Error != "" {
		t.Errorf("after exit: %+v, %v", r, err)
	}

	p, _ := h.Plugin(dataSourceID)
	if err := syscall.Kill(p.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for killed := p.PID; p.PID == killed || p.PID == 0; p, _ = h.Plugin(dataSourceID) {
		time.Sleep(time.Millisecond) // a real process: there is only the kernel to wait for
	}
	if r, err := query(t, h, `{"rows":1}`); err != nil || r.Error != "" {
		t.Errorf("after kill -9: %+v, %v", r, err)
	}
	for next(t, stream).PID == before.PID {
	}
}

// TestCancel gives up a query that would never be answered.
func TestCancel(t *testing.T) {
	h := run(t)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := h.Query(ctx, &plugin.QueryRequest{Context: dataSource("{}"), Queries: []plugin.DataQuery{{RefID: "A", JSON: []byte(`{"mode":"hang"}`)}}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
