package testsource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framejson"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

func source1(url string) plugin.Context {
	return plugin.Context{
		PluginID:   "testdata",
		DataSource: &plugin.DataSourceSettings{ID: 1, UID: "one", URL: url, Updated: time.UnixMilli(1)},
	}
}

// ask queries the last 10 seconds, second by second.
func ask(ctx context.Context, c *plugin.Client, model string) (frame.Frames, plugin.Response, error) {
	to := time.UnixMilli(1_700_000_010_000)
	response, err := c.Query(ctx, &plugin.QueryRequest{
		Context: source1(""),
		Queries: []plugin.DataQuery{{
			RefID: "A", JSON: []byte(model), Interval: time.Second, MaxDataPoints: 100,
			TimeRange: plugin.TimeRange{From: to.Add(-10 * time.Second), To: to},
		}},
	})
	if err != nil {
		return nil, plugin.Response{}, err
	}
	answer := response.Responses["A"]
	frames, err := answer.Decode()
	return frames, answer, err
}

func mustAsk(t *testing.T, c *plugin.Client, model string) *frame.Frame {
	t.Helper()
	frames, answer, err := ask(t.Context(), c, model)
	if err != nil || answer.Error != "" || len(frames) != 1 {
		t.Fatalf("%s: %d frames, error %q, %v", model, len(frames), answer.Error, err)
	}
	return frames[0]
}

func TestRandomWalk(t *testing.T) {
	c := plugintest.Start(t, Plugin())
	walk := mustAsk(t, c, `{"seriesCount": 2}`)
	if len(walk.Fields) != 3 || walk.Rows() != 10 {
		t.Fatalf("%d fields of %d rows, want 3 of 10", len(walk.Fields), walk.Rows())
	}
	first, _ := frame.Value[time.Time](walk.Fields[0], 0)
	if first.UnixMilli() != 1_700_000_000_000 {
		t.Errorf("begins at %v", first)
	}
	values := frame.Slice[float64](walk.Fields[2])
	for i := 1; i < len(values); i++ {
		if step := values[i] - values[i-1]; step < -0.5 || step > 0.5 {
			t.Errorf("step %d is %v", i, step)
		}
	}
}

func TestTable(t *testing.T) {
	c := plugintest.Start(t, Plugin())
	if big := mustAsk(t, c, `{"scenarioId": "table", "rows": 5000, "columns": 12}`); len(big.Fields) != 12 || big.Rows() != 5000 {
		t.Errorf("%d fields of %d rows", len(big.Fields), big.Rows())
	}
}

func TestCSVContent(t *testing.T) {
	c := plugintest.Start(t, Plugin())
	content := mustAsk(t, c, `{"scenarioId": "csv_content", "csvContent": "day, n, ok, s\n2012-01-01, 1.5, true, a\n2012-01-02, , false, 7x\n"}`)
	var got []string
	for _, field := range content.Fields {
		got = append(got, fmt.Sprint(field.Type(), " ", field.At(0), " ", field.At(1)))
	}
	want := "time.Time 2012-01-01 00:00:00 +0000 UTC 2012-01-02 00:00:00 +0000 UTC|float64 1.5 <nil>|bool true false|string a 7x"
	if strings.Join(got, "|") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), want)
	}
}

// TestScenarios asks for each of those that are offered.
func TestScenarios(t *testing.T) {
	c := plugintest.Start(t, Plugin())
	var body strings.Builder
	err := c.CallResource(t.Context(), &plugin.ResourceRequest{Context: source1(""), Method: "GET", Path: "scenarios", URL: "scenarios"},
		func(r plugin.ResourceResponse) error { body.Write(r.Body); return nil })
	var offered []struct{ Value, Label string }
	if err := errors.Join(err, json.Unmarshal([]byte(body.String()), &offered)); err != nil || len(offered) != len((&source{}).scenarios()) {
		t.Fatalf("%d scenarios, %v: %s", len(offered), err, body.String())
	}
	for _, one := range offered {
		_, answer, err := ask(t.Context(), c, fmt.Sprintf(`{"scenarioId": %q, "duration": "1ms"}`, one.Value))
		if err != nil || one.Label == "" || strings.Contains(answer.Error, "no scenarioId") {
			t.Errorf("%s: %q, %v", one.Value, answer.Error, err)
		}
	}
}

