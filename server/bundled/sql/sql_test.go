package sql

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
	"github.com/plugboard/plugboard/server/dbtest"
)

var update = flag.Bool("update", false, "rewrite golden files")

// servers are the databases of all tests.
var servers dbtest.Servers

func TestMain(m *testing.M) {
	code := m.Run()
	servers.Stop()
	os.Exit(code)
}

// target is a data source to ask, through the plugin.
type target struct {
	client  *plugin.Client
	context plugin.Context
}

// newTarget configures a data source of this type.
func newTarget(t *testing.T, typ string, settings plugin.DataSourceSettings) target {
	t.Helper()
	settings.ID, settings.UID = 1, "it"
	return target{plugintest.Start(t, Plugin()), plugin.Context{PluginID: typ, DataSource: &settings}}
}

var march = plugin.TimeRange{From: time.Date(2012, 3, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2012, 3, 1, 0, 5, 0, 0, time.UTC)}

// ask asks one query, whose model is JSON or else SQL.
func (x target) ask(ctx context.Context, t *testing.T, model string) plugin.Response {
	t.Helper()
	if !strings.HasPrefix(model, "{") {
		text, err := json.Marshal(map[string]string{"rawSql": model, "format": "table"})
		if err != nil {
			t.Fatal(err)
		}
		model = string(text)
	}
	response, err := x.client.Query(ctx, &plugin.QueryRequest{Context: x.context, Queries: []plugin.DataQuery{
		{RefID: "A", JSON: []byte(model), TimeRange: march, Interval: time.Minute},
	}})
	if err != nil {
		return plugin.Response{Error: err.Error()}
	}
	return response.Responses["A"]
}

// frame asks a query that has an answer.
func (x target) frame(t *testing.T, model string) *frame.Frame {
	t.Helper()
	answer := x.ask(t.Context(), t, model)
	frames, err := answer.Decode()
	if err != nil || answer.Error != "" || len(frames) != 1 {
		t.Fatalf("%s:\n%d frames, error %q, %v", model, len(frames), answer.Error, err)
	}
	return frames[0]
}

// refuses asks a query that fails, and checks how. Nothing of it may be secret.
func (x target) refuses(t *testing.T, model string, status int, want ...string) {
	t.Helper()
	answer := x.ask(t.Context(), t, model)
	if answer.Status != status || answer.ErrorSource != plugin.SourceDownstream {
		t.Errorf("%.60s: status %d, source %q, want %d downstream", model, answer.Status, answer.ErrorSource, status)
	}
	for _, part := range want {
		if !strings.Contains(answer.Error, part) {
			t.Errorf("%.60s: error %q, want %q", model, answer.Error, part)
		}
	}
	for key, secret := range x.context.DataSource.Secrets {
		if secret != "" && strings.Contains(answer.Error, secret) {
			t.Errorf("%.60s: error %q holds the secret %s", model, answer.Error, key)
		}
	}
}

// unhealthy checks a data source that has nothing to answer with.
func (x target) unhealthy(t *testing.T, want string) {
	t.Helper()
	health, err := x.client.CheckHealth(t.Context(), &plugin.HealthRequest{Context: x.context})
	if err != nil || health.Status != plugin.HealthError || !strings.Contains(health.Message, want) {
		t.Errorf("health %v %q, %v; want %q", health.Status, health.Message, err, want)
	}
}

