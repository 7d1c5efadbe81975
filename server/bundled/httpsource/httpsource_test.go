package httpsource

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

func sourceAt(url, jsonData string) plugin.Context {
	return plugin.Context{PluginID: "http", DataSource: &plugin.DataSourceSettings{ID: 1, UID: "h", Name: "API", URL: url, JSON: []byte(jsonData)}}
}

func query(t *testing.T, client *plugin.Client, source plugin.Context, model string) (frame.Frames, plugin.Response) {
	t.Helper()
	response, err := client.Query(t.Context(), &plugin.QueryRequest{Context: source, Queries: []plugin.DataQuery{{
		RefID: "A", JSON: []byte(model), TimeRange: plugin.TimeRange{From: time.Unix(1700000000, 0), To: time.Unix(1700003600, 0)},
	}}})
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

// show prints a frame's columns as "name type: values", and its notices.
func show(f *frame.Frame) string {
	var b strings.Builder
	for _, field := range f.Fields {
		fmt.Fprintf(&b, "%s %v:", field.Name, field.Type())
		for i := range field.Len() {
			value := field.At(i)
			switch v := value.(type) {
			case time.Time:
				value = v.Format(time.RFC3339Nano)
			case json.RawMessage:
				value = string(v)
			}
			fmt.Fprintf(&b, " %v", value)
		}
		b.WriteString("\n")
	}
	for _, notice := range f.Meta.Notices {
		fmt.Fprintf(&b, "%v: %s\n", notice.Severity, notice.Text)
	}
	return b.String()
}

// TestFormats shows the frames of responses.
func TestFormats(t *testing.T) {
	kind, text := "", ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		_, _ = io.WriteString(w, text)
	}))
	defer server.Close()
	client := plugintest.Start(t, Plugin())
	for _, test := range []struct{ name, kind, text, model, want string }{
		{"JSON", "application/json", `[{"n": 1, "s": "a", "b": true, "at": "2024-01-02T03:04:05Z", "o": {"x": [1, 2]}}, {"s": "é", "n": 2.5, "new": null, "big": 9007199254740993}]`, `{}`, `
n number float64: 1 2.5
s string: a é
b bool: true <nil>
at time.Time: 2024-01-02T03:04:05Z <nil>
o json.RawMessage: {"x":[1,2]} <nil>
new string: <nil> <nil>
big int64: <nil> 9007199254740993
`},
		{"columns", "application/json", `{"data": {"rows": [{"a": {"b": [5, "6"]}, "t": 1700000000}, {"a": {"b": []}, "t": 1700000000500}, {"t": "soon"}]}}`,
			`{"rootPath": "data.rows", "columns": [{"path": "t", "type": "time", "name": "time"}, {"path": "a.b[1]", "name": "x", "type": "integer"}, {"path": "none"}]}`, `
time time.Time: 2023-11-14T22:13:20Z 2023-11-14T22:13:20.5Z <nil>
x int64: 6 <nil> <nil>
none string: <nil> <nil> <nil>
warning: column time: 1 of the values are no time, and left out
warning: column none: no row has anything at "none"
`},
		{"arrays", "application/json", "\ufeff" + `{"x": [["a", 1], ["b", 2]]}`, `{"rootPath": "x"}`, `
0 string: a b
1 float64: 1 2
`},
		{"an index", "application/json", `[{"v": [1]}, {"v": [2, 3]}]`, `{"rootPath": "[1].v"}`, `
value float64: 2 3
`},
		{"one object", "application/json", `{"a": 1}`, `{}`, `
a float64: 1
`},
		{"mixed types", "application/json", `[{"a": 1}, {"a": "x"}, {"a": null}, {"a": {"b": 1}}]`, `{}`, `
a string: 1 x <nil> {"b":1}
`},
		{"NDJSON", "application/x-ndjson", "{\"a\": 1}\n{\"a\": 2}\n", `{}`, `
a float64: 1 2
`},
		{"CSV", "text/csv; charset=utf-8", "day,high,code,ok,when,\r\n1,-0.5,007,true,2024-01-02,\n,\"1,5\",08,FALSE,2024-01-03 04:05,x", `{}`, `
day float64: 1 <nil>
high string: -0.5 1,5
code string: 007 08
ok bool: true false
when time.Time: 2024-01-02T00:00:00Z 2024-01-03T04:05:00Z
column 6 string: <nil> x
`},
		{"CSV of Latin 1", "text/csv; charset=iso-8859-1", "a;b\n\xe9;2\n", `{"columns": [{"path": "b", "type": "string"}, {"path": "a"}]}`, `
b string: 2
a string: é
`},
		{"CSV without rows", "text/csv", "a,b\n", `{}`, `
a string:
b string:
`},
		{"time format", "text/csv", "at,d\n1700000000123,02.01.2024\n", `{"timeFormat": "02.01.2006"}`, `
at float64: 1.700000000123e+12
d time.Time: 2024-01-02T00:00:00Z
`},
		{"milliseconds", "text/csv", "at\n1700000000123\n", `{"timeFormat": "unix_ms", "columns": [{"path": "at", "type": "time"}]}`, `
at time.Time: 2023-11-14T22:13:20.123Z
`},
		{"XML", "application/xml", `<?xml version="1.0"?><feed n="1"><title>T</title><entry id="7"><name>a &amp; b</name><size unit="kg"> 5 </size></entry><entry id="8"><size>6</size></entry></feed>`,
			`{"rootPath": "feed.entry"}`, `
@id float64: 7 8
name string: a & b <nil>
size.@unit string: kg <nil>
size float64: 5 6
`},
		{"XML without a path", "text/xml", `<r><i>1</i><i>2</i></r>`, `{}`, `
value float64: 1 2
`},
		{"HTML", "text/html", `<table><tr><th>no</table><p><table id=t class="x y"><thead><tr><th>City<th>People<tbody><tr><td>A<br>B<td>5<tr><td colspan=2>C</table>`,
			`{"rootPath": "#t"}`, `
City string: A B C
People float64: 5 <nil>
`},
		{"HTML by number", "text/html", `<table><tr><th>no</table><table><tr><th>a<tr><td>1</table>`, `{"rootPath": "2", "format": "html"}`, `
a float64: 1
`},
		{"by content", "", "[1]", `{}`, `
value float64: 1
`},
	} {
		t.Run(test.name, func(t *testing.T) {
			kind, text = test.kind, test.text
			frames, answer := query(t, client, sourceAt(server.URL, `{}`), test.model)
			if answer.Error != "" {
				t.Fatal(answer.Error)
			}
			want := strings.Replace(test.want[1:], "n number float64", "n float64", 1)
			if got := show(frames[0]); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestRequests(t *testing.T) {
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = strings.TrimSpace(fmt.Sprintf("%s %s %s %s", r.Method, r.URL, r.Header.Get("X-A"), body))
		_, _ = io.WriteString(w, "[]")
	}))
	defer server.Close()
	client := plugintest.Start(t, Plugin())
	for _, test := range []struct{ base, model, want string }{
		{"/v1/?key=k", `{"url": "a/b?x=1", "params": {"y": [1, "two", true], "x": "3"}}`, "GET /v1/a/b?key=k&x=3&y=1&y=two&y=true"},
		{"/v1", `{}`, "GET /v1"},
		{"/v1", `{"url": "/a%2Fb"}`, "GET /v1/a%2Fb"},
		{"/v1", `{"url": "?from=${__from:date:iso}&to=$__to&s=${__from:date:seconds}"}`, "GET /v1?from=2023-11-14T22%3A13%3A20.000Z&s=1700000000&to=1700003600000"},
		{"", `{"url": "q", "method": "post", "body": {"from": $__from}, "headers": {"X-A": "b"}}`, `POST /q b {"from": 1700000000000}`},
		{"", `{"url": "q", "method": "POST", "body": "text"}`, `POST /q  text`},
	} {
		model := strings.Replace(test.model, `{"from": $__from}`, `{"from": "$__from"}`, 1)
		want := strings.Replace(test.want, `{"from": 1700000000000}`, `{"from": "1700000000000"}`, 1)
		_, answer := query(t, client, sourceAt(server.URL+test.base, `{}`), model)
		if answer.Error != "" || asked != want {
			t.Errorf("%s: %q, asked %q, want %q", test.model, answer.Error, asked, want)
		}
	}
	_, answer := query(t, client, sourceAt(server.URL+"/v1", `{}`), fmt.Sprintf(`{"url": "%s/v1/full"}`, server.URL))
	if answer.Error != "" || asked != "GET /v1/full" {
		t.Errorf("in full: %q, %s", answer.Error, asked)
	}
}

