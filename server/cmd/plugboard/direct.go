package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync"
)

// direct is an http.RoundTripper that calls a handler in this process. What the
// handler writes is read as it is made: it is never in memory whole.
type direct struct{ handler http.Handler }

var errBrokeOff = errors.New("the plugin's answer broke off")

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	r = r.Clone(ctx)
	r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:0"
	body, in := io.Pipe()
	w := &pipeWriter{header: http.Header{}, body: in, begun: make(chan struct{}), ended: make(chan struct{})}
	go w.serve(d.handler, r)
	<-w.begun // the handler obeys its context
	answer := &pipeBody{body, cancel, w.ended}
	if err := ctx.Err(); err != nil || w.broken {
		_ = answer.Close()
		if err == nil {
			err = errBrokeOff
		}
		return nil, err
	}
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)),
		StatusCode: w.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        w.sent,
		Body:          answer,
		ContentLength: -1,
		Request:       r,
	}, nil
}

// pipeBody is an answer being read. Close ends the handler and waits for it.
type pipeBody struct {
	*io.PipeReader
	cancel context.CancelFunc
	ended  <-chan struct{}
}

func (b *pipeBody) Close() error {
	b.cancel()
	err := b.PipeReader.Close()
	<-b.ended
	return err
}

// pipeWriter is an answer being written.
type pipeWriter struct {
	header http.Header
	body   *io.PipeWriter

	begin  sync.Once
	begun  chan struct{} // closed when the fields below are final
	status int
	sent   http.Header
	broken bool // off, before it began

	ended chan struct{} // closed when the handler has returned
}

func (w *pipeWriter) serve(handler http.Handler, r *http.Request) {
	defer close(w.ended)
	defer func() {
		switch p := recover(); p {
		case nil:
			w.WriteHeader(http.StatusOK)
			_ = w.body.Close()
		case http.ErrAbortHandler:
			w.begin.Do(func() {
				w.broken = true
				close(w.begun)
			})
			_ = w.body.CloseWithError(errBrokeOff)
		default:
			panic(p)
		}
	}()
	handler.ServeHTTP(w, r)
}

func (w *pipeWriter) Header() http.Header { return w.header }
func (w *pipeWriter) Flush()              {}

func (w *pipeWriter) WriteHeader(status int) {
	if status < http.StatusOK {
		return
	}
	w.begin.Do(func() {
		w.status, w.sent = status, maps.Clone(w.header)
		close(w.begun)
	})
}

func (w *pipeWriter) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}
