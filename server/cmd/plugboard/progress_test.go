package main

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told strings.Builder
		p := startProgress(&told)
		_, _ = io.Copy(io.Discard, p.reader(strings.NewReader(strings.Repeat("x", 1234))))
		time.Sleep(1100 * time.Millisecond)
		p.end()
		if want := eraseLine + "1s, 1.2 kB received" + eraseLine; told.String() != want {
			t.Errorf("told %q, want %q", told.String(), want)
		}
	})
}

// What is quick, and what nobody watches, is not told.
func TestNoProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told strings.Builder
		p := startProgress(&told)
		time.Sleep(progressAfter / 2)
		p.end()
		unwatched := startProgress(nil)
		time.Sleep(2 * progressAfter)
		unwatched.end()
		if told.String() != "" {
			t.Errorf("told %q", told.String())
		}
	})
}

func TestByteText(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1500: "1.5 kB", 2_500_000: "2.5 MB", 3e9: "3.0 GB"} {
		if got := byteText(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
