package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plugboard/plugboard/host/hosttest"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

const key = "open sesame"

// weatherAPI is the API, and how many connections were made to it.
type weatherAPI struct {
	*httptest.Server
	connections atomic.Int32
}

func startAPI(t *testing.T, elsewhere string) *weatherAPI {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /v1/stations", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `["KSEA","ENGM"]`) })
	routes.HandleFunc("GET /v1/readings", func(w http.ResponseWriter, r *http.Request) {
		switch r.FormValue("station") {
		case "KSEA":
			fmt.Fprintf(w, `[{"time":%q,"value":4.5},{"time":%q}]`, r.FormValue("from"), r.FormValue("to"))
		case "moved":
			http.Redirect(w, r, elsewhere, http.StatusFound)
		case "broken":
			fmt.Fprint(w, "<html>")
		default:
			http.NotFound(w, r)
		}
	})
	a := &weatherAPI{}
	a.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Weather-Key") != key {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		routes.ServeHTTP(w, r)
	}))
	a.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			a.connections.Add(1)
		}
	}
	a.Start()
	t.Cleanup(a.Close)
	return a
}

func TestReadings(t *testing.T) {
	leaked := make(chan string, 1)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leaked <- r.Header.Get("X-Weather-Key")
		fmt.Fprint(w, "[]")
	}))
	defer elsewhere.Close()
	api := startAPI(t, elsewhere.URL)
	p := hosttest.Run(t, ".", plugin.Context{DataSource: &plugin.DataSourceSettings{
		UID: "w", URL: api.URL + "/v1", JSON: []byte(`{"httpHeaderName1":"X-Weather-Key"}`), Secrets: plugin.Secrets{"httpHeaderValue1": key},
	}})

	if health, err := p.CheckHealth(); err != nil || health.Message != "the API has 2 stations" {
		t.Errorf("got %+v, %v", health, err)
	}
	about := plugin.TimeRange{From: time.Unix(0, 0), To: time.Unix(60, 0)}
	for range 3 {
		frames, err := p.QueryRange(`{"station":"KSEA"}`, about)
		if err != nil {
			t.Fatal(err)
		}
		f := frames[0]
		if got := fmt.Sprint(f.Field("time").At(1), f.Field("value").At(0), f.Field("value").At(1), f.Field("value").Labels); got !=
			"1970-01-01 00:01:00 +0000 UTC 4.5 <nil> map[station:KSEA]" {
			t.Error(got)
		}
	}
	if n := api.connections.Load(); n != 1 {
		t.Errorf("four calls took %d connections", n)
	}

	if _, err := p.Query(`{"station":"moved"}`); err != nil || <-leaked != "" {
		t.Errorf("the key was shown to another host, or: %v", err)
	}
	for station, want := range map[string]string{
		"":       "query: station is missing",
		"KXXX":   "GET " + api.URL + "/v1/readings: 404 Not Found",
		"broken": "the API's answer: invalid character '<' looking for beginning of value",
	} {
		if _, err := p.Query(`{"station":"` + station + `"}`); err == nil || err.Error() != want {
			t.Errorf("%s: got %v", station, err)
		}
	}
}

func TestFaultyAPI(t *testing.T) {
	api := startAPI(t, "")
	p := hosttest.Run(t, ".", plugin.Context{DataSource: &plugin.DataSourceSettings{UID: "w", URL: api.URL + "/v1"}})
	for url, want := range map[string]string{
		api.URL + "/v1":    "502 downstream: GET " + api.URL + "/v1/readings: 401 Unauthorized",
		"http://127.0.0.1": "502 downstream: GET http://127.0.0.1/readings: dial tcp ",
		"ftp://nowhere":    "400 downstream: settings: url must be that of the API, such as https://api.example.org",
	} {
		p.Context.DataSource.URL = url
		p.Context.DataSource.Updated = p.Context.DataSource.Updated.Add(time.Second)
		_, err := p.Query(`{"station":"KSEA"}`)
		failure, ok := errors.AsType[*plugin.Error](err)
		if !ok {
			t.Fatalf("%s: got %v", url, err)
		}
		if got := fmt.Sprintf("%d %s: %s", failure.Status, failure.Source, failure.Message); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s", url, got)
		}
	}
}

func TestSuite(t *testing.T) {
	api := startAPI(t, "")
	plugintest.Suite(t, plugin.DataSource(open), plugintest.Subject{
		Context: plugin.Context{DataSource: &plugin.DataSourceSettings{
			UID: "weather", URL: api.URL + "/v1", JSON: []byte(`{"httpHeaderName1":"X-Weather-Key"}`),
			Secrets: plugin.Secrets{"httpHeaderValue1": key},
		}},
		Query: `{"station":"KSEA"}`, BadQueries: []string{`{}`, `{"station":"nowhere"}`},
	})
}
