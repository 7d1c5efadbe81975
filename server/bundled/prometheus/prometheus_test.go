package prometheus

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/frametest"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

var update = flag.Bool("update", false, "write the golden files")

// at is the end of every test's time range, an hour long.
var at = time.Unix(1700000000, 0)

func dataQuery(query string) plugin.DataQuery {
	return plugin.DataQuery{
		RefID: "A", JSON: []byte(query),
		TimeRange:     plugin.TimeRange{From: at.Add(-time.Hour), To: at},
		Interval:      15 * time.Second,
		MaxDataPoints: 240,
	}
}

func sourceAt(url, jsonData string) plugin.Context {
	return plugin.Context{PluginID: "prometheus", DataSource: &plugin.DataSourceSettings{ID: 1, UID: "p", Name: "Prom", URL: url, JSON: []byte(jsonData)}}
}

func query(t *testing.T, client *plugin.Client, source plugin.Context, q plugin.DataQuery) (frame.Frames, plugin.Response) {
	t.Helper()
	response, err := client.Query(t.Context(), &plugin.QueryRequest{Context: source, Queries: []plugin.DataQuery{q}})
	if err != nil {
		t.Fatal(err)
	}
	answer := response.Responses["A"]
	frames, err := answer.Decode()
	if err != nil {
		t.Fatal(err)
	}
	return frames, answer
}

// recorded serves the answers in testdata by endpoint, and keeps what it was
// asked.
type recorded struct {
	*httptest.Server
	asked []*http.Request
}

func replay(t *testing.T, byEndpoint map[string]string) *recorded {
	r := &recorded{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		_ = request.ParseForm()
		r.asked = append(r.asked, request)
		name, ok := byEndpoint[strings.TrimPrefix(request.URL.Path, "/sub/api/v1/")]
		if !ok {
			http.NotFound(w, request)
			return
		}
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		if strings.Contains(string(text[:20]), "error") {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = w.Write(text)
	}))
	t.Cleanup(r.Close)
	return r
}

// TestFrames compares the frames of recorded answers with golden files.
func TestFrames(t *testing.T) {
	client := plugintest.Start(t, Plugin())
	for _, test := range []struct {
		name, query string
		answers     map[string]string
	}{
		{"range", `{"expr": "rate(x[$__rate_interval])", "range": true, "legendFormat": "{{job}} {{ instance }} {{none}}", "interval": "30s"}`, map[string]string{"query_range": "matrix.json"}},
		{"range_auto", `{"expr": "x", "legendFormat": "__auto"}`, map[string]string{"query_range": "matrix.json"}},
		{"instant", `{"expr": "up", "instant": true}`, map[string]string{"query": "vector.json"}},
		{"instant_table", `{"expr": "up", "instant": true, "format": "table"}`, map[string]string{"query": "vector.json"}},
		{"both", `{"expr": "up", "instant": true, "range": true}`, map[string]string{"query": "vector.json", "query_range": "matrix.json"}},
		{"scalar", `{"expr": "1+1", "instant": true}`, map[string]string{"query": "scalar.json"}},
		{"string", `{"expr": "'a'", "instant": true}`, map[string]string{"query": "string.json"}},
		{"empty", `{"expr": "nosuch"}`, map[string]string{"query_range": "empty.json"}},
		{"warnings", `{"expr": "x"}`, map[string]string{"query_range": "warnings.json"}},
		{"histogram", `{"expr": "h", "format": "heatmap"}`, map[string]string{"query_range": "histogram.json"}},
		{"exemplar", `{"expr": "x", "exemplar": true}`, map[string]string{"query_range": "empty.json", "query_exemplars": "exemplars.json"}},
		{"no_exemplars", `{"expr": "x", "exemplar": true}`, map[string]string{"query_range": "matrix.json", "query_exemplars": "error.json"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := replay(t, test.answers)
			frames, answer := query(t, client, sourceAt(server.URL+"/sub/", `{}`), dataQuery(test.query))
			if answer.Error != "" {
				t.Fatal(answer.Error)
			}
			for i := range frames { // the server's port is another every time
				for n := range frames[i].Meta.Notices {
					notice := &frames[i].Meta.Notices[n]
					notice.Text = strings.ReplaceAll(notice.Text, server.URL, "http://server")
				}
			}
			golden(t, filepath.Join("testdata", "golden", test.name+".txt"), frames)
		})
	}
}

