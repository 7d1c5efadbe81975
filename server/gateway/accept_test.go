package gateway

import (
	"bytes"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framejson"
	"github.com/plugboard/plugboard/plugin"
)

func TestFormatOf(t *testing.T) {
	for accept, want := range map[string]string{
		"":                                  "json",
		"*/*":                               "json",
		"application/*":                     "json",
		"application/json, text/plain, */*": "json",
		"text/html,application/xhtml+xml,*/*;q=0.8": "json",
		"text/csv":                             "csv",
		"text/*":                               "csv",
		"TEXT/CSV; charset=utf-8":              "csv",
		"text/csv;q=0.5, application/x-ndjson": "ndjson",
		"application/vnd.apache.arrow.stream, */*":         "arrow",
		"application/vnd.apache.parquet;q=1, text/csv;q=x": "parquet",
		"text/csv;q=0, application/json;q=0.1":             "json",
		"text/html":                                        "",
		"text/csv;q=0":                                     "",
		",;,":                                              "",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept", accept)
		if got, err := formatOf(r, ""); got.name != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", accept, got.name, err, want)
		}
	}
}

// twoFrames answers with two frames, one of them in JSON, that share a column.
func twoFrames(t testing.TB) func(*plugin.QueryRequest) (*plugin.QueryResponse, error) {
	at := []time.Time{time.UnixMilli(1700000000000).UTC(), time.UnixMilli(1700000001000).UTC()}
	first := frame.New("one", frame.NewField("time", nil, at), frame.NewField("v", frame.Labels{"city": "Oslo"}, []float64{1.5, 2}))
	second := frame.New("two", frame.NewField("time", nil, at[:1]), frame.NewField("v", frame.Labels{"city": "Rome"}, []string{`a,"b"`}))
	arrow, err := first.MarshalArrow()
	if err != nil {
		t.Fatal(err)
	}
	json, err := framejson.Append(nil, second, framejson.IncludeAll)
	if err != nil {
		t.Fatal(err)
	}
	return func(*plugin.QueryRequest) (*plugin.QueryResponse, error) {
		return &plugin.QueryResponse{Responses: map[string]plugin.Response{
			"B": {Status: 200, Frames: [][]byte{json}, Format: plugin.FormatJSON},
			"A": {Status: 200, Frames: [][]byte{arrow}},
		}}, nil
	}
}

const askOne = `{"queries":[{"datasource":{"uid":"one"}}]}`

func TestFormats(t *testing.T) {
	a := newAPI(t)
	a.host.query = twoFrames(t)
	ask := func(accept string) *httptest.ResponseRecorder {
		w := a.call("POST", "/api/ds/query", askOne, "Accept", accept)
		if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), accept) {
			t.Errorf("%s: %d %v %s", accept, w.Code, w.Header(), w.Body)
		}
		return w
	}
	const csv = "time,\"v{city=\"\"Oslo\"\"}\",\"v{city=\"\"Rome\"\"}\"\r\n" +
		"2023-11-14T22:13:20Z,1.5,\r\n2023-11-14T22:13:21Z,2,\r\n2023-11-14T22:13:20Z,,\"a,\"\"b\"\"\"\r\n"
	if got := ask("text/csv").Body.String(); got != csv {
		t.Errorf("CSV:\n%s\nwant\n%s", got, csv)
	}
	const ndjson = `{"time":"2023-11-14T22:13:20Z","v{city=\"Oslo\"}":1.5}
{"time":"2023-11-14T22:13:21Z","v{city=\"Oslo\"}":2}
{"time":"2023-11-14T22:13:20Z","v{city=\"Rome\"}":"a,\"b\""}
`
	if got := ask("application/x-ndjson").Body.String(); got != ndjson {
		t.Errorf("NDJSON:\n%s\nwant\n%s", got, ndjson)
	}
	arrow := ask("application/vnd.apache.arrow.stream").Body
	for _, want := range []string{"A one 2", "B two 1"} {
		stream, err := frame.NewStreamReader(arrow)
		if err != nil {
			t.Fatal(err)
		}
		f, err := stream.Next()
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(f.RefID, " ", f.Name, " ", f.Rows()); got != want {
			t.Errorf("Arrow: %s, want %s", got, want)
		}
		if _, err := stream.Next(); err != io.EOF {
			t.Errorf("after the stream's end: %v", err)
		}
	}
	if parquet := ask("application/vnd.apache.parquet").Body.Bytes(); !bytes.HasPrefix(parquet, []byte("PAR1")) || !bytes.HasSuffix(parquet, []byte("PAR1")) {
		t.Errorf("Parquet: %q", parquet)
	}
	a.wantFailure(406, "", "Not acceptable: answers are application/json, application/vnd.apache.arrow.stream, text/csv, application/x-ndjson, application/vnd.apache.parquet",
		"POST", "/api/ds/query", askOne, "Accept", "image/png")
}

