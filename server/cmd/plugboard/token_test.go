package main

import (
	"testing"
	"time"
)

func TestParseLife(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"never": 0, "90d": 90 * day, "2w": 14 * day, "12h": 12 * time.Hour, "1h30m": 90 * time.Minute, "1s": time.Second,
	} {
		if got, err := parseLife(text); err != nil || got != want {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "w", "90", "-1d", "0d", "0s", "1ms", "1.5d", "99999d", "1y", "d90", "-2h"} {
		if got, err := parseLife(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}
