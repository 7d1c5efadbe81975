// Package examples has the official SDK's client side run the examples, as
// Grafana would.
package examples

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"

	"github.com/plugboard/plugboard/conformance/official"
	"github.com/plugboard/plugboard/host/hosttest"
)

// example is a running example and what it is asked with.
type example struct {
	*official.Client
	context backend.PluginContext
	t       *testing.T
}

// start builds an example, starts it, and stops it when the test ends.
func start(t *testing.T, name string, s backend.DataSourceInstanceSettings) *example {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "gpx_"+name)
	build := exec.Command("go", "build", "-o", binary, "./"+name)
	build.Dir = "../../examples"
	build.Env = append(os.Environ(), "GOWORK=off")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	client, err := official.Launch(exec.Command(binary), true, t.Output())
	t.Cleanup(client.Process.Kill)
	if err != nil {
		t.Fatal(err)
	}
	s.ID, s.UID, s.Updated = 1, name, time.Now()
	return &example{client, backend.PluginContext{
		Namespace: "default", PluginID: name, User: &backend.User{Login: "ada", Role: "Editor"}, DataSourceInstanceSettings: &s,
	}, t}
}

// query returns the answer as text: the error, or the columns.
func (e *example) query(model string) string {
	e.t.Helper()
	answer, err := e.Data.QueryData(e.t.Context(), backend.ToProto().QueryDataRequest(&backend.QueryDataRequest{
		PluginContext: e.context,
		Queries: []backend.DataQuery{{
			RefID: "A", JSON: []byte(model), TimeRange: backend.TimeRange{From: time.Unix(0, 0), To: time.Unix(60, 0)},
		}},
	}))
	if err != nil {
		e.t.Fatal(err)
	}
	response, err := backend.FromProto().QueryDataResponse(answer)
	if err != nil {
		e.t.Fatal(err)
	}
	a := response.Responses["A"]
	if a.Error != nil {
		return fmt.Sprintf("%d %s: %v", a.Status, a.ErrorSource, a.Error)
	}
	return text(a.Frames...)
}

func text(frames ...*data.Frame) string {
	var columns []string
	for _, f := range frames {
		for _, field := range f.Fields {
			column := field.Name
			for row := range field.Len() {
				if value, ok := field.ConcreteAt(row); ok {
					column += fmt.Sprint(" ", value)
				} else {
					column += " null"
				}
			}
			columns = append(columns, column)
		}
	}
	return strings.Join(columns, ", ")
}

// call returns the status, the body and the number of pieces it came in.
func (e *example) call(method, url, body string) (status int, answer string, pieces int) {
	e.t.Helper()
	path, _, _ := strings.Cut(url, "?")
	stream, err := e.Resource.CallResource(e.t.Context(), backend.ToProto().CallResourceRequest(&backend.CallResourceRequest{
		PluginContext: e.context, Path: path, URL: url, Method: method, Body: []byte(body),
	}))
	if err != nil {
		e.t.Fatal(err)
	}
	for ; ; pieces++ {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return status, answer, pieces
		}
		if err != nil {
			e.t.Fatal(err)
		}
		if pieces == 0 {
			status = int(message.Code)
		}
		answer += string(message.Body)
	}
}

// first returns the first frame of a channel.
func (e *example) first(path string) *data.Frame {
	e.t.Helper()
	c := backend.ToProto().PluginContext(e.context)
	reply, err := e.Stream.SubscribeStream(e.t.Context(), &pluginv2.SubscribeStreamRequest{PluginContext: c, Path: path})
	if err != nil || reply.Status != pluginv2.SubscribeStreamResponse_OK {
		e.t.Fatalf("%s: %v, %v", path, reply, err)
	}
	stream, err := e.Stream.RunStream(e.t.Context(), &pluginv2.RunStreamRequest{PluginContext: c, Path: path})
	if err != nil {
		e.t.Fatal(err)
	}
	packet, err := stream.Recv()
	if err != nil {
		e.t.Fatal(err)
	}
	var f data.Frame
	if err := json.Unmarshal(packet.Data, &f); err != nil {
		e.t.Fatalf("%s: %v", packet.Data, err)
	}
	return &f
}

func (e *example) health() string {
	e.t.Helper()
	r, err := e.Diagnostics.CheckHealth(e.t.Context(), &pluginv2.CheckHealthRequest{PluginContext: backend.ToProto().PluginContext(e.context)})
	if err != nil {
		e.t.Fatal(err)
	}
	return fmt.Sprint(r.Status, " ", r.Message)
}