func TestTrace(t *testing.T) {
	c := plugintest.Start(t, Plugin())
	spans := mustAsk(t, c, `{"scenarioId": "trace", "rows": 1000}`)
	if spans.Meta.Visualization != "trace" || spans.Rows() != 1000 {
		t.Fatalf("%d rows, %+v", spans.Rows(), spans.Meta)
	}
	text := func(name string, row int) string { return fmt.Sprint(spans.Field(name).At(row)) }
	starts, lengths := frame.Slice[float64](spans.Field("startTime")), frame.Slice[float64](spans.Field("duration"))
	at := map[string]int{}
	for i := range spans.Rows() {
		at[text("spanID", i)] = i
		parent, known := at[text("parentSpanID", i)]
		if i > 0 && (!known || starts[i] < starts[parent] || starts[i]+lengths[i] > starts[parent]+lengths[parent]+1e-3) {
			t.Errorf("span %d is not inside of its parent %d", i, parent)
		}
	}
	if tags, _ := spans.Field("tags").At(0).(json.RawMessage); len(at) != 1000 || !json.Valid(tags) {
		t.Errorf("%d ids, tags %s", len(at), tags)
	}
}

func TestStatesAndLogs(t *testing.T) {
	c := plugintest.Start(t, Plugin())
	states := mustAsk(t, c, `{"scenarioId": "states"}`)
	if enum := states.Fields[1].Config.Type.Enum; len(enum.Text) != 3 || states.Fields[1].Type() != frame.EnumType {
		t.Errorf("the states are %+v of %s", enum, states.Fields[1].Type())
	}
	for row := range states.Rows() {
		if state, _ := frame.Value[frame.Enum](states.Fields[1], row); state > 2 {
			t.Errorf("row %d has state %d", row, state)
		}
	}
	if lines := mustAsk(t, c, `{"scenarioId": "logs", "rows": 7}`); lines.Rows() != 7 || lines.Meta.Type != frame.TypeLogLines {
		t.Errorf("%d lines, %+v", lines.Rows(), lines.Meta)
	}
}

func TestErrors(t *testing.T) {
	c := plugintest.Start(t, Plugin())
	for model, want := range map[string]plugin.Response{
		`{"scenarioId": "error"}`: {Error: "the error that was asked for", ErrorSource: plugin.SourcePlugin, Status: 500},
		`{"scenarioId": "error", "message": "away", "source": "downstream"}`: {Error: "away", ErrorSource: plugin.SourceDownstream, Status: 502},
		`{"scenarioId": "nosuch"}`:                                              {Error: `query: no scenarioId "nosuch", only csv_content, error, logs, random_walk, slow_query, states, table, trace, vitals`, ErrorSource: plugin.SourceDownstream, Status: 400},
		`{"scenarioId": "table", "rows": -1}`:                                   {Error: "query: a table of -1 rows and 5 columns is not one of 1 to 20000000 cells", ErrorSource: plugin.SourceDownstream, Status: 400},
		`{"scenarioId": "table", "rows": 9007199254740993, "columns": 1000000}`: {Error: "query: a table of 9007199254740993 rows and 1000000 columns is not one of 1 to 20000000 cells", ErrorSource: plugin.SourceDownstream, Status: 400},
		`{"scenarioId": "vitals"}`:                                              {Error: "vitals want the url of a server's metrics in the settings", ErrorSource: plugin.SourceDownstream, Status: 400},
		`{"scenarioId": "trace", "rows": 1000000}`:                              {Error: "query: a trace of 1000000 spans is not one of 1 to 100000", ErrorSource: plugin.SourceDownstream, Status: 400},
		`{"scenarioId": "logs", "rows": -1}`:                                    {Error: "query: -1 lines of logs are not 1 to 100000", ErrorSource: plugin.SourceDownstream, Status: 400},
		`{"seriesCount": 100000}`:                                               {Error: "query: seriesCount is 100000, not 1 to 1000", ErrorSource: plugin.SourceDownstream, Status: 400},
		`{"scenarioId": "csv_content"}`:                                         {Error: "query: csvContent is empty: its first line names the columns", ErrorSource: plugin.SourceDownstream, Status: 400},
		`{"scenarioId": "slow_query", "duration": "soon"}`:                      {Error: `query: duration: time: invalid duration "soon"`, ErrorSource: plugin.SourceDownstream, Status: 400},
	} {
		_, got, err := ask(t.Context(), c, model)
		if err != nil || got.Error != want.Error || got.ErrorSource != want.ErrorSource || got.Status != want.Status {
			t.Errorf("%s: %s %d %q, %v", model, got.ErrorSource, got.Status, got.Error, err)
		}
	}
}