func TestPagination(t *testing.T) {
	server := httptest.NewServer(nil)
	defer server.Close()
	pages := 0
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pages++
		v := r.URL.Query()
		switch r.URL.Path {
		case "/page": // three pages, 2 + 2 + 1 rows
			fmt.Fprint(w, map[string]string{"1": "[1, 2]", "2": "[3, 4]", "3": "[5]"}[v.Get("page")]+"")
			if v.Get("page") > "3" {
				fmt.Fprint(w, "[]")
			}
		case "/offset":
			fmt.Fprint(w, map[string]string{"0": "[1, 2]", "2": "[3]"}[v.Get("skip")], map[bool]string{true: "", false: "x"}[v.Get("take") == "2"])
		case "/cursor":
			fmt.Fprint(w, map[string]string{"": `{"rows": [1], "next": "b"}`, "b": `{"next": 7, "rows": [2]}`, "7": `{"rows": [3], "next": null}`}[v.Get("cursor")])
		case "/link":
			w.Header().Add("Link", `</link?p=0>; rel="prev", </link?p=2>; rel="next"`)
			if v.Get("p") == "2" {
				w.Header().Set("Link", `</link>; rel=first`)
			}
			fmt.Fprint(w, "[1]")
		case "/away":
			w.Header().Add("Link", `<http://elsewhere.test/>; rel=next`)
			fmt.Fprint(w, "[1]")
		case "/endless":
			fmt.Fprint(w, "[1]")
		}
	})
	client := plugintest.Start(t, Plugin())
	for _, test := range []struct {
		name, model string
		rows, pages int
		want        string // in the notices or the error
	}{
		{"page", `{"url": "page", "pagination": {"type": "page"}}`, 5, 4, ""},
		{"page with size", `{"url": "page", "pagination": {"type": "page", "size": 2}}`, 5, 3, ""},
		{"offset", `{"url": "offset", "pagination": {"type": "offset", "param": "skip", "sizeParam": "take", "size": 2}}`, 3, 2, ""},
		{"cursor", `{"url": "cursor", "rootPath": "rows", "pagination": {"type": "cursor", "cursorPath": "next"}}`, 3, 3, ""},
		{"link", `{"url": "link", "pagination": {"type": "link"}}`, 2, 2, ""},
		{"bounded", `{"url": "endless", "pagination": {"type": "page"}}`, 10, 10, "only the first 10 pages"},
		{"row limit", `{"url": "endless", "pagination": {"type": "page", "maxPages": 1000}}`, 20, 21, "only the first 20 rows"},
		{"away", `{"url": "away", "pagination": {"type": "link"}}`, 0, 1, "url is not under " + server.URL},
	} {
		t.Run(test.name, func(t *testing.T) {
			pages = 0
			frames, answer := query(t, client, sourceAt(server.URL, `{"rowLimit": 20}`), test.model)
			rows, said := 0, answer.Error
			if len(frames) > 0 {
				rows = frames[0].Rows()
				said += fmt.Sprint(frames[0].Meta.Notices)
			}
			if rows != test.rows || pages != test.pages || !strings.Contains(said, test.want) || (answer.Error != "") != (test.name == "away") {
				t.Errorf("%d rows of %d pages, %q", rows, pages, said)
			}
		})
	}
}

