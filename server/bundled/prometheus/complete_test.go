package prometheus

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

func TestPlaceAfter(t *testing.T) {
	for text, want := range map[string]place{
		``:                                   {},
		`rate(`:                              {},
		`up `:                                {},
		`up{`:                                {kind: inLabels, metric: "up"},
		`up {job="a", `:                      {kind: inLabels, metric: "up"},
		`up{job="`:                           {kind: inValues, metric: "up", label: "job"},
		`up{job =~ "a|`:                      {kind: inValues, metric: "up", label: "job"},
		`{job!='`:                            {kind: inValues, label: "job"},
		`up{job="a\"`:                        {kind: inValues, metric: "up", label: "job"},
		"up{job=`a\\`}":                      {},
		`up{job="a"}`:                        {},
		`rate(up{job="a"}[`:                  {kind: inDuration},
		`rate(up[5m]) + `:                    {},
		`sum by (`:                           {kind: inLabels},
		`sum BY(job, `:                       {kind: inLabels},
		`sum by (job) (`:                     {},
		`a / on(instance) group_left(`:       {kind: inLabels},
		`label_replace(up, "`:                {kind: inNothing},
		`up # by (`:                          {kind: inNothing},
		"# {\nnode:cpu{":                     {kind: inLabels, metric: "node:cpu"},
		`)}]`:                                {},
		`node_cpu_seconds_total{mode=`:       {kind: inLabels, metric: "node_cpu_seconds_total"},
		`sum(rate(http_total{code=~"5..", a`: {kind: inLabels, metric: "http_total"},
	} {
		if got := placeAfter(text); got != want {
			t.Errorf("%s: got %+v, want %+v", text, got, want)
		}
	}
}

func FuzzPlaceAfter(f *testing.F) {
	f.Add(`sum by (job) (rate(up{job=~"a\"`)
	f.Fuzz(func(t *testing.T, text string) {
		if p := placeAfter(text); p.label != "" && p.kind != inValues {
			t.Errorf("%q: %+v", text, p)
		}
	})
}

func TestCompletions(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/v1/label/__name__/values":
			fmt.Fprint(w, `{"status":"success","data":["go_goroutines","up"]}`)
		case "/api/v1/metadata":
			fmt.Fprint(w, `{"status":"success","data":{"go_goroutines":[{"type":"gauge","help":"Goroutines that there are."}]}}`)
		case "/api/v1/labels":
			fmt.Fprintf(w, `{"status":"success","data":["__name__","of %s"]}`, strings.ReplaceAll(r.FormValue("match[]"), `"`, `'`))
		case "/api/v1/label/job/values":
			fmt.Fprint(w, `{"status":"success","data":["prometheus"]}`)
		default:
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"status":"error","error":"bad name"}`)
		}
	}))
	defer server.Close()
	client := plugintest.Start(t, Plugin())
	for before, want := range map[string]string{
		"rate%28":           `[{"value":"go_goroutines","label":"gauge · Goroutines that there are."},{"value":"up"}]`,
		"up%7B":             `[{"value":"of {__name__='up'}"}]`,
		"up%7Bjob%3D%22":    `[{"value":"prometheus"}]`,
		"%23":               `[]`,
		"up%7Bother%3D%22x": `400 Bad Request bad name`,
	} {
		var body strings.Builder
		err := client.CallResource(t.Context(), &plugin.ResourceRequest{
			Context: sourceAt(server.URL, `{}`), Method: "GET", Path: "completions", URL: "completions?before=" + before,
		}, func(r plugin.ResourceResponse) error { body.Write(r.Body); return nil })
		if err != nil || !strings.Contains(body.String(), want) {
			t.Errorf("%s: %s, %v", before, body.String(), err)
		}
	}
}
