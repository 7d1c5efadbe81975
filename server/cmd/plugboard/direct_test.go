package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

func ask(t *testing.T, ctx context.Context, handler http.HandlerFunc) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://plugboard/path?a=b", nil)
	if err != nil {
		t.Fatal(err)
	}
	return (&http.Client{Transport: direct{handler}}).Do(r)
}

// TestDirectStreams: what is written is read before the handler has returned.
func TestDirectStreams(t *testing.T) {
	read := make(chan struct{})
	response, err := ask(t, t.Context(), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/csv")
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, r.RequestURI)
		<-read
		_, _ = io.WriteString(w, " end")
	})
	if err != nil || response.StatusCode != http.StatusAccepted || response.Header.Get("Content-Type") != "text/csv" {
		t.Fatalf("%+v, %v", response, err)
	}
	first := make([]byte, len("/path?a=b"))
	if _, err := io.ReadFull(response.Body, first); err != nil || string(first) != "/path?a=b" {
		t.Errorf("%q, %v", first, err)
	}
	close(read)
	if rest, err := io.ReadAll(response.Body); err != nil || string(rest) != " end" {
		t.Errorf("%q, %v", rest, err)
	}
	_ = response.Body.Close()
}

// TestDirectCloses: who stops reading ends the handler, and waits for it.
func TestDirectCloses(t *testing.T) {
	ended := false
	response, err := ask(t, t.Context(), func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = w.Write(make([]byte, 1000))
		}
		ended = true
	})
	if err != nil {
		t.Fatal(err)
	}
	if _ = response.Body.Close(); !ended {
		t.Error("the handler still runs")
	}
}

func TestDirectFails(t *testing.T) {
	if _, err := ask(t, t.Context(), func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }); !errors.Is(err, errBrokeOff) {
		t.Error(err)
	}
	response, err := ask(t, t.Context(), func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 1000))
		panic(http.ErrAbortHandler)
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(response.Body); len(got) != 1000 || !errors.Is(err, errBrokeOff) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	_ = response.Body.Close()
	ctx, cancel := context.WithCancel(t.Context())
	_, err = ask(t, ctx, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	response, err = ask(t, t.Context(), func(http.ResponseWriter, *http.Request) {})
	if err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("%+v, %v", response, err)
	}
	_ = response.Body.Close()
}