// TestFormatsWithoutFrames: an answer of nothing is well formed, too.
func TestFormatsWithoutFrames(t *testing.T) {
	a := newAPI(t)
	a.host.query = func(*plugin.QueryRequest) (*plugin.QueryResponse, error) {
		return &plugin.QueryResponse{Responses: map[string]plugin.Response{"A": {Status: 200}}}, nil
	}
	for _, f := range formats {
		w := a.call("POST", "/api/ds/query", askOne, "Accept", f.mediaType)
		if w.Code != 200 || (f.name == "csv" || f.name == "ndjson") != (w.Body.Len() == 0) {
			t.Errorf("%s: %d %q", f.name, w.Code, w.Body)
		}
		if f.name == "arrow" {
			if _, err := frame.NewStreamReader(w.Body); err != nil {
				t.Errorf("Arrow: %v", err)
			}
		}
	}
}

// TestFormatsFailed: what has no room for an error has a status.
func TestFormatsFailed(t *testing.T) {
	a := newAPI(t)
	a.host.query = func(*plugin.QueryRequest) (*plugin.QueryResponse, error) {
		return &plugin.QueryResponse{Responses: map[string]plugin.Response{
			"A": {Status: 200, Frames: [][]byte{arrowOf(t, "one", "", 1)}},
			"B": {Status: 502, Error: "the database is away", ErrorSource: plugin.SourceDownstream},
		}}, nil
	}
	for _, f := range formats[1:] {
		a.wantFailure(400, "query.failed", `query "B" failed: the database is away`, "POST", "/api/ds/query", askOne, "Accept", f.mediaType)
	}
}

func TestLink(t *testing.T) {
	a := newAPI(t)
	var got *plugin.QueryRequest
	a.host.query = func(req *plugin.QueryRequest) (*plugin.QueryResponse, error) {
		got = req
		return answering(t)(req)
	}
	const path = "/api/datasources/uid/one/query"
	a.want(200, "v\r\n1", "GET", path+`?query={"refId":"C","x":1}&from=1000&to=2000&format=csv`, "")
	if q := got.Queries[0]; q.RefID != "C" || string(q.JSON) != `{"datasource":{"uid":"one"},"refId":"C","x":1}` || q.TimeRange.To.UnixMilli() != 2000 {
		t.Errorf("asked %+v", q)
	}
	a.want(200, "v\r\n1", "GET", path+`?query={}`, "", "Accept", "text/csv")
	if q := got.Queries[0]; q.RefID != "A" || q.TimeRange.To.Sub(q.TimeRange.From) != time.Hour {
		t.Errorf("asked %+v", q)
	}
	a.wantFailure(400, "", "bad request data: the query is not a JSON object, and plugin p-datasource names no field", "GET", path+"?query=SELECT+1", "")
	a.host.text = "rawSql"
	a.want(200, `{"v":1}`, "GET", path+"?format=ndjson&query=SELECT+%221%22", "")
	if q := got.Queries[0]; string(q.JSON) != `{"datasource":{"uid":"one"},"rawSql":"SELECT \"1\""}` {
		t.Errorf("asked %s", q.JSON)
	}
	a.wantFailure(400, "", "bad request data: the link has no query", "GET", path, "")
	a.wantFailure(400, "", "bad request data: the format is json, arrow", "GET", path+"?query={}&format=xml", "")
	a.wantFailure(400, "", `bad request data: "from" of the time range`, "GET", path+"?query={}&from=then", "")
	a.wantFailure(404, "", "Data source not found", "GET", "/api/datasources/uid/none/query?query={}", "")
	a.wantFailure(403, "", "origin not allowed", "GET", path+"?query={}", "", "Sec-Fetch-Site", "cross-site")
}
