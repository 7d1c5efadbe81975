package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/datasource"
)

// arrowOf returns one frame with one number as an Arrow file.
func arrowOf(t testing.TB, name, refID string, v float64) []byte {
	t.Helper()
	f := frame.New(name, frame.NewField("v", nil, []float64{v}))
	f.RefID = refID
	raw, err := f.MarshalArrow()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// answering returns a host's Query that answers each query with one frame.
func answering(t testing.TB) func(*plugin.QueryRequest) (*plugin.QueryResponse, error) {
	return func(req *plugin.QueryRequest) (*plugin.QueryResponse, error) {
		responses := map[string]plugin.Response{}
		for _, q := range req.Queries {
			responses[q.RefID] = plugin.Response{Status: 200, Frames: [][]byte{arrowOf(t, req.Context.DataSource.UID, "", 1)}}
		}
		return &plugin.QueryResponse{Responses: responses}, nil
	}
}

func TestQuery(t *testing.T) {
	a := newAPI(t)
	a.host.query = answering(t)
	const frameOne = `{"schema":{"name":"one","refId":"%s","fields":[{"name":"v","type":"number","typeInfo":{"frame":"float64"}}]},"data":{"values":[[1]]}}`
	a.want(200, `{"results":{"A":{"status":200,"frames":[`+fmt.Sprintf(frameOne, "A")+`]}}}`,
		"POST", "/api/ds/query", `{"queries":[{"datasource":{"uid":"one"}}]}`)
	a.want(200, `{"results":{"A":{"status":200,"frames":[`+fmt.Sprintf(frameOne, "A")+`]},"B":{"status":200,"frames":[`+fmt.Sprintf(frameOne, "B")+`]}}}`,
		"POST", "/api/ds/query?ds_type=x&requestId=1", `{"from":"now-1h","to":"now","queries":[{"refId":"B","datasource":"one"},{"refId":"A","datasourceId":1}]}`)
}

func TestQueryPassesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		var got *plugin.QueryRequest
		a.host.query = func(req *plugin.QueryRequest) (*plugin.QueryResponse, error) {
			got = req
			return &plugin.QueryResponse{}, nil
		}
		now := time.Now().Truncate(time.Millisecond)
		const modelB = `{"refId":"B" ,"queryType":5,"maxDataPoints":1e3,"intervalMs":15000.7,"datasource":{"type":"x","uid":"one"},"REFID":"no"}`
		a.want(200, `{"results":{}}`, "POST", "/api/ds/query",
			`{"from":"now-1h","to":"now","queries":[{"datasource":{"uid":"one"},"queryType":"logs"},`+modelB+`]}`,
			"Cookie", "kept=1; plugboard_session=2; other=3", "FromAlert", "true", "X-Panel-Id", "7", "X-Grafana-User", "root", "X-Other", "no")
		if len(got.Queries) != 2 {
			t.Fatalf("%d queries", len(got.Queries))
		}
		first, second := got.Queries[0], got.Queries[1]
		if first.RefID != "A" || first.MaxDataPoints != 100 || first.Interval != time.Second || first.QueryType != "logs" {
			t.Errorf("defaults: %+v", first)
		}
		if second.RefID != "B" || second.MaxDataPoints != 1000 || second.Interval != 15*time.Second || second.QueryType != "" || string(second.JSON) != modelB {
			t.Errorf("model: %+v", second)
		}
		if !second.TimeRange.From.Equal(now.Add(-time.Hour)) || !second.TimeRange.To.Equal(now) {
			t.Errorf("time range: %+v", second.TimeRange)
		}
		want := map[string]string{"Cookie": "kept=1", "FromAlert": "true", "http_X-Panel-Id": "7"}
		if !maps.Equal(got.Headers, want) {
			t.Errorf("headers: %v, want %v", got.Headers, want)
		}
		c := got.Context
		if c.PluginID != "p-datasource" || c.OrgID != 1 || c.Namespace != "default" || c.User.Login != "admin" || c.DataSource.UID != "one" || c.DataSource.Secrets["token"] != secret {
			t.Errorf("context: %+v", c)
		}
	})
}