// TestSlowQuery ends with its asker's patience.
func TestSlowQuery(t *testing.T) {
	c := plugintest.Start(t, Plugin())
	if f := mustAsk(t, c, `{"scenarioId": "slow_query", "duration": "1ms"}`); f.Rows() != 1 {
		t.Errorf("%d rows", f.Rows())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, _, err := ask(ctx, c, `{"scenarioId": "slow_query", "duration": "1h"}`); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

const metrics = `# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 12.5
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 3e+07
# TYPE plugboard_http_requests_total counter
plugboard_http_requests_total{code="200"} 40
plugboard_http_requests_total{code="400"} 2
`

func TestVitals(t *testing.T) {
	c := plugintest.Start(t, Plugin())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, metrics) }))
	defer server.Close()

	health, err := c.CheckHealth(t.Context(), &plugin.HealthRequest{Context: source1(server.URL)})
	if err != nil || health.Status != plugin.HealthOK {
		t.Errorf("health %+v, %v", health, err)
	}
	enough := errors.New("enough")
	err = c.RunStream(t.Context(), &plugin.StreamRequest{Context: source1(server.URL), Path: "vitals"}, func(packet []byte) error {
		f, err := framejson.Unmarshal(packet)
		if err != nil {
			return err
		}
		if memory, _ := frame.Value[float64](f.Field("memory"), 0); memory != 3e7 {
			t.Errorf("memory %v", memory)
		}
		if !f.Field("cpu").IsNull(0) {
			t.Error("the first packet has a rate already")
		}
		return enough
	})
	if !errors.Is(err, enough) {
		t.Error(err)
	}
}

func TestVitalsRates(t *testing.T) {
	then := vitals{at: time.Unix(100, 0), cpuSeconds: 10, requests: 5}
	now := vitals{at: time.Unix(102, 0), cpuSeconds: 11, requests: 9, memory: 7}
	row := now.since(then)
	for name, want := range map[string]float64{"cpu": 50, "requests": 2, "memory": 7} {
		if got, _ := frame.Value[float64](row.Field(name), 0); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

func TestVitalsFaults(t *testing.T) {
	for text, want := range map[string]string{
		"":      "the metrics lack process_cpu_seconds_total",
		"}{":    "read the metrics: ",
		"a 1\n": "the metrics lack",
	} {
		if _, err := parseVitals(strings.NewReader(text), time.Now()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

func TestChannels(t *testing.T) {
	c := plugintest.Start(t, Plugin())
	for path, want := range map[string]plugin.StreamStatus{"random-walk": plugin.StreamOK, "nosuch": plugin.StreamNotFound} {
		reply, err := c.Subscribe(t.Context(), &plugin.StreamRequest{Context: source1(""), Path: path})
		if err != nil || reply.Status != want {
			t.Errorf("%s: %v, %v", path, reply.Status, err)
		}
	}
	_, err := c.Subscribe(t.Context(), &plugin.StreamRequest{Context: source1(""), Path: "vitals"})
	if err == nil || !strings.Contains(err.Error(), "vitals want the url") {
		t.Errorf("vitals without a server: error %v", err)
	}
}

func TestManifest(t *testing.T) {
	var manifest struct{ ID, Type string }
	if err := json.Unmarshal(Manifest, &manifest); err != nil || manifest.ID != "testdata" || manifest.Type != "datasource" {
		t.Errorf("%+v, %v", manifest, err)
	}
}

func TestSuite(t *testing.T) {
	plugintest.Suite(t, Plugin(), plugintest.Subject{
		Context: plugin.Context{DataSource: &plugin.DataSourceSettings{UID: "t"}},
		Query:   `{"scenarioId": "table", "rows": 50, "columns": 3}`,
		Slow:    `{"scenarioId": "slow_query", "duration": "1h"}`,
	})
}
