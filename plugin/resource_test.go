package plugin_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

// large is more than a message of gRPC takes by default, and than one that a
// plugin on the official SDK takes.
const large = 20 << 20

var changed = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// site is an app that is nothing but a mux.
type site struct {
	*http.ServeMux
	// blocked has a value for each handler that waits: a way to let it go on.
	blocked chan chan struct{}
	ended   chan error
}

func openSite(context.Context, plugin.Settings[struct{}]) (*site, error) {
	s := &site{http.NewServeMux(), make(chan chan struct{}, 1), make(chan error, 1)}
	s.Handle("/files/", http.StripPrefix("/files/", http.FileServerFS(fstest.MapFS{
		"a.txt":   {Data: []byte("0123456789"), ModTime: changed},
		"big.bin": {Data: make([]byte, large), ModTime: changed},
	})))
	s.HandleFunc("/tagged", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v1"`)
		http.ServeContent(w, r, "page.html", time.Time{}, strings.NewReader("<p>"))
	})
	s.HandleFunc("/headers", func(w http.ResponseWriter, _ *http.Request) {
		for _, header := range [][2]string{
			{"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2"}, {"Vary", "X"}, {"Vary", "Y"}, {"Connection", "close"}, {"Transfer-Encoding", "chunked"},
		} {
			w.Header().Add(header[0], header[1])
		}
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusCreated)
		w.WriteHeader(http.StatusInternalServerError)
		w.Header().Set("Too", "late")
	})
	s.HandleFunc("/nobody", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
		_, err := io.WriteString(w, "surprise")
		s.ended <- err
	})
	s.HandleFunc("/abort", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "half of ")
		if r.URL.Query().Has("late") {
			_ = http.NewResponseController(w).Flush()
		}
		panic(http.ErrAbortHandler)
	})
	s.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "first")
		w.(http.Flusher).Flush()
		release := make(chan struct{})
		s.blocked <- release
		select {
		case <-release:
		case <-r.Context().Done():
		}
		_, err := fmt.Fprint(w, "second")
		s.ended <- errors.Join(r.Context().Err(), err)
	})
	s.HandleFunc("/upload", func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, r.ContentLength, err)
	})
	return s, nil
}

// answer is what came of a resource call.
type answer struct {
	code   int
	header http.Header
	body   []byte
	pieces int
	err    error
}

// get calls a resource of the site; header is in pairs.
func get(t *testing.T, client *plugin.Client, method, url string, header ...string) (a answer) {
	t.Helper()
	request := &plugin.ResourceRequest{Context: plugin.Context{PluginID: "site"}, URL: url, Method: method, Header: http.Header{}}
	request.Path, _, _ = strings.Cut(url, "?")
	for pair := range slices.Chunk(header, 2) {
		request.Header.Set(pair[0], pair[1])
	}
	a.err = client.CallResource(t.Context(), request, func(r plugin.ResourceResponse) error {
		if a.pieces == 0 {
			a.code, a.header = r.Status, r.Header
		}
		a.pieces++
		a.body = append(a.body, r.Body...)
		return nil
	})
	return a
}

func TestStaticFiles(t *testing.T) {
	client := plugintest.Start(t, plugin.App(openSite))
	for name, test := range map[string]struct {
		method, url string
		header      []string
		code        int
		body        string
		want        []string
	}{
		"whole":        {"GET", "files/a.txt", nil, 200, "0123456789", []string{"Content-Length", "10", "Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT", "Content-Type", "text/plain; charset=utf-8", "Accept-Ranges", "bytes"}},
		"head":         {"HEAD", "files/a.txt", nil, 200, "", []string{"Content-Length", "10"}},
		"range":        {"GET", "files/a.txt", []string{"Range", "bytes=2-4"}, 206, "234", []string{"Content-Range", "bytes 2-4/10", "Content-Length", "3"}},
		"no range":     {"GET", "files/a.txt", []string{"Range", "bytes=20-"}, 416, "invalid range: failed to overlap\n", []string{"Content-Range", "bytes */10"}},
		"not modified": {"GET", "files/a.txt", []string{"If-Modified-Since", "Fri, 02 Jan 2026 03:04:05 GMT"}, 304, "", nil},
		"same tag":     {"GET", "tagged", []string{"If-None-Match", `"v1"`}, 304, "", []string{"Etag", `"v1"`}},
		"other tag":    {"GET", "tagged", []string{"If-None-Match", `"v0"`}, 200, "<p>", []string{"Etag", `"v1"`, "Content-Type", "text/html; charset=utf-8"}},
		"missing":      {"GET", "files/b.txt", nil, 404, "404 page not found\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := get(t, client, test.method, test.url, test.header...)
			if a.err != nil || a.code != test.code || string(a.body) != test.body {
				t.Errorf("%d %q, %v", a.code, a.body, a.err)
			}
			for pair := range slices.Chunk(test.want, 2) {
				if got := a.header.Get(pair[0]); got != pair[1] {
					t.Errorf("%s: %q, want %q", pair[0], got, pair[1])
				}
			}
		})
	}
}

