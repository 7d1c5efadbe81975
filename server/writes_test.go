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

// dial asks a server for something, and reads nothing.
func dial(t *testing.T, server *httptest.Server, request string) net.Conn {
	t.Helper()
	client, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if _, err := io.WriteString(client, request); err != nil {
		t.Fatal(err)
	}
	return client
}

// TestStuckClient: whoever reads nothing is let go, while the handler would
// write for ever.
func TestStuckClient(t *testing.T) {
	ended := make(chan error)
	server := httptest.NewServer(timeWrites(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 8<<20)); err != nil {
				ended <- err
				return
			}
		}
	}), 50*time.Millisecond))
	defer server.Close()
	dial(t, server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if err := <-ended; !strings.Contains(err.Error(), "timeout") {
		t.Error(err)
	}
}

// TestSlowAnswer: an answer, and a connection, may take longer than a piece of
// it.
func TestSlowAnswer(t *testing.T) {
	const limit = 500 * time.Millisecond
	server := httptest.NewServer(timeWrites(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 3 {
			<-time.After(limit * 3 / 4)
			_, _ = io.WriteString(w, "word ")
			_ = http.NewResponseController(w).Flush()
		}
		_, _ = io.WriteString(w, "last") // what is not flushed is sent behind the handler
		<-time.After(limit * 3 / 2)
	}), limit))
	defer server.Close()
	for range 2 {
		response, err := http.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || string(text) != "word word word last" {
			t.Errorf("%q, %v", text, err)
		}
	}
}
