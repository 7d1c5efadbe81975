package gateway

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/datasource"
)

func TestParseResourcePath(t *testing.T) {
	for path, want := range map[string]resourcePath{
		"/api/datasources/uid/x/resources":          {source: datasource.ByUID("x")},
		"/api/datasources/uid/x/resources/":         {source: datasource.ByUID("x")},
		"/api/datasources/uid/x/resources/a//b%2Fc": {source: datasource.ByUID("x"), wildcard: "a//b%2Fc"},
		"/api/datasources/7/resources/a":            {source: datasource.ByID(7), wildcard: "a"},
		"/api/plugins/an-app/resources/a":           {pluginID: "an-app", wildcard: "a"},
		"/api/datasources/x/resources/a":            {},
		"/api/datasources/uid/x/resourcesful":       {},
		"/api/datasources/uid/x":                    {},
		"/api/plugins/uid/x/resources/a":            {},
		"/api/plugins//resources/a":                 {},
		"/api/plugins/an-app":                       {},
		"/other":                                    {},
	} {
		if got, ok := parseResourcePath(path); got != want || ok != (want != resourcePath{}) {
			t.Errorf("%s is read as %+v, %t", path, got, ok)
		}
	}
}

func TestResourceLocation(t *testing.T) {
	for _, test := range []struct{ wildcard, query, path, location string }{
		{"", "", "", ""},
		{"echo", "a=1&b=x%20y", "echo", "echo?a=1&b=x%20y"},
		{"a/b%2Fc/d", "x=1", "a/b/c/d", "a/b/c/d?x=1"},
		{"a//b/", "", "a//b", "a//b"},
		{"x%20y/%E2%82%AC", "", "x y/€", "x%20y/%E2%82%AC"},
		{"a%252Fb", "", "a/b", "a%2Fb"},
		{"a:b/c:d", "", "a:b/c:d", "a%3Ab/c:d"},
		{"what%3F", "", "what?", "what%3F"},
		{"...", "", "...", "..."},
		{"a;b/..c;d", "", "a;b/..c;d", "a;b/..c;d"},
	} {
		path, location, err := resourceLocation(test.wildcard, test.query)
		if err != nil || path != test.path || location != test.location {
			t.Errorf("%s?%s is called as %q, %q (%v); want %q, %q", test.wildcard, test.query, path, location, err, test.path, test.location)
		}
	}
	for _, wildcard := range []string{"..", "a/../b", "a/..", "%2e%2e/a", "a%2F..%2Fb", `a\..\b`, "%252e%252e%252fa", "%25252e%25252e/a", "a/..;b/c", "%zz", "100%25", "%c0%ae", "a%25ff"} {
		if path, _, err := resourceLocation(wildcard, ""); err == nil {
			t.Errorf("%s is called as %q", wildcard, path)
		}
	}
}

// FuzzResourceLocation holds that no path climbs.
func FuzzResourceLocation(f *testing.F) {
	f.Add("a/%2e%2e%2fb", "x=1")
	f.Add("a:b//c", "")
	f.Fuzz(func(t *testing.T, wildcard, query string) {
		path, _, err := resourceLocation(wildcard, query)
		if err == nil && slices.Contains(strings.Split(path, "/"), "..") {
			t.Errorf("%s is called as %q", wildcard, path)
		}
	})
}

func TestResource(t *testing.T) {
	a := newAPI(t)
	var got *plugin.ResourceRequest
	a.host.resource = func(req *plugin.ResourceRequest, send func(plugin.ResourceResponse) error) error {
		got = req
		return send(plugin.ResourceResponse{Status: 418, Header: http.Header{
			"X-Own": {"1", "2"}, "Set-Cookie": {"a=b"}, "Connection": {"X-Hop"}, "X-Hop": {"1"}, "Content-Length": {"6"},
		}, Body: []byte(`{"x":1}`)})
	}
	w := a.call("POST", "/api/datasources/uid/one/resources/a//b?x=1", "hello",
		"Connection", "keep-alive, X-Hop", "X-Hop", "1", "X-Custom", "abc", "User-Agent", "test", "Referer", "http://there",
		"Origin", "http://example.com", "X-Forwarded-Host", "spoof", "X-Forwarded-For", "10.0.0.1", "Cookie", "plugboard_session=1; kept=2; other=3",
		"X-Grafana-Id", "forged", "X-Grafana-User", "forged")
	want := http.Header{
		"Content-Security-Policy": {"sandbox"}, "Content-Type": {"application/json"}, "X-Own": {"1", "2"},
		"Cache-Control": {"no-store"}, "X-Content-Type-Options": {"nosniff"}, "X-Frame-Options": {"deny"},
	}
	if w.Code != 418 || w.Body.String() != `{"x":1}` || !maps.EqualFunc(w.Header(), want, slices.Equal) {
		t.Errorf("answer: %d %v %s", w.Code, w.Header(), w.Body)
	}
	if got.Path != "a//b" || got.URL != "a//b?x=1" || got.Method != "POST" || string(got.Body) != "hello" || got.Context.User.Login != "admin" {
		t.Errorf("request: %+v", got)
	}
	want = http.Header{
		"X-Custom": {"abc"}, "X-Grafana-Referer": {"http://there"}, "Cookie": {"kept=2"}, "X-Forwarded-For": {"10.0.0.1, 192.0.2.1"},
	}
	if !maps.EqualFunc(got.Header, want, slices.Equal) {
		t.Errorf("headers: %v, want %v", got.Header, want)
	}
	a.call("GET", "/api/plugins/an-app/resources", "")
	if got.Path != "" || got.Context.PluginID != "an-app" || got.Context.App == nil || got.Context.DataSource != nil {
		t.Errorf("request to an app: %+v", got)
	}
}