func TestResourceHeaders(t *testing.T) {
	client := plugintest.Start(t, plugin.App(openSite))
	a := get(t, client, "GET", "headers")
	want := http.Header{"Set-Cookie": {"a=1", "b=2"}, "Vary": {"X", "Y"}}
	if a.err != nil || a.code != http.StatusCreated || fmt.Sprint(a.header) != fmt.Sprint(want) {
		t.Errorf("%d %v, %v", a.code, a.header, a.err)
	}
}

func TestAnswerWithoutBody(t *testing.T) {
	s, _ := openSite(t.Context(), plugin.Settings[struct{}]{})
	client := plugintest.Start(t, plugin.App(func(context.Context, plugin.Settings[struct{}]) (*site, error) { return s, nil }))
	if a := get(t, client, "GET", "nobody"); a.err != nil || a.code != http.StatusNoContent || len(a.body) > 0 {
		t.Errorf("%d %q, %v", a.code, a.body, a.err)
	}
	if err := <-s.ended; !errors.Is(err, http.ErrBodyNotAllowed) {
		t.Errorf("the handler was told %v", err)
	}
}

func TestAbortedAnswers(t *testing.T) {
	client := plugintest.Start(t, plugin.App(openSite))
	if a := get(t, client, "GET", "abort"); a.err == nil || a.pieces > 0 {
		t.Errorf("%d %q, %v", a.code, a.body, a.err)
	}
	if a := get(t, client, "GET", "abort?late"); a.err == nil || a.code != 200 || string(a.body) != "half of " {
		t.Errorf("%d %q, %v", a.code, a.body, a.err)
	}
}

func TestLargeBodies(t *testing.T) {
	client := plugintest.Start(t, plugin.App(openSite))
	if a := get(t, client, "GET", "files/big.bin"); a.err != nil || len(a.body) != large || a.pieces < 10 {
		t.Errorf("%d bytes in %d pieces, %v", len(a.body), a.pieces, a.err)
	}
	var body bytes.Buffer
	err := client.CallResource(t.Context(), &plugin.ResourceRequest{
		Context: plugin.Context{PluginID: "site"}, Path: "upload", Method: "PUT", Body: make([]byte, large),
	}, func(r plugin.ResourceResponse) error { body.Write(r.Body); return nil })
	if want := fmt.Sprint(large, large, error(nil)); err != nil || body.String() != want {
		t.Errorf("%s, %v", body.String(), err)
	}
}

// TestAnswerInPieces: what is flushed arrives while the handler still works.
func TestAnswerInPieces(t *testing.T) {
	s, _ := openSite(t.Context(), plugin.Settings[struct{}]{})
	client := plugintest.Start(t, plugin.App(func(context.Context, plugin.Settings[struct{}]) (*site, error) { return s, nil }))
	var pieces []string
	err := client.CallResource(t.Context(), &plugin.ResourceRequest{Context: plugin.Context{PluginID: "site"}, Path: "slow", Method: "GET"}, func(r plugin.ResourceResponse) error {
		if pieces = append(pieces, string(r.Body)); len(pieces) == 1 {
			close(<-s.blocked)
		}
		return nil
	})
	if err != nil || fmt.Sprint(pieces) != "[first second]" || <-s.ended != nil {
		t.Errorf("%q, %v", pieces, err)
	}

	gone := errors.New("the client is gone")
	err = client.CallResource(t.Context(), &plugin.ResourceRequest{Context: plugin.Context{PluginID: "site"}, Path: "slow", Method: "GET"}, func(plugin.ResourceResponse) error {
		return gone
	})
	if !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
	if err := <-s.ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the handler ended with %v", err)
	}
}