func check(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestHTTP(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Key") != "sesame" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `[{"time":%q,"value":4.5},{"time":%q}]`, r.FormValue("from"), r.FormValue("to"))
	}))
	defer api.Close()
	e := start(t, "http", backend.DataSourceInstanceSettings{
		URL: api.URL, JSONData: []byte(`{"httpHeaderName1":"X-Key"}`),
		DecryptedSecureJSONData: map[string]string{"httpHeaderValue1": "sesame"},
	})
	check(t, e.query(`{"station":"KSEA"}`), "time 1970-01-01 00:00:00 +0000 UTC 1970-01-01 00:01:00 +0000 UTC, value 4.5 null")
	check(t, e.query(`{}`), "400 downstream: query: station is missing")
}

func TestSQL(t *testing.T) {
	e := start(t, "sql", backend.DataSourceInstanceSettings{})
	check(t, e.query(`{"sql":"WITH rain(city, mm) AS (VALUES ('Oslo', 763.5), ('Cairo', NULL)) SELECT *, @to - @from AS s FROM rain"}`),
		"city Oslo Cairo, mm 763.5 null, s 60 60")
	check(t, e.query(`{"sql":"SELEKT"}`), `400 downstream: query: SQL logic error: near "SELEKT": syntax error (1)`)
}

func TestStream(t *testing.T) {
	e := start(t, "stream", backend.DataSourceInstanceSettings{JSONData: []byte(`{"stepMs":1}`)})
	if f := e.first("walk"); f.Name != "walk" || len(f.Fields) != 2 || f.Rows() != 1 {
		t.Errorf("got %s", text(f))
	}
}

func TestApp(t *testing.T) {
	e := start(t, "app", backend.DataSourceInstanceSettings{})
	e.context.DataSourceInstanceSettings = nil
	e.context.AppInstanceSettings = &backend.AppInstanceSettings{JSONData: []byte(`{"limit":1000000}`)}
	check(t, e.health(), "OK counting to 1000000")
	_, body, _ := e.call(http.MethodGet, "primes?below=20", "")
	check(t, body, "[2,3,5,7,11,13,17,19]\n")
	_, body, pieces := e.call(http.MethodGet, "primes.txt?below=1000000", "")
	if n := strings.Count(body, "\n"); n != 78498 || pieces < 2 {
		t.Errorf("%d primes in %d pieces", n, pieces)
	}
}

func TestSharedState(t *testing.T) {
	e := start(t, "shared-state", backend.DataSourceInstanceSettings{})
	check(t, e.query(`{"number":84}`), "number 84, factors [2 2 3 7], first asked by ada, cached false")
	e.context.User.Login = "bob"
	check(t, e.query(`{"number":84}`), "number 84, factors [2 2 3 7], first asked by ada, cached true")
	_, body, _ := e.call(http.MethodGet, "visitors", "")
	check(t, body, `{"ada":1,"bob":1}`+"\n")
}

func TestAuthz(t *testing.T) {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"allowed":%t}`, r.FormValue("user") == "ada")
	}))
	defer service.Close()
	e := start(t, "authz", backend.DataSourceInstanceSettings{URL: service.URL})
	check(t, e.query(`{"department":"kitchen"}`), "spent 120 95.5 310")
	e.context.User.Login = "bob"
	check(t, e.query(`{"department":"kitchen"}`), `403 downstream: bob may not see the budget of department "kitchen"`)
}

func TestDevice(t *testing.T) {
	e := start(t, "device", backend.DataSourceInstanceSettings{URL: hosttest.Start(t, "../../examples/device/simulator", "127.0.0.1:0")})
	check(t, e.health(), "OK connected to greenhouse")
	if status, body, _ := e.call(http.MethodPut, "switches/heater", "on"); status != http.StatusNoContent {
		t.Errorf("got %d %s", status, body)
	}
	if got := e.query(`{"sensor":"temperature"}`); !strings.HasSuffix(got, ", value 24.5") {
		t.Errorf("got %s", got)
	}
}

func TestGRPC(t *testing.T) {
	e := start(t, "grpc", backend.DataSourceInstanceSettings{URL: hosttest.Start(t, "../../examples/grpc/backend", "127.0.0.1:0")})
	check(t, e.query(`{}`), "service  billing orders, status SERVING NOT_SERVING SERVING")
	if got := text(e.first("billing")); !strings.HasSuffix(got, ", status NOT_SERVING") {
		t.Errorf("got %s", got)
	}
}