// TestResourceStreams holds that each message reaches the client before the
// next is there, and that a break in the middle is not taken for the end.
func TestResourceStreams(t *testing.T) {
	a := newAPI(t)
	more := make(chan bool)
	a.host.resource = func(_ *plugin.ResourceRequest, send func(plugin.ResourceResponse) error) error {
		for i := range 3 {
			if err := send(plugin.ResourceResponse{Status: 200, Header: http.Header{"Content-Type": {"text/plain"}}, Body: fmt.Appendf(nil, "chunk %d\n", i)}); err != nil {
				return err
			}
			<-more
		}
		return errors.New("broken")
	}
	server := httptest.NewServer(a)
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/api/datasources/1/resources/chunks", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer good")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	for i := range 3 {
		got := make([]byte, len("chunk 0\n"))
		if _, err := io.ReadFull(response.Body, got); err != nil || string(got) != fmt.Sprintf("chunk %d\n", i) {
			t.Fatalf("read %q: %v", got, err)
		}
		more <- true
	}
	if _, err := io.ReadAll(response.Body); err == nil {
		t.Error("the answer ends as if it were whole")
	}
}

func TestResourceFailures(t *testing.T) {
	a := newAPI(t)
	const path = "/api/datasources/uid/one/resources/x"
	a.host.resource = func(*plugin.ResourceRequest, func(plugin.ResourceResponse) error) error { return nil }
	a.wantFailure(500, "web.missingWrite", `Internal server error: data source "one" (plugin p-datasource) did not answer`, "GET", path, "")
	for status, want := range map[int]int{0: 200, 99: 502, 101: 502, 204: 204, 999: 502, -1: 502} {
		a.host.resource = func(_ *plugin.ResourceRequest, send func(plugin.ResourceResponse) error) error {
			return send(plugin.ResourceResponse{Status: status})
		}
		if w := a.call("GET", path, ""); w.Code != want {
			t.Errorf("status %d becomes %d, want %d", status, w.Code, want)
		}
	}
	a.host.resource = func(*plugin.ResourceRequest, func(plugin.ResourceResponse) error) error {
		return &plugin.Error{Message: "boom " + secret, Status: 500}
	}
	a.wantFailure(500, "", `Failed to call resource: data source "one" (plugin p-datasource): boom [secret]`, "GET", path, "")
	a.wantFailure(400, "", `bad request data: the resource path`, "GET", "/api/datasources/uid/one/resources/a/../b", "")
	a.wantFailure(404, "", "Data source not found: ", "GET", "/api/datasources/uid/nosuch/resources/x", "")
	a.wantFailure(404, "", "Data source not found: ", "GET", "/api/datasources/99/resources/x", "")
	a.wantFailure(404, "", "Plugin not found", "GET", "/api/plugins/nosuch/resources/x", "")
	a.maxBody = 3
	a.wantFailure(413, "", "bad request data: the body is over 3 bytes", "POST", path, "four")
	if w := a.call("OPTIONS", path, ""); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD, POST, PUT, DELETE, PATCH" {
		t.Errorf("OPTIONS: %d %v", w.Code, w.Header())
	}
	r := httptest.NewRequest("GET", path, nil)
	w := httptest.NewRecorder()
	if a.ServeHTTP(w, r); w.Code != 401 {
		t.Errorf("a stranger gets %d", w.Code)
	}
}
