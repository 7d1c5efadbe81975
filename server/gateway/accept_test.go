package gateway

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/ipc"
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

// TestFormatsAllocate: an answer in any format takes as much memory for many
// rows as for few, and a plugin's record batches are not joined. (Parquet works
// on row groups, which its own test bounds.)
func TestFormatsAllocate(t *testing.T) {
	ask := func(f format, rows int) int64 {
		batches := batchesOf(t, rows)
		a := newAPI(t)
		a.host.query = func(*plugin.QueryRequest) (*plugin.QueryResponse, error) {
			return &plugin.QueryResponse{Responses: map[string]plugin.Response{"A": {Status: 200, Frames: [][]byte{batches}}}}, nil
		}
		least := int64(math.MaxInt64)
		for range 5 {
			r := httptest.NewRequest("POST", "/api/ds/query", strings.NewReader(askOne))
			r.Header.Set("Authorization", "Bearer good")
			r.Header.Set("Accept", f.mediaType)
			w := &discard{header: http.Header{}}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			a.ServeHTTP(w, r)
			runtime.ReadMemStats(&after)
			if least = min(least, int64(after.TotalAlloc-before.TotalAlloc)); w.bytes < int64(rows) {
				t.Errorf("%s: %d bytes for %d rows", f.name, w.bytes, rows)
			}
		}
		return least
	}
	for _, f := range formats {
		if f.name == "parquet" {
			continue
		}
		few, many := ask(f, 2_000), ask(f, 200_000)
		if many > few+64<<10 {
			t.Errorf("%s: %d bytes allocated for 2000 rows, %d for 200000", f.name, few, many)
		}
	}
}

// batchesOf returns an Arrow file of that many rows in four record batches.
func batchesOf(t testing.TB, rows int) []byte {
	t.Helper()
	f := frame.New("f", frame.NewField("time", nil, make([]time.Time, 0)), frame.NewField("v", nil, make([]float64, 0)), frame.NewField("s", nil, make([]string, 0)))
	for i := range rows {
		frame.Append(f.Fields[0], time.UnixMilli(1700000000000+int64(i)))
		frame.Append(f.Fields[1], float64(i)/8)
		frame.Append(f.Fields[2], "text")
	}
	raw, err := f.MarshalArrow()
	if err != nil {
		t.Fatal(err)
	}
	r, err := ipc.NewMappedFileReader(raw)
	if err != nil {
		t.Fatal(err)
	}
	all, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := ipc.NewFileWriter(&out, ipc.WithSchema(r.Schema()))
	for i := int64(0); i < 4 && err == nil; i++ {
		err = w.Write(all.NewSlice(i*all.NumRows()/4, (i+1)*all.NumRows()/4))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestFormatsOfBatches: record batches of one frame are one frame in every
// format.
func TestFormatsOfBatches(t *testing.T) {
	a := newAPI(t)
	batches := batchesOf(t, 8)
	a.host.query = func(*plugin.QueryRequest) (*plugin.QueryResponse, error) {
		return &plugin.QueryResponse{Responses: map[string]plugin.Response{"A": {Status: 200, Frames: [][]byte{batches}}}}, nil
	}
	ask := func(accept string) *bytes.Buffer {
		return a.call("POST", "/api/ds/query", askOne, "Accept", accept).Body
	}
	if got := ask("application/json").String(); strings.Count(got, `"schema"`) != 1 || !strings.Contains(got, `[0,0.125,0.25,0.375,0.5,0.625,0.75,0.875]`) {
		t.Error(got)
	}
	if got := ask("text/csv").String(); strings.Count(got, "time,v,s") != 1 || strings.Count(got, "\r\n") != 9 {
		t.Error(got)
	}
	if got := ask("application/x-ndjson").String(); strings.Count(got, "\n") != 8 {
		t.Error(got)
	}
	stream, err := frame.NewStreamReader(ask("application/vnd.apache.arrow.stream"))
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if batch, err := stream.Next(); err != nil || batch.Rows() != 2 || batch.RefID != "A" {
			t.Errorf("%v, %v", batch, err)
		}
	}
	if _, err := stream.Next(); err != io.EOF {
		t.Error(err)
	}
}
