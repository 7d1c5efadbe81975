package httpclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/trace"
)

const secret = "xyzzy-do-not-tell"

// spans is a Tracer that keeps what it gets, as text.
type spans struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *spans) Sample(trace.TraceID) bool     { return true }
func (s *spans) Run(ctx context.Context) error { <-ctx.Done(); return nil }
func (s *spans) Take(r trace.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(&s.text, "%+v\n", r)
}

// TestSecretsAreNotTold has the client fail in every way, with secrets in
// whatever may have one, and looks for them in errors, log, spans and metrics.
func TestSecretsAreNotTold(t *testing.T) {
	hold := make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			select {
			case <-hold:
			case <-r.Context().Done():
			}
		case "/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "short")
		case "/long":
			_, _ = io.WriteString(w, strings.Repeat("x", 2000))
		case "/loop":
			http.Redirect(w, r, "/loop?key="+secret, http.StatusFound)
		case "/nowhere":
			w.Header().Set("Location", "http://[::1/?key="+secret)
			w.WriteHeader(http.StatusFound)
		case "/away":
			http.Redirect(w, r, "http://user:"+secret+"@127.0.0.1:1/?key="+secret, http.StatusFound)
		case "/gone":
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				conn.Close()
			}
		case "/nonsense":
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, "nonsense\r\n\r\n")
				conn.Close()
			}
		default:
			w.WriteHeader(http.StatusTeapot)
		}
	})
	server := httptest.NewServer(handler)
	defer server.Close()
	defer close(hold)
	secure := httptest.NewUnstartedServer(handler)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()

	var told bytes.Buffer
	registry, traced := prometheus.NewRegistry(), &spans{}
	client, err := New(plugin.Settings[none]{
		DataSourceSettings: plugin.DataSourceSettings{
			BasicAuth: true, BasicAuthUser: "ada", User: "ada",
			JSON:    []byte(`{"timeout": 0.2, "responseLimit": 1000, "httpHeaderName1": "X-Key", "tlsAuth": true, "tlsAuthWithCACert": true}`),
			Secrets: plugin.Secrets{"basicAuthPassword": secret, "password": secret, "httpHeaderValue1": secret, "tlsClientKey": secret},
		},
		Logger: slog.New(slog.NewTextHandler(&told, nil)), Metrics: registry,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	ctx := trace.With(t.Context(), traced, trace.Service{})
	for name, url := range map[string]string{
		"unreachable": "http://127.0.0.1:1/", "unknown": "http://nowhere.invalid/", "refused": server.URL + "/", "not trusted": secure.URL + "/",
		"no HTTPS": strings.Replace(server.URL, "http:", "https:", 1) + "/", "no scheme": "//host/", "odd scheme": "gopher://host/",
		"slow": server.URL + "/slow", "cut": server.URL + "/cut", "long": server.URL + "/long", "loop": server.URL + "/loop", "nowhere": server.URL + "/nowhere",
		"away": server.URL + "/away", "gone": server.URL + "/gone", "nonsense": server.URL + "/nonsense",
	} {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.Replace(url, "://", "://user:"+secret+"@", 1)+"?key="+secret+"#"+secret, nil)
		if err != nil {
			t.Fatal(err)
		}
		failure := func() error {
			response, err := client.Do(r)
			if err != nil {
				return Fault(err)
			}
			defer response.Body.Close()
			if err := Refusal(response); err != nil {
				return err
			}
			_, err = io.ReadAll(response.Body)
			return err
		}()
		if failure == nil {
			t.Errorf("%s does not fail", name)
		}
		fmt.Fprintf(&told, "%s: %v\n", name, failure)
		for err := failure; err != nil; err = errors.Unwrap(err) {
			fmt.Fprintf(&told, "\t%T %v\n", err, err)
		}
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(&told, families, traced.text.String())
	for line := range strings.Lines(told.String()) {
		if strings.Contains(line, secret) {
			t.Error(line)
		}
	}
}

// TestProxy asks through a proxy, and one that is not there. A process reads
// its environment once, so each is a process of its own.
func TestProxy(t *testing.T) {
	if url := os.Getenv("PLUGBOARD_TEST_ASK"); url != "" {
		status, _, err := get(t, clientOf(t, plugin.DataSourceSettings{}), url)
		fmt.Println("got", status, err)
		return
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Host == "far.test" {
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	defer server.Close()
	for address, want := range map[string]string{
		server.URL:                               "got 418 <nil>",
		"http://user:" + secret + "@127.0.0.1:1": "got 0 GET http://far.test/: proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused",
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestProxy$")
		cmd.Env = append(os.Environ(), "PLUGBOARD_TEST_ASK=http://far.test/", "HTTP_PROXY="+address)
		output, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(output), want+"\n") || strings.Contains(string(output), secret) {
			t.Errorf("%v: %s", err, output)
		}
	}
}
