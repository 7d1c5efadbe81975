package captures

import (
	"encoding/json"
	"maps"
	"mime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// compare tells how the answer to an exchange differs from the one we want.
func compare(t *testing.T, e exchange, want, got answer) {
	t.Helper()
	if got.status != want.status {
		t.Errorf("status %d, want %d", got.status, want.status)
	}
	if diff := cmp.Diff(headersThatMatter(want), headersThatMatter(got)); diff != "" {
		t.Errorf("headers differ (-want +got):\n%s", diff)
	}
	switch {
	case strings.HasPrefix(want.body, "# HELP"):
		if diff := cmp.Diff(metricFamilies(want.body), metricFamilies(got.body)); diff != "" {
			t.Errorf("metrics differ (-want +got):\n%s", diff)
		}
	case json.Valid([]byte(want.body)):
		if diff := compareJSON(t, want, got); diff != "" {
			t.Errorf("body differs (-want +got):\n%s", diff)
		}
	case got.body != want.body:
		t.Errorf("body %q, want %q", got.body, want.body)
	}
	if strings.HasSuffix(e.path, "/query") && want.status == 200 && !strings.Contains(e.body, "now") && got.body != want.body {
		t.Errorf("the answer to a query is not equal byte for byte:\n%s\nwant\n%s", got.body, want.body)
	}
	if t.Failed() {
		t.Logf("%s %s %s\nanswers %d %v %.2000s", e.method, e.path, e.body, got.status, got.header, got.body)
	}
}

// headersThatMatter are the media type, the sandbox, and what the plugin sent.
func headersThatMatter(a answer) map[string]string {
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	return map[string]string{
		"Content-Type":            kind,
		"Content-Security-Policy": a.header.Get("Content-Security-Policy"),
		"X-Bench":                 a.header.Get("X-Bench"),
		"Set-Cookie":              a.header.Get("Set-Cookie"),
	}
}

// metricFamilies returns the names and types of Prometheus text: the values are
// of one process at one time.
func metricFamilies(text string) []string {
	var families []string
	for line := range strings.Lines(text) {
		if family, ok := strings.CutPrefix(line, "# TYPE "); ok {
			families = append(families, strings.TrimSpace(family))
		}
	}
	slices.Sort(families)
	return families
}

// compareJSON compares bodies field by field, after the rules of differences
// and without what no two runs have in common.
func compareJSON(t *testing.T, want, got answer) string {
	t.Helper()
	var wanted, gotten any
	if err := json.Unmarshal([]byte(want.body), &wanted); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(got.body), &gotten); err != nil {
		return err.Error()
	}
	if w, g := object(wanted), object(gotten); want.status >= 400 && w["status"] == nil && w["results"] == nil && g != nil {
		followErrorRules(t, w, g)
	}
	for _, refID := range slices.Collect(maps.Keys(object(object(gotten)["results"]))) {
		w, g := object(object(object(wanted)["results"])[refID]), object(object(object(gotten)["results"])[refID])
		if w["errorSource"] == nil && g["error"] != nil {
			delete(g, "errorSource")
		}
	}
	for _, p := range append(list(gotten), gotten) {
		if plugin := object(p); plugin["signature"] != nil {
			delete(plugin, "process")
			delete(plugin, "queryText")
			if object(wanted)["module"] != nil {
				delete(plugin, "category")
			}
		}
	}
	for _, volatile := range []any{wanted, gotten} {
		settle(object(volatile))
	}
	return cmp.Diff(wanted, gotten)
}

// followErrorRules checks the message of an error and takes out what only we
// say.
func followErrorRules(t *testing.T, want, got map[string]any) {
	t.Helper()
	message, _ := got["message"].(string)
	if begins, _ := want["message"].(string); begins == "" || !strings.HasPrefix(message, begins) {
		t.Errorf("message %q, want it to begin with %q", message, begins)
	}
	if got["statusCode"] == nil || got["traceID"] == nil {
		t.Errorf("the error lacks statusCode or traceID: %v", got)
	}
	got["message"] = want["message"]
	for _, ours := range []string{"statusCode", "traceID", "messageId", "errorSource"} {
		if want[ours] == nil {
			delete(got, ours)
		}
	}
	if want["traceID"] == nil {
		delete(got, "traceID")
	}
}

// settle takes out what no two runs have in common: process ids, versions, and
// when "now" was.
func settle(body map[string]any) {
	if details := object(body["details"]); details["pid"] != nil {
		details["pid"] = "a process id"
	}
	if body["database"] != nil {
		body["version"], body["commit"] = "a version", "a commit"
	}
	for _, result := range object(body["results"]) {
		for _, frame := range list(object(result)["frames"]) {
			settleFrame(object(frame))
		}
	}
}

// settleFrame makes recent times relative to the first.
func settleFrame(frame map[string]any) {
	data := object(frame["data"])
	columns := list(data["values"])
	if len(columns) == 0 || len(list(columns[0])) == 0 {
		return
	}
	times := list(columns[0])
	const recent = 1.75e12 // later than the fixed times that were asked for
	if first, ok := times[0].(float64); ok && first > recent {
		for i := range times {
			times[i] = times[i].(float64) - first
		}
		delete(data, "nanos")
	}
}

func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}
