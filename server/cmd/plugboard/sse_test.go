package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestReadEvents(t *testing.T) {
	const text = ": hello\n\nid: 7\ndata: one\n\ndata: two\ndata:lines\r\n\nevent: x\nretry: 5\n\ndata\n\ndata: unfinished"
	var got []string
	err := readEvents(strings.NewReader(text), func(e event) error {
		got = append(got, fmt.Sprintf("%s|%s|%s", e.id, e.data, e.comment))
		return nil
	})
	want := []string{"||hello", "7|one|", "|two\nlines|", "||"}
	if err != nil || strings.Join(got, "; ") != strings.Join(want, "; ") {
		t.Errorf("%q, %v", got, err)
	}
}

func FuzzReadEvents(f *testing.F) {
	f.Add([]byte(": c\n\nid: 1\ndata: {}\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		_ = readEvents(bytes.NewReader(text), func(e event) error {
			if e.comment == nil && e.data == nil {
				t.Error("an event without anything")
			}
			return nil
		})
	})
}

// TestFollowComesBack: a client tells what it has seen, and gives up when it is
// refused.
func TestFollowComesBack(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Last-Event-ID"))
		switch len(asked) {
		case 1:
			fmt.Fprint(w, "id: 1\ndata: one\n\n: ended: too slow\n\n")
		case 2:
			w.WriteHeader(http.StatusBadGateway)
		case 3:
			fmt.Fprint(w, "id: 2\ndata: two\n\n")
		default:
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"message":"it is gone"}`)
		}
	}))
	defer server.Close()
	var got, told strings.Builder
	a := &api{base: server.URL, client: server.Client()}
	err := a.follow(t.Context(), "/", &told, func(data []byte) error {
		got.Write(data)
		return nil
	})
	if f, ok := errors.AsType[*failure](err); !ok || f.code != codeUsage || !strings.Contains(err.Error(), "it is gone") {
		t.Errorf("the end: %v", err)
	}
	if got.String() != "onetwo" || strings.Join(asked, ",") != ",1,1,2" {
		t.Errorf("got %q, asked %q", got.String(), asked)
	}
	for _, want := range []string{"the server has ended the stream: too slow; trying again in 250ms", "502", "has ended; trying again"} {
		if !strings.Contains(told.String(), want) {
			t.Errorf("told %q, want %q", told.String(), want)
		}
	}
}