func TestQueryErrors(t *testing.T) {
	a := newAPI(t)
	a.host.query = func(*plugin.QueryRequest) (*plugin.QueryResponse, error) {
		return &plugin.QueryResponse{Responses: map[string]plugin.Response{
			"A": {Status: 200},
			"B": {Status: 503, Error: "no <connection> with " + secret, ErrorSource: plugin.SourceDownstream},
			"C": {Status: 200, Frames: [][]byte{[]byte("no arrow")}},
			"D": {Status: 200, Frames: [][]byte{[]byte(`{"schema":{"fields":[]},"data":{"values":[]}}`), []byte(`{"schema":{"refId":"x"}}`), []byte(`{"data":1, "schema":{} }`)}, Format: plugin.FormatJSON},
			"E": {Status: 200, Frames: [][]byte{[]byte(`{"schema":`)}, Format: plugin.FormatJSON},
		}}, nil
	}
	w := a.call("POST", "/api/ds/query", `{"queries":[{"datasource":{"uid":"one"}}]}`)
	if w.Code != 400 {
		t.Errorf("status %d", w.Code)
	}
	for _, want := range []string{
		`"A":{"status":200,"frames":[]}`,
		`"B":{"error":"no \u003cconnection\u003e with [secret]","errorSource":"downstream","status":503,"frames":[]}`,
		`"C":{"error":"data source \"one\" (plugin p-datasource) sent a frame that cannot be read: frame 0: read arrow: `,
		`"D":{"status":200,"frames":[{"schema":{"refId":"D","fields":[]},"data":{"values":[]}},{"schema":{"refId":"x"}},{"data":1, "schema":{"refId":"D"} }]}`,
		`"E":{"error":"data source \"one\" (plugin p-datasource) sent a frame that cannot be read: frame 0: read JSON: `,
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %s in\n%s", want, w.Body)
		}
	}
}

func TestQueryFailures(t *testing.T) {
	const target = `data source "one" (plugin p-datasource)`
	for _, test := range []struct {
		err         error
		status      int
		id, message string
	}{
		{host.ErrNotFound, 404, "plugin.notRegistered", "Not found: " + target},
		{host.ErrNoBackend, 503, "plugin.unavailable", "Plugin unavailable: " + target},
		{fmt.Errorf("%w: exit status 2", plugin.ErrUnavailable), 503, "plugin.unavailable", "Plugin unavailable: " + target},
		{plugin.ErrNotImplemented, 404, "plugin.notImplemented", "Not found: " + target},
		{&plugin.Error{Message: "boom " + secret, Status: 500}, 500, "plugin.downstreamError", "An error occurred within the plugin: " + target + ": boom [secret]"},
		{&plugin.Error{Message: "gone", Status: 500, Source: plugin.SourceDownstream}, 502, "plugin.downstreamError", "An error occurred within the plugin: " + target + ": gone"},
		{context.DeadlineExceeded, 504, "", "An error occurred within the plugin: " + target + " did not answer in time"},
		{context.Canceled, 499, "", "The client has gone away"},
		{errors.New("anything"), 500, "", "Internal server error: query call to " + target},
	} {
		a := newAPI(t)
		a.host.query = func(*plugin.QueryRequest) (*plugin.QueryResponse, error) { return nil, test.err }
		a.wantFailure(test.status, test.id, test.message, "POST", "/api/ds/query", `{"queries":[{"datasource":{"uid":"one"}}]}`)
	}
}