// golden compares all frames of an answer with one file.
func golden(t *testing.T, path string, frames frame.Frames) {
	t.Helper()
	var all strings.Builder
	for _, f := range frames {
		all.WriteString(frametest.Text(f) + "\n")
	}
	if *update {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(all.String()), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if all.String() != string(want) {
		t.Errorf("%s: the frames differ:\n%s\nwant\n%s", path, all.String(), want)
	}
}

// TestRequests checks what the server is asked.
func TestRequests(t *testing.T) {
	client := plugintest.Start(t, Plugin())
	server := replay(t, map[string]string{"query": "vector.json", "query_range": "matrix.json"})
	for _, test := range []struct{ settings, query, want string }{
		{`{}`, `{"expr": "up"}`, "POST query_range? end=1699999995&query=up&start=1699996395&step=15"},
		{`{"httpMethod": "GET", "customQueryParameters": "max_source_resolution=5m&token=t"}`, `{"expr": "up", "instant": true}`,
			"GET query?max_source_resolution=5m&query=up&time=1700000000&token=t "},
		{`{"customQueryParameters": "token=t", "queryTimeout": "30s"}`, `{"expr": "up", "instant": true}`,
			"POST query?token=t query=up&time=1700000000&timeout=30s"},
		{`{"timeInterval": "60s"}`, `{"expr": "up[$__interval] $__rate_interval ${__range_s}"}`,
			"POST query_range? end=1699999980&query=up[1m] 4m0s 3600&start=1699996380&step=60"},
	} {
		server.asked = nil
		query(t, client, sourceAt(server.URL+"/sub", test.settings), dataQuery(test.query))
		r := server.asked[0]
		unescaped := strings.NewReplacer("%5B", "[", "%5D", "]", "+", " ").Replace(r.PostForm.Encode())
		got := fmt.Sprintf("%s %s?%s %s", r.Method, strings.TrimPrefix(r.URL.Path, "/sub/api/v1/"), r.URL.RawQuery, unescaped)
		if got != test.want {
			t.Errorf("%s:\n%s\nwant\n%s", test.query, got, test.want)
		}
	}
}

// TestSteps has the figures that Grafana's own tests have.
func TestSteps(t *testing.T) {
	for _, test := range []struct {
		query, scrape string
		span          time.Duration
		points        int64
		step          time.Duration
		expr          string
	}{
		{`{"expr": "go"}`, "15s", 12 * time.Hour, 0, 30 * time.Second, "go"},
		{`{"expr": "go"}`, "15s", 48 * time.Hour, 0, 2 * time.Minute, "go"},
		{`{"expr": "go", "intervalFactor": 10}`, "15s", 48 * time.Hour, 0, 20 * time.Minute, "go"},
		{`{"expr": "go", "interval": "5m"}`, "240s", 48 * time.Hour, 0, 5 * time.Minute, "go"},
		{`{"expr": "go", "intervalFactor": 1}`, "240s", 48 * time.Hour, 0, 4 * time.Minute, "go"},
		{`{"expr": "rate(a[$__interval]) $__interval_ms ${__interval}"}`, "", time.Hour, 1000, 15 * time.Second, "rate(a[15s]) 15000 15s"},
		{`{"expr": "$__range $__range_s $__range_ms ${__range}"}`, "", 2 * time.Second, 100, 15 * time.Second, "2s 2 2000 2s"},
		{`{"expr": "$__rate_interval ${__rate_interval_ms}"}`, "30s", time.Hour, 100, 30 * time.Second, "2m0s 120000"},
		{`{"expr": "$__rate_interval", "interval": "$__rate_interval"}`, "30s", time.Hour, 100, 2 * time.Minute, "2m0s"},
		{`{"expr": "$__rate_interval", "interval": "1h"}`, "", time.Hour, 100, time.Hour, "4h0m0s"},
		{`{"expr": "a", "intervalMs": 60000}`, "15s", time.Hour, 1000, time.Minute, "a"},
		{`{"expr": "a", "interval": "10ms"}`, "", 11000 * time.Minute, 1 << 40, time.Minute, "a"},
		{`{"expr": "a", "interval": "$__interval"}`, "10s", time.Hour, 1000, 10 * time.Second, "a"},
	} {
		q := plugin.Query[model]{DataQuery: plugin.DataQuery{
			MaxDataPoints: test.points, TimeRange: plugin.TimeRange{From: at.Add(-test.span), To: at},
		}}
		if err := json.Unmarshal([]byte(test.query), &q.Model); err != nil {
			t.Fatal(err)
		}
		question, err := newQuestion(q, test.scrape)
		if err != nil {
			t.Errorf("%s: %v", test.query, err)
			continue
		}
		if question.step != test.step || question.expr != test.expr {
			t.Errorf("%s, %v: step %v, %q; want %v, %q", test.query, test.span, question.step, question.expr, test.step, test.expr)
		}
	}
}

func TestWrongIntervals(t *testing.T) {
	for _, text := range []string{"", "x", "-5s", "-5", "5x", "1.5d", "99999999999999y", "<>"} {
		if d, err := parseInterval(text); err == nil {
			t.Errorf("%q is %v", text, d)
		}
	}
	for text, want := range map[string]time.Duration{"5": 5 * time.Second, "<10m>": 10 * time.Minute, ">10s": 10 * time.Second, "1d": day, "2w": 14 * day, "1m30s": 90 * time.Second} {
		if d, err := parseInterval(text); err != nil || d != want {
			t.Errorf("%q is %v, %v", text, d, err)
		}
	}
}

func TestBadInput(t *testing.T) {
	client := plugintest.Start(t, Plugin())
	status := http.StatusOK
	body := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	defer server.Close()
	tlsServer := httptest.NewTLSServer(http.NotFoundHandler())
	defer tlsServer.Close()
	secret := `{"customQueryParameters": "token=s3cret"}`
	for _, test := range []struct {
		name           string
		url, settings  string
		query          string
		code           int
		body           string
		wantStatus     int
		wantDownstream bool
		want           string
	}{
		{"no expr", server.URL, `{}`, `{}`, 200, "", 400, true, "query: expr is missing"},
		{"format", server.URL, `{}`, `{"expr": "a", "format": "graph"}`, 200, "", 400, true, `format: want one of time_series`},
		{"interval", server.URL, `{}`, `{"expr": "a", "interval": "often"}`, 200, "", 400, true, `query: interval: "often" is not a duration`},
		{"wrong type", server.URL, `{}`, `{"expr": 1}`, 200, "", 400, true, "query: expr: want a string"},
		{"no url", "", `{}`, `{"expr": "a"}`, 200, "", 400, true, "settings: url is missing"},
		{"url", "ftp://u:s3cret@x", `{}`, `{"expr": "a"}`, 200, "", 400, true, "settings: url is not one of http://"},
		{"method", server.URL, `{"httpMethod": "PUT"}`, `{"expr": "a"}`, 200, "", 400, true, "jsonData.httpMethod: want GET or POST"},
		{"scrape interval", server.URL, `{"timeInterval": "x"}`, `{"expr": "a"}`, 200, "", 400, true, "jsonData.timeInterval:"},
		{"timeout", server.URL, `{"queryTimeout": "x"}`, `{"expr": "a"}`, 200, "", 400, true, "jsonData.queryTimeout:"},
		{"credentials", server.URL, secret, `{"expr": "a"}`, 401, "", 502, true, "data source Prom: POST " + server.URL + "/api/v1/query_range: 401 Unauthorized"},
		{"bad PromQL", server.URL, secret, `{"expr": "a("}`, 400, `{"status":"error","errorType":"bad_data","error":"parse error"}`, 400, true, "/api/v1/query_range: bad_data: parse error"},
		{"HTML", server.URL, secret, `{"expr": "a"}`, 200, "<html>log in</html>", 502, true, "the answer is not one of Prometheus: not JSON: unexpected '<' at byte 0"},
		{"cut", server.URL, secret, `{"expr": "a"}`, 200, `{"status":"success","data":{"resultType":"matrix","result":[{"met`, 502, true, "not JSON: unexpected EOF"},
		{"other JSON", server.URL, secret, `{"expr": "a"}`, 200, `{}`, 502, true, `status ""`},
		{"unreachable", "http://u:s3cret@127.0.0.1:1", secret, `{"expr": "a"}`, 200, "", 502, true, "data source Prom: POST http://127.0.0.1:1/api/v1/query_range: dial tcp"},
		{"TLS", tlsServer.URL, secret, `{"expr": "a"}`, 200, "", 502, true, "certificate signed by unknown authority"},
		{"no TLS", strings.Replace(server.URL, "http:", "https:", 1), secret, `{"expr": "a"}`, 200, "", 502, true, "server gave HTTP response to HTTPS client"},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, body = test.code, test.body
			_, answer := query(t, client, sourceAt(test.url, test.settings), dataQuery(test.query))
			if answer.Status != test.wantStatus || (answer.ErrorSource == plugin.SourceDownstream) != test.wantDownstream {
				t.Errorf("status %d, source %s", answer.Status, answer.ErrorSource)
			}
			if !strings.Contains(answer.Error, test.want) || strings.Contains(answer.Error, "s3cret") {
				t.Errorf("%q, want %q", answer.Error, test.want)
			}
		})
	}
}

