package server

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// deadlines notes which are set.
type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error {
	d.set = append(d.set, t)
	return nil
}

func TestDeadlineOfABody(t *testing.T) {
	read := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body) })
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	timeBodies(read, time.Hour).ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader("body")))
	if len(w.set) != 2 || w.set[0].IsZero() || !w.set[1].IsZero() {
		t.Errorf("a body sets the deadlines %v, want one that is ended before the answer", w.set)
	}
	w = &deadlines{ResponseRecorder: httptest.NewRecorder()}
	if timeBodies(read, time.Hour).ServeHTTP(w, httptest.NewRequest("GET", "/", nil)); len(w.set) != 0 {
		t.Errorf("no body sets the deadlines %v", w.set)
	}
}

// A client that never ends its body is let go, also by a handler that does not
// want the body.
func TestBodyThatNeverEnds(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"read":   func(_ http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body) },
		"unread": func(http.ResponseWriter, *http.Request) {},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(timeBodies(handler, 20*time.Millisecond))
			defer server.Close()
			client, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = client.Close() }()
			if _, err := io.WriteString(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nbo"); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(client); err != nil { // until the server closes
				t.Error(err)
			}
		})
	}
}