func TestQueryBadRequests(t *testing.T) {
	a := newAPI(t)
	for _, test := range []struct {
		body        string
		status      int
		id, message string
	}{
		{`{"queries":[{`, 400, "", "bad request data: unexpected end of JSON input"},
		{``, 400, "", "bad request data: unexpected end of JSON input"},
		{`[]`, 400, "", "bad request data: not a JSON object"},
		{`{}`, 400, "query.noQueries", "No queries found"},
		{`{"queries":{}}`, 400, "query.noQueries", "No queries found"},
		{`{"queries":[5]}`, 400, "", "bad request data: a query is a JSON object"},
		{`{"queries":[{"refId":"A"}]}`, 400, "query.invalidDatasourceId", "Query does not contain a valid data source identifier"},
		{`{"queries":[{"datasource":{"uid":"nosuch"}}]}`, 404, "", `Data source not found: none has the uid "nosuch"`},
		{`{"queries":[{"datasource":{"uid":"one"}},{"datasource":{"uid":"nosuch"},"refId":"B"}]}`, 404, "", `Data source not found: `},
		{`{"queries":[{"datasource":{"uid":"__expr__"}}]}`, 400, "", `query "A" is an expression`},
		{`{"queries":[{"datasource":{"uid":"one"}},{"datasource":{"uid":"two"}}]}`, 400, "", `bad request data: two queries have the refId "A"`},
		{`{"from":"xyz","to":"now","queries":[{"datasource":{"uid":"one"}}]}`, 400, "", `bad request data: "from" of the time range: "xyz" is no time`},
	} {
		a.wantFailure(test.status, test.id, test.message, "POST", "/api/ds/query", test.body)
	}
	a.maxBody = 10
	a.wantFailure(413, "", "bad request data: the body is over 10 bytes", "POST", "/api/ds/query", `{"queries":[]}`)
}

// TestObserved: calls are reported with the names of what is configured, and
// count as failed if a query did.
func TestObserved(t *testing.T) {
	a := newAPI(t)
	var got []string
	a.observer = func(plugin, source, endpoint string, _ time.Duration, err error) {
		got = append(got, fmt.Sprint(plugin, " ", source, " ", endpoint, " ", err != nil))
	}
	a.host.query = answering(t)
	const body = `{"queries":[{"datasource":{"uid":"one"}}]}`
	a.call("POST", "/api/ds/query", body)
	a.host.query = func(*plugin.QueryRequest) (*plugin.QueryResponse, error) {
		return &plugin.QueryResponse{Responses: map[string]plugin.Response{"A": {Error: "boom", Status: 500}}}, nil
	}
	a.call("POST", "/api/ds/query", body)
	a.host.query = func(*plugin.QueryRequest) (*plugin.QueryResponse, error) { return nil, plugin.ErrUnavailable }
	a.call("POST", "/api/ds/query", body)
	a.host.metrics = func(string) ([]byte, error) { return nil, plugin.ErrNotImplemented }
	a.call("GET", "/api/plugins/an-app/metrics", "")
	a.call("GET", "/api/plugins/made-up/metrics", "")
	want := []string{"p-datasource one query false", "p-datasource one query true", "p-datasource one query true", "an-app  metrics false"}
	if !slices.Equal(got, want) {
		t.Errorf("observed %q, want %q", got, want)
	}
}

// TestQueryMixed asks two data sources, of which one fails, and one answers
// what it was not asked.
func TestQueryMixed(t *testing.T) {
	a := newAPI(t)
	a.host.query = func(req *plugin.QueryRequest) (*plugin.QueryResponse, error) {
		if req.Context.DataSource.UID == "two" {
			return nil, &plugin.Error{Message: "boom", Source: plugin.SourcePlugin, Status: 500}
		}
		return &plugin.QueryResponse{Responses: map[string]plugin.Response{
			"A": {Status: 200}, "B": {Status: 200}, "A-extra": {Status: 200},
		}}, nil
	}
	a.want(400, `{"results":{"A":{"status":200,"frames":[]},"A-extra":{"status":200,"frames":[]},`+
		`"B":{"error":"An error occurred within the plugin: data source \"two\" (plugin p-datasource): boom","errorSource":"plugin","status":500},`+
		`"C":{"error":"An error occurred within the plugin: data source \"two\" (plugin p-datasource): boom","errorSource":"plugin","status":500}}}`,
		"POST", "/api/ds/query", `{"queries":[{"datasource":{"uid":"one"}},{"refId":"B","datasource":{"uid":"two"}},{"refId":"C","datasource":{"uid":"two"}}]}`)

	a.host.query = func(req *plugin.QueryRequest) (*plugin.QueryResponse, error) {
		if req.Context.DataSource.UID == "two" {
			panic("ours")
		}
		return &plugin.QueryResponse{}, nil
	}
	a.want(400, `{"results":{"B":{"error":"Internal server error: query of data source \"two\" (plugin p-datasource)","errorSource":"","status":500}}}`,
		"POST", "/api/ds/query", `{"queries":[{"datasource":{"uid":"one"}},{"refId":"B","datasource":{"uid":"two"}}]}`)
}