// resource gets a resource.
func (x target) resource(t *testing.T, url string) (status int, body string) {
	t.Helper()
	path, _, _ := strings.Cut(url, "?")
	err := x.client.CallResource(t.Context(), &plugin.ResourceRequest{Context: x.context, Method: "GET", Path: path, URL: url},
		func(r plugin.ResourceResponse) error {
			if r.Status != 0 {
				status = r.Status
			}
			body += string(r.Body)
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return status, strings.TrimSpace(body)
}

// unreachable is an address where nobody listens.
func unreachable(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// eventually waits for what a server is about to do.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

func TestSettingsFaults(t *testing.T) {
	for _, test := range []struct{ typ, url, settings, want string }{
		{"sql", "", `{}`, "path is missing"},
		{"sql", "", `{"engine": "oracle"}`, `engine: want one of sqlite, postgres, mysql, have "oracle"`},
		{"postgres", "postgres://ada:sesame@db/shop", `{}`, "url must be host:port"},
		{"mysql", "ada:sesame@db", `{}`, "url must be host:port"},
		{"postgres", "db:http", `{}`, `port "http" is not a number`},
		{"postgres", "/run/postgresql:99999", `{}`, `port "99999" is not a number`},
		{"postgres", "db", `{"sslmode": "prefer"}`, `sslmode: want one of disable, require, verify-ca, verify-full, have "prefer"`},
		{"postgres", "db", `{"sslRootCertFile": "/nosuch.pem"}`, "certificate: open /nosuch.pem"},
		{"postgres", "db", `{"timeInterval": "soon"}`, `timeInterval: interval "soon"`},
		{"mysql", "db", `{"maxOpenConns": "many"}`, "maxOpenConns"},
	} {
		x := newTarget(t, test.typ, plugin.DataSourceSettings{URL: test.url, JSON: []byte(test.settings)})
		answer := x.ask(t.Context(), t, "SELECT 1")
		if answer.Status != 400 || !strings.Contains(answer.Error, test.want) || strings.Contains(answer.Error, "sesame") {
			t.Errorf("%+v: %d %s", test, answer.Status, answer.Error)
		}
	}
	for name, secrets := range map[string]plugin.Secrets{
		"the CA certificate is not PEM":         {"tlsCACert": "sesame"},
		"a client certificate needs its key":    {"tlsClientCert": "sesame"},
		"client certificate: tls: failed to fi": {"tlsClientCert": "sesame", "tlsClientKey": "sesame"},
	} {
		newTarget(t, "postgres", plugin.DataSourceSettings{URL: "db", Secrets: secrets}).refuses(t, "SELECT 1", 400, name)
	}
}

func TestLimits(t *testing.T) {
	host := map[string]string{
		"GF_SQL_ROW_LIMIT": "7", "GF_SQL_MAX_OPEN_CONNS_DEFAULT": "5",
		"GF_SQL_MAX_IDLE_CONNS_DEFAULT": "4", "GF_SQL_MAX_CONN_LIFETIME_SECONDS_DEFAULT": "3",
	}
	for _, test := range []struct {
		settings string
		host     map[string]string
		want     limits
	}{
		{`{}`, nil, limits{open: 100, idle: 100, age: 4 * time.Hour}},
		{`{}`, host, limits{rows: 7, open: 5, idle: 4, age: 3 * time.Second}},
		{`{"rowLimit": 9, "maxOpenConns": 0, "maxIdleConns": 1, "connMaxLifetime": 2, "timeInterval": ">10s"}`, host,
			limits{rows: 9, idle: 1, age: 2 * time.Second, interval: 10 * time.Second}},
		{`{"maxOpenConns": 8, "maxIdleConnsAuto": true}`, host, limits{rows: 7, open: 8, idle: 8, age: 3 * time.Second}},
	} {
		var s settings
		if err := json.Unmarshal([]byte(test.settings), &s); err != nil {
			t.Fatal(err)
		}
		if got, err := s.limits(test.host); err != nil || got != test.want {
			t.Errorf("%s: %+v, %v", test.settings, got, err)
		}
	}
}

func TestParams(t *testing.T) {
	var m model
	if err := json.Unmarshal([]byte(`{"params": [1, 9007199254740993, 2.5, "x", true, null]}`), &m); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(m.Params), "[{1} {9007199254740993} {2.5} {x} {true} {<nil>}]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, bad := range []string{`[[1]]`, `[{}]`, `[1e999]`} {
		if err := json.Unmarshal([]byte(`{"params": `+bad+`}`), &m); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}

func TestPosition(t *testing.T) {
	for place, want := range map[int]string{1: "line 1, column 1", 3: "line 1, column 3", 5: "line 2, column 1", 99: "line 2, column 3"} {
		if got := position("aé\u2028\nbc", place); got != want {
			t.Errorf("%d: %s, want %s", place, got, want)
		}
	}
}