func TestBadInput(t *testing.T) {
	status, kind, text := 200, "", ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	defer server.Close()
	tlsServer := httptest.NewTLSServer(http.NotFoundHandler())
	defer tlsServer.Close()
	client := plugintest.Start(t, Plugin())
	base := server.URL + "/v1?key=s3cret"
	for _, test := range []struct {
		name, url, settings, model string
		code                       int
		kind, text                 string
		status                     int
		want                       string
	}{
		{"no url", "", `{}`, `{}`, 200, "", "", 400, "settings: url is missing"},
		{"url", "x:s3cret", `{}`, `{}`, 200, "", "", 400, "settings: url is not one of http://"},
		{"row limit", base, `{"rowLimit": -1}`, `{}`, 200, "", "", 400, "jsonData.rowLimit is below 0"},
		{"method", base, `{}`, `{"method": "DELETE"}`, 200, "", "", 400, "method DELETE is neither GET nor POST"},
		{"format", base, `{}`, `{"format": "yaml"}`, 200, "", "", 400, `format: want one of json, csv, ndjson, xml, html, have "yaml"`},
		{"root path", base, `{}`, `{"rootPath": "a[", "format": "json"}`, 200, "", "", 400, "rootPath: "},
		{"column", base, `{}`, `{"columns": [{}]}`, 200, "", "", 400, "columns[0].path: is missing"},
		{"type", base, `{}`, `{"columns": [{"path": "a", "type": "int"}]}`, 200, "", "", 400, `columns[0].type: want one of string`},
		{"pagination", base, `{}`, `{"pagination": {"type": "all"}}`, 200, "", "", 400, `pagination.type: want one of page`},
		{"params", base, `{}`, `{"params": {"a": {}}}`, 200, "", "", 400, "params: want texts"},
		{"wrong type", base, `{}`, `{"url": 1}`, 200, "", "", 400, "query: url: want a string"},
		{"other host", base, `{}`, `{"url": "http://elsewhere.test/"}`, 200, "", "", 400, "url is not under " + server.URL + "/v1, the data source's"},
		{"other host, no scheme", base, `{}`, `{"url": "//elsewhere.test/"}`, 200, "", "", 400, "url is not under"},
		{"other path", base, `{}`, `{"url": "` + server.URL + `/v2"}`, 200, "", "", 400, "url is not under"},
		{"path that begins alike", base, `{}`, `{"url": "` + server.URL + `/v1x"}`, 200, "", "", 400, "url is not under"},
		{"climbing", base, `{}`, `{"url": "a/../../x"}`, 200, "", "", 400, "url has .. in it"},
		{"climbing in disguise", base, `{}`, `{"url": "%2e%2e/x"}`, 200, "", "", 400, "url has .. in it"},
		{"credentials", base, `{}`, `{"url": "a?t=s3cret"}`, 401, "text/plain", "who are you", 502, "data source API: GET " + server.URL + "/v1/a: 401 Unauthorized: who are you"},
		{"echoed secret", base, `{}`, `{}`, 400, "text/plain", "bad key s3cret", 400, "400 Bad Request"},
		{"not found", base, `{}`, `{"url": "a"}`, 404, "text/html", "<p>no", 404, "/v1/a: 404 Not Found"},
		{"broken JSON", base, `{}`, `{"url": "a"}`, 200, "application/json", `[{"a": 1}, {`, 502, "/v1/a: not JSON: unexpected EOF"},
		{"HTML for JSON", base, `{}`, `{"format": "json"}`, 200, "text/html", "<p>", 502, "not JSON: unexpected '<' at byte 0"},
		{"no root", base, `{}`, `{"rootPath": "a.b"}`, 200, "application/json", `{"a": {}}`, 502, `no rows at rootPath "a.b"`},
		{"no table", base, `{}`, `{"rootPath": ".none"}`, 200, "text/html", `<table>`, 502, `no table at rootPath ".none"`},
		{"broken XML", base, `{}`, `{}`, 200, "text/xml", `<a><b></a>`, 502, "XML syntax error"},
		{"too long", base, `{"responseLimit": 10}`, `{}`, 200, "application/json", `[1, 2, 3, 4, 5, 6]`, 502, "longer than 10 bytes"},
		{"unreachable", "http://u:s3cret@127.0.0.1:1/x", `{}`, `{}`, 200, "", "", 502, "data source API: GET http://127.0.0.1:1/x: dial tcp"},
		{"TLS", tlsServer.URL, `{}`, `{}`, 200, "", "", 502, "certificate signed by unknown authority"},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, kind, text = test.code, test.kind, test.text
			_, answer := query(t, client, sourceAt(test.url, test.settings), test.model)
			if answer.Status != test.status || answer.ErrorSource != plugin.SourceDownstream {
				t.Errorf("status %d, source %s", answer.Status, answer.ErrorSource)
			}
			if !strings.Contains(answer.Error, test.want) || strings.Contains(answer.Error, "s3cret") {
				t.Errorf("%q, want %q", answer.Error, test.want)
			}
		})
	}
}

