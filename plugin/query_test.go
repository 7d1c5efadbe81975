package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

func TestQueriesOfOneRequestAreAnsweredEach(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(openEverything))
	for _, format := range []plugin.Format{plugin.FormatArrow, plugin.FormatJSON} {
		headers := map[string]string{"FromAlert": "true"}
		plugin.SetHeader(headers, "x-trace", "t1")
		response, err := client.Query(t.Context(), &plugin.QueryRequest{
			Context: source(`{"prefix":"hi "}`),
			Headers: headers,
			Format:  format,
			Queries: []plugin.DataQuery{
				query("echo", `{"text":"you"}`),
				query("settings", `{"do":"settings"}`),
				query("call", `{"do":"call"}`),
				query("cached", `{"do":"cached"}`),
				query("panic", `{"do":"panic"}`),
				query("nil", `{"do":"nil"}`),
				query("nil error", `{"do":"nil error"}`),
				query("downstream", `{"do":"downstream"}`),
				query("unknown", `{"do":"sing"}`),
				query("type", `{"do":"echo","rows":"many"}`),
				query("broken", `{"do":`),
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		for refID, want := range map[string]string{
			"echo": "hi you", "settings": "http://one,sesame,One", "call": "ada,t1,true", "cached": "1,2,3", "downstream": "partial",
		} {
			r := response.Responses[refID]
			if got := cells(t, r); got != want || r.Format != format {
				t.Errorf("%s: got %q in format %v, want %q in %v", refID, got, r.Format, want, format)
			}
		}
		for refID, want := range map[string]plugin.Response{
			"panic": {Error: "the plugin panicked: as ordered", ErrorSource: plugin.SourcePlugin, Status: 500},
			"nil":   {Error: "frame 0: the plugin answered a nil frame", ErrorSource: plugin.SourcePlugin, Status: 500},
			"nil error": {Error: "the plugin returned an error (*plugin_test.wrapped) that panics: runtime error: invalid memory address or nil pointer dereference",
				ErrorSource: plugin.SourcePlugin, Status: 500},
			"downstream": {Error: "asking: no answer", ErrorSource: plugin.SourceDownstream, Status: 502},
			"unknown":    {Error: `do "sing"`, ErrorSource: plugin.SourceDownstream, Status: 400},
			"type":       {Error: "query: rows: want a whole number (int), have string", ErrorSource: plugin.SourceDownstream, Status: 400},
			"broken":     {Error: "query: unexpected end of JSON input", ErrorSource: plugin.SourceDownstream, Status: 400},
			"echo":       {Status: 200},
		} {
			r := response.Responses[refID]
			if r.Error != want.Error || r.ErrorSource != want.ErrorSource || r.Status != want.Status {
				t.Errorf("%s: got %q, %s, %d; want %q, %s, %d", refID, r.Error, r.ErrorSource, r.Status, want.Error, want.ErrorSource, want.Status)
			}
		}
	}
	if cached.RefID != "" {
		t.Errorf("the plugin's own frame was given the ref id %q", cached.RefID)
	}
}

func TestFrameNamesItsQuery(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(openEverything))
	response, err := client.Query(t.Context(), &plugin.QueryRequest{
		Context: source(`{}`),
		Queries: []plugin.DataQuery{query("B", `{"do":"cached"}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	frames, err := response.Responses["B"].Decode()
	if err != nil || frames[0].RefID != "B" {
		t.Errorf("got frames %v, error %v", frames, err)
	}
}

// meeting answers once ten queries are there at once.
type meeting struct {
	mu   sync.Mutex
	here int
	full chan struct{}
}

func (m *meeting) Query(ctx context.Context, _ plugin.Query[struct{}]) (frame.Frames, error) {
	m.mu.Lock()
	m.here++
	if m.here == 10 {
		close(m.full)
	}
	if m.here > 10 {
		m.mu.Unlock()
		return nil, errors.New("more than ten at once")
	}
	m.mu.Unlock()
	select {
	case <-m.full:
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestTenQueriesAtOnce(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(func(context.Context, plugin.Settings[struct{}]) (*meeting, error) {
		return &meeting{full: make(chan struct{})}, nil
	}))
	req := &plugin.QueryRequest{Context: source(`{}`)}
	for i := range 10 {
		req.Queries = append(req.Queries, query(fmt.Sprint(i), `{}`))
	}
	response, err := client.Query(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	for refID, r := range response.Responses {
		if r.Error != "" {
			t.Errorf("%s: %s", refID, r.Error)
		}
	}
}

type sums struct{}

func (sums) Query(context.Context, plugin.Query[everythingModel]) (frame.Frames, error) {
	return nil, errors.New("asked one by one")
}

func (sums) QueryBatch(_ context.Context, queries []plugin.Query[everythingModel]) (plugin.Answers, error) {
	answers := plugin.Answers{}
	total := 0
	for _, q := range queries {
		switch q.Model.Do {
		case "fail":
			return nil, plugin.Downstream(errors.New("no sum"))
		case "panic":
			panic("as ordered")
		}
		total += q.Model.Rows
		answers[q.RefID] = plugin.Answer{Err: plugin.BadRequest("see total")}
	}
	answers["total"] = plugin.Answer{Frames: texts(fmt.Sprint(total))}
	return answers, nil
}

func TestBatch(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(func(context.Context, plugin.Settings[struct{}]) (sums, error) {
		return sums{}, nil
	}))
	ask := func(queries ...plugin.DataQuery) map[string]plugin.Response {
		response, err := client.Query(t.Context(), &plugin.QueryRequest{Context: source(`{}`), Queries: queries})
		if err != nil {
			t.Fatal(err)
		}
		return response.Responses
	}

	answers := ask(query("A", `{"rows":1}`), query("B", `{"rows":2}`), query("C", `{"rows":[]}`))
	if got := cells(t, answers["total"]); got != "3" {
		t.Errorf("total is %s", got)
	}
	if got := answers["A"].Error; got != "see total" {
		t.Errorf("A: %q", got)
	}
	if got := answers["C"].Status; got != http.StatusBadRequest {
		t.Errorf("C: status %d", got)
	}

	for refID, r := range ask(query("A", `{"do":"fail"}`), query("B", `{}`)) {
		if r.Error != "no sum" || r.ErrorSource != plugin.SourceDownstream {
			t.Errorf("%s: %q, %s", refID, r.Error, r.ErrorSource)
		}
	}
	for refID, r := range ask(query("A", `{"do":"panic"}`), query("B", `{}`)) {
		if r.Error != "the plugin panicked: as ordered" || r.ErrorSource != plugin.SourcePlugin || r.Status != 500 {
			t.Errorf("%s: %q, %s", refID, r.Error, r.ErrorSource)
		}
	}
}

func TestChunks(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(openEverything))
	for _, format := range []plugin.Format{plugin.FormatArrow, plugin.FormatJSON} {
		var rows, failures []string
		schemas := 0
		err := client.QueryChunks(t.Context(), &plugin.QueryRequest{
			Context: source(`{}`),
			Format:  format,
			Queries: []plugin.DataQuery{query("A", `{"rows":3}`), query("B", `{"do":"panic"}`)},
		}, func(c plugin.Chunk) error {
			switch {
			case c.Error != "":
				failures = append(failures, fmt.Sprint(c.RefID, ": ", c.Error, " ", c.ErrorSource, " ", c.Status))
			case format == plugin.FormatJSON:
				rows = append(rows, string(c.Frame))
			default:
				schemas++
				rows = append(rows, fmt.Sprint(c.RefID, c.FrameID, cells(t, plugin.Response{Frames: [][]byte{c.Frame}})))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"Arows#10", "Arows#11", "Arows#12"}
		if format == plugin.FormatJSON {
			want = []string{
				`{"schema":{"name":"rows","refId":"A","fields":[{"name":"n","type":"number","typeInfo":{"frame":"int64"}}]},"data":{"values":[[0]]}}`,
				`{"data":{"values":[[1]]}}`, `{"data":{"values":[[2]]}}`,
			}
		}
		if fmt.Sprint(rows) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", rows, want)
		}
		if fmt.Sprint(failures) != "[B: the plugin panicked: as ordered plugin 500]" {
			t.Errorf("failures: %v", failures)
		}
	}
}

func TestChunksStopWhenNobodyWantsMore(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(openEverything))
	enough := errors.New("enough")
	err := client.QueryChunks(t.Context(), &plugin.QueryRequest{
		Context: source(`{}`),
		Queries: []plugin.DataQuery{query("A", `{"rows":1000000000}`)},
	}, func(plugin.Chunk) error { return enough })
	if !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
}

func TestFailedOpeningAnswersEveryQuery(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(openEverything))
	req := &plugin.QueryRequest{
		Context: source(`{"fail":"no such bucket"}`),
		Queries: []plugin.DataQuery{query("A", `{}`), query("B", `{}`)},
	}
	response, err := client.Query(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	for _, refID := range []string{"A", "B"} {
		if r := response.Responses[refID]; r.Error != "no such bucket" || r.Status != 500 {
			t.Errorf("%s: %+v", refID, r)
		}
	}
	var chunks []string
	err = client.QueryChunks(t.Context(), req, func(c plugin.Chunk) error {
		chunks = append(chunks, c.RefID+": "+c.Error)
		return nil
	})
	if err != nil || fmt.Sprint(chunks) != "[A: no such bucket B: no such bucket]" {
		t.Errorf("chunks: %v, %v", chunks, err)
	}
}

func TestQueryWithoutDataSource(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(openEverything))
	response, err := client.Query(t.Context(), &plugin.QueryRequest{Queries: []plugin.DataQuery{query("A", `{}`)}})
	if err != nil {
		t.Fatal(err)
	}
	if r := response.Responses["A"]; r.Status != http.StatusBadRequest || r.Error != "the call names no data source" {
		t.Errorf("got %+v", r)
	}
}
