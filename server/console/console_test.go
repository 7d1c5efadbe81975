package console

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

// built is a console as make console leaves it.
var built = fstest.MapFS{
	"index.html":           {Data: []byte(`<meta name="nonce" content="NONCE"><script src="/assets/main-1.js">`)},
	"assets/main-1.js":     {Data: []byte("plain")},
	"assets/main-1.js.br":  {Data: []byte("brotli")},
	"assets/main-1.js.gz":  {Data: []byte("gzip")},
	"assets/small-1.css":   {Data: []byte("a{}")},
	"assets/deep/file.bin": {Data: []byte("x")},
}

var api = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })

func get(c *Console, method, target string, headers ...string) *httptest.ResponseRecorder {
	r, w := httptest.NewRequest(method, target, nil), httptest.NewRecorder()
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	c.ServeHTTP(w, r)
	return w
}

// TestWhoseRequest: pages are ours, and everything else is the API's.
func TestWhoseRequest(t *testing.T) {
	c := open(Config{}, api, built)
	for target, want := range map[string]int{
		"GET /home": 200, "HEAD /explore": 200, "GET /explore?panes=[]": 200, "GET /plugins/sql": 200, "GET /datasources/seattle/": 200, "GET /login": 200,
		"POST /login": 418, "GET /logout": 418, "GET /api/plugins": 418, "GET /api/nowhere": 418, "GET /metrics": 418, "GET /public/plugins/x/logo.svg": 418,
		"GET /homely": 418, "GET /nowhere": 418, "POST /explore": 418, "GET /explore/../api/plugins": 418,
		"GET /assets/main-1.js": 200, "GET /assets/old.js": 404, "GET /assets/": 404, "GET /assets/../index.html": 404, "GET /assets/deep": 404,
		"GET /": 302,
	} {
		method, path, _ := strings.Cut(target, " ")
		if got := get(c, method, path).Code; got != want {
			t.Errorf("%s: %d, want %d", target, got, want)
		}
	}
}

func TestLanding(t *testing.T) {
	for landing, want := range map[string]string{"": "/home", "/explore?panes=x": "/explore?panes=x"} {
		if got := get(open(Config{Landing: landing}, api, built), "GET", "/").Header().Get("Location"); got != want {
			t.Errorf("landing %q: %q, want %q", landing, got, want)
		}
	}
}

// TestPolicy: the document names the nonce that its policy allows, another one
// every time.
func TestPolicy(t *testing.T) {
	c := open(Config{}, api, built)
	one, two := get(c, "GET", "/home"), get(c, "GET", "/home")
	policy := one.Header().Get("Content-Security-Policy")
	_, nonce, _ := strings.Cut(policy, "'nonce-")
	nonce, _, _ = strings.Cut(nonce, "'")
	if nonce == "" || !strings.Contains(one.Body.String(), `content="`+nonce+`"`) {
		t.Errorf("policy %q, document %s", policy, one.Body)
	}
	if strings.Contains(policy, "unsafe") || two.Header().Get("Content-Security-Policy") == policy {
		t.Errorf("policy %q", policy)
	}
	if got := one.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("the document may be kept: %q", got)
	}
}

// TestAssets: kept for ever, and as small as the client can take.
func TestAssets(t *testing.T) {
	c := open(Config{}, api, built)
	for accepted, want := range map[string]string{
		"": "plain", "gzip": "gzip", "gzip, deflate, br, zstd": "brotli", "br;q=0, gzip;q=0.5": "gzip", "deflate": "plain",
	} {
		w := get(c, "GET", "/assets/main-1.js", "Accept-Encoding", accepted)
		if w.Body.String() != want || w.Header().Get("Content-Type") != "text/javascript; charset=utf-8" || w.Header().Get("Vary") != "Accept-Encoding" ||
			!strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("Accept-Encoding %q: %s %v", accepted, w.Body, w.Header())
		}
	}
	if w := get(c, "GET", "/assets/small-1.css", "Accept-Encoding", "br"); w.Body.String() != "a{}" || w.Header().Get("Content-Encoding") != "" {
		t.Errorf("a file that is not compressed: %s %v", w.Body, w.Header())
	}
}

// TestUnbuilt: a program built by go build alone says how to have the console.
func TestUnbuilt(t *testing.T) {
	text, err := dist.ReadFile("dist/unbuilt.html")
	if err != nil {
		t.Fatal(err)
	}
	c := open(Config{}, api, fstest.MapFS{"unbuilt.html": {Data: text}})
	w := get(c, "GET", "/home")
	if body := w.Body.String(); w.Code != 200 || !strings.Contains(body, "make console") || strings.Contains(body, noncePlace) {
		t.Errorf("%d %s", w.Code, body)
	}
}