// TestCancellation checks that a question nobody waits for ends on the server.
func TestCancellation(t *testing.T) {
	asked, ended := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm() // the server notices only once the body is read
		close(asked)
		<-r.Context().Done()
		close(ended)
	}))
	defer server.Close()
	client := plugintest.Start(t, Plugin())
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	_, err := client.Query(ctx, &plugin.QueryRequest{Context: sourceAt(server.URL, `{}`), Queries: []plugin.DataQuery{dataQuery(`{"expr": "up"}`)}})
	if err == nil {
		t.Error("an answer")
	}
	<-ended
}

func TestResources(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		if r.URL.Path == "/api/v1/label/secret/values" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		w.Header().Set("Set-Cookie", "a=b")
		fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.Path, r.Form.Encode())
	}))
	defer server.Close()
	client := plugintest.Start(t, Plugin())
	for _, test := range []struct {
		method, url, body string
		status            int
		want              string
	}{
		{"GET", "api/v1/labels?start=1", "", 200, "POST /api/v1/labels start=1"},
		{"POST", "api/v1/series", "match[]=up", 200, "POST /api/v1/series match%5B%5D=up"},
		{"GET", "api/v1/label/job/values", "", 200, "GET /api/v1/label/job/values "},
		{"GET", "api/v1/metadata?metric=up", "", 200, "GET /api/v1/metadata metric=up"},
		{"GET", "version-detect", "", 200, "GET /api/v1/status/buildinfo "},
		{"POST", "api/v1/metadata", "", 405, "no POST of api/v1/metadata"},
		{"POST", "api/v1/admin/tsdb/delete_series", "", 404, "no resource api/v1/admin/tsdb/delete_series"},
		{"POST", "api/v1/write", "", 404, "no resource"},
		{"GET", "api/v1/label/..%2f..%2fadmin/values", "", 404, "no resource"},
		{"GET", "api/v1/label/secret/values", "", 502, "data source Prom: GET " + server.URL + "/api/v1/label/secret/values: 401 Unauthorized"},
		{"GET", "-/quit", "", 404, "no resource"},
	} {
		var body strings.Builder
		status, header := 0, http.Header{}
		path, _, _ := strings.Cut(test.url, "?")
		err := client.CallResource(t.Context(), &plugin.ResourceRequest{
			Context: sourceAt(server.URL, `{}`), Method: test.method, Path: path, URL: test.url, Body: []byte(test.body),
		}, func(r plugin.ResourceResponse) error {
			if r.Status != 0 {
				status, header = r.Status, r.Header
			}
			body.Write(r.Body)
			return nil
		})
		if err != nil || status != test.status || !strings.Contains(body.String(), test.want) || header.Get("Set-Cookie") != "" {
			t.Errorf("%s %s: %d %q, %v, %v", test.method, test.url, status, body.String(), header, err)
		}
	}
}

func TestSuite(t *testing.T) {
	gone := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.FormValue("query") {
		case "slow":
			select {
			case <-r.Context().Done():
			case <-gone:
			}
		case "sum(":
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"status":"error","errorType":"bad_data","error":"parse error"}`)
			return
		}
		fmt.Fprint(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"job":"a"},"values":[[1704067200,"1"]]}]}}`)
	}))
	defer server.Close()
	defer close(gone)
	plugintest.Suite(t, Plugin(), plugintest.Subject{
		Context: sourceAt(server.URL, `{}`),
		Query:   `{"expr": "up", "range": true}`, Slow: `{"expr": "slow", "range": true}`, BadQueries: []string{`{}`, `{"expr": "sum("}`},
	})
}