func TestHealth(t *testing.T) {
	status := 200
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) }))
	defer server.Close()
	client := plugintest.Start(t, Plugin())
	for code, want := range map[int]plugin.HealthStatus{200: plugin.HealthOK, 404: plugin.HealthOK, 401: plugin.HealthError, 500: plugin.HealthError} {
		status = code
		health, err := client.CheckHealth(t.Context(), &plugin.HealthRequest{Context: sourceAt(server.URL+"/?key=s3cret", `{}`)})
		if err != nil || health.Status != want || strings.Contains(health.Message, "s3cret") || !strings.Contains(health.Message, fmt.Sprint(code)) {
			t.Errorf("%d: %+v, %v", code, health, err)
		}
	}
	description, err := client.Describe(t.Context())
	if err != nil || description.QueryText != "url" {
		t.Errorf("description %+v, %v", description, err)
	}
}

// TestCancellation checks that a question nobody waits for ends on the server.
func TestCancellation(t *testing.T) {
	asked, ended := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
	_, err := client.Query(ctx, &plugin.QueryRequest{Context: sourceAt(server.URL, `{}`), Queries: []plugin.DataQuery{{RefID: "A"}}})
	if err == nil {
		t.Error("an answer")
	}
	<-ended
}

// FuzzRead reads whatever a server may send, as each format.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		`{"rows": [{"a": 1, "b": [true]}], "next": "x"}`, "a,b\n1,\"2", `<a><b c="d">e</b></a>`,
		`<table><tr><th>a<tr><td colspan=1000000>1</table>`, "\ufeff", "{}{}", "a;b|c\n1\t2",
	} {
		f.Add(text, "rows")
		f.Add(text, "")
	}
	f.Fuzz(func(t *testing.T, text, root string) {
		for _, format := range []string{"json", "ndjson", "csv", "xml", "html", ""} {
			for _, columns := range [][]columnModel{nil, {{Path: "a", Type: "time"}, {Path: "b[0]"}}} {
				m := model{Format: format, RootPath: root, Columns: columns, Pagination: &pagination{Type: "cursor", CursorPath: "next"}}
				q, err := newQuestion(plugin.Query[model]{Model: m})
				if err != nil {
					continue
				}
				tab := newTable(q.columns, 1000)
				response := &http.Response{Body: io.NopCloser(strings.NewReader(text)), Header: http.Header{}}
				if q.read(response, tab, &page{}) != nil {
					continue
				}
				answer, err := tab.frame("")
				if err != nil {
					continue
				}
				if err := answer.Validate(); err != nil {
					t.Errorf("%s %q: %v", format, text, err)
				}
			}
		}
	})
}

func TestSuite(t *testing.T) {
	gone := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			select {
			case <-r.Context().Done():
			case <-gone:
			}
		}
		_, _ = io.WriteString(w, `[{"a":1},{"a":2}]`)
	}))
	defer server.Close()
	defer close(gone)
	plugintest.Suite(t, Plugin(), plugintest.Subject{
		Context: plugin.Context{DataSource: &plugin.DataSourceSettings{UID: "h", URL: server.URL}},
		Query:   `{"url": "/list"}`, Slow: `{"url": "/slow"}`, BadQueries: []string{`{"url": "/list", "format": "poem"}`},
	})
}
