package plugin

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/plugboard/plugboard/wire"
)

// maxBodyPiece is how much of a resource's body is kept back before it is
// sent unasked.
const maxBodyPiece = 256 << 10

func (s *server) CallResource(req *wire.CallResourceRequest, stream wire.Resource_CallResourceServer) error {
	if !s.plugin.offer.resources {
		return toStatus(ErrNotImplemented)
	}
	header := headerFromWire(req.Headers)
	err := s.call(stream.Context(), "callResource", call{context: contextFromWire(req.PluginContext), header: header},
		func(ctx context.Context, h *held) error {
			r, err := httpRequest(ctx, req, header)
			if err != nil {
				return err
			}
			w := &responseWriter{send: stream.Send, head: req.Method == http.MethodHead, header: http.Header{}}
			h.resources.ServeHTTP(w, r)
			return w.end()
		})
	return toStatus(err)
}

// httpRequest is the request that a handler behind a web server would see.
func httpRequest(ctx context.Context, req *wire.CallResourceRequest, header http.Header) (*http.Request, error) {
	target := req.Url
	if target == "" {
		target = (&url.URL{Path: req.Path}).EscapedPath()
	}
	if !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, BadRequest("resource: %w", err)
	}
	// Not http.NewRequest: it would parse "//host/path".
	r := &http.Request{
		Method:        req.Method,
		URL:           u,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        header,
		Host:          header.Get("Host"),
		RequestURI:    target,
		ContentLength: int64(len(req.Body)),
		Body:          http.NoBody,
	}
	if len(req.Body) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(req.Body))
	}
	return r.WithContext(ctx), nil
}

// responseWriter sends a handler's answer as it is flushed. It is the
// handler's alone.
type responseWriter struct {
	send   func(*wire.CallResourceResponse) error
	head   bool // the answer has no body, whatever the handler writes
	header http.Header
	// first is the message with status and header, until it is sent.
	first *wire.CallResourceResponse
	body  []byte
	code  int // 0 as long as the handler has not decided
	err   error
}

func (w *responseWriter) Header() http.Header { return w.header }

func (w *responseWriter) WriteHeader(code int) {
	if code < 100 || code > 999 {
		panic(fmt.Sprintf("invalid WriteHeader code %v", code))
	}
	// Informational answers have no message of their own on the wire.
	if w.code != 0 || code < 200 {
		return
	}
	w.code = code
	header := w.header.Clone()
	for _, name := range hopHeaders {
		header.Del(name)
	}
	w.first = &wire.CallResourceResponse{Code: int32(code), Headers: headerToWire(header)}
}

// hopHeaders are about the connection between a server and its client. A
// handler has neither; one that forwards an answer may have copied them.
var hopHeaders = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

func (w *responseWriter) Write(p []byte) (int, error) {
	if w.code == 0 {
		w.sniff(p)
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case w.err != nil:
		return 0, w.err
	case w.code == http.StatusNoContent || w.code == http.StatusNotModified:
		return 0, http.ErrBodyNotAllowed
	case w.head:
		return len(p), nil
	}
	w.body = append(w.body, p...)
	if len(w.body) >= maxBodyPiece {
		if err := w.FlushError(); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// sniff sets the content type that a handler has left open, as net/http does.
func (w *responseWriter) sniff(p []byte) {
	if _, set := w.header["Content-Type"]; !set && len(p) > 0 && w.header.Get("Content-Encoding") == "" {
		w.header.Set("Content-Type", http.DetectContentType(p))
	}
}

// Flush sends what is written.
func (w *responseWriter) Flush() { _ = w.FlushError() }

// FlushError is what http.ResponseController calls.
func (w *responseWriter) FlushError() error {
	if w.code == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.err != nil || (w.first == nil && len(w.body) == 0) {
		return w.err
	}
	message := w.first
	if message == nil {
		message = &wire.CallResourceResponse{}
	}
	message.Body = w.body
	w.first, w.body = nil, nil
	w.err = w.send(message)
	return w.err
}

// end sends the rest.
func (w *responseWriter) end() error { return w.FlushError() }