// TestQueryParallel asks more data sources than may be asked at a time.
func TestQueryParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		var now, most atomic.Int32
		a.host.query = func(*plugin.QueryRequest) (*plugin.QueryResponse, error) {
			n := now.Add(1)
			defer now.Add(-1)
			most.Store(max(most.Load(), n))
			time.Sleep(time.Second) // of the bubble's clock
			return &plugin.QueryResponse{}, nil
		}
		var queries []string
		for i := range 20 {
			d := a.store.sources[1]
			d.UID, d.Name = fmt.Sprint("uid", i), fmt.Sprint("name", i)
			if _, err := a.store.Create(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			queries = append(queries, fmt.Sprintf(`{"refId":"R%d","datasource":{"uid":"uid%d"}}`, i, i))
		}
		start := time.Now()
		a.want(200, `{"results":{}}`, "POST", "/api/ds/query", `{"queries":[`+strings.Join(queries, ",")+`]}`)
		if most.Load() != parallel || time.Since(start) != 3*time.Second {
			t.Errorf("%d calls at a time in %s", most.Load(), time.Since(start))
		}
	})
}

// TestQueryLarge sends more than is held back at once.
func TestQueryLarge(t *testing.T) {
	a := newAPI(t)
	const rows = blockSize
	large, err := frame.New("large", frame.NewField("v", nil, slices.Repeat([]float64{1.25}, rows))).MarshalArrow()
	if err != nil {
		t.Fatal(err)
	}
	a.host.query = func(*plugin.QueryRequest) (*plugin.QueryResponse, error) {
		return &plugin.QueryResponse{Responses: map[string]plugin.Response{"A": {Status: 200, Frames: [][]byte{large, large}}}}, nil
	}
	w := a.call("POST", "/api/ds/query", `{"queries":[{"datasource":{"uid":"one"}}]}`)
	if got := strings.Count(w.Body.String(), "1.25"); w.Code != 200 || got != 2*rows || !strings.HasSuffix(w.Body.String(), "]}}}\n") {
		t.Errorf("%d, %d values, ends in %q", w.Code, got, w.Body.String()[w.Body.Len()-10:])
	}
}

// FuzzParseQueries: whatever a client sends is refused as its mistake, or
// understood with what every plugin counts on.
func FuzzParseQueries(f *testing.F) {
	f.Add([]byte(`{"from":"now-1h","to":"now","queries":[{"refId":"A","datasource":{"uid":"x"},"maxDataPoints":1e3},{"refId":"B","datasourceId":7}]}`))
	f.Add([]byte(`{"queries":[{"datasource":"x","queryType":5,"intervalMs":"15s"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		queries, err := parseQueries(body, testNow)
		if refusal := (*failure)(nil); err != nil {
			if !errors.As(err, &refusal) || refusal.status != 400 {
				t.Errorf("%q is refused with %v", body, err)
			}
			return
		}
		seen := map[string]bool{}
		for _, q := range queries {
			if q.RefID == "" || seen[q.RefID] || q.source == (datasource.Key{}) || !json.Valid(q.JSON) {
				t.Errorf("%q is understood as %+v", body, q)
			}
			seen[q.RefID] = true
		}
	})
}

// FuzzDecodeJSON: a frame that a plugin sent as JSON stays JSON, and gets its
// ref id.
func FuzzDecodeJSON(f *testing.F) {
	f.Add([]byte(`{"schema":{"fields":[]},"data":{"values":[]}}`))
	f.Add([]byte(` {"data":{},"schema" : { } } `))
	f.Add([]byte(`{"schema":{"refId":"B"},"schema":{"a":1}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := decodeJSON(raw, "A\"")
		if err != nil {
			return
		}
		written := slices.Concat(e.head, e.added, e.tail)
		var frame struct {
			Schema map[string]json.RawMessage `json:"schema"`
		}
		if err := json.Unmarshal(written, &frame); err != nil || frame.Schema["refId"] == nil {
			t.Errorf("%q becomes %q: %v", raw, written, err)
		}
	})
}
