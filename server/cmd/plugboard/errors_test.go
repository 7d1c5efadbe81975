package main

import (
	"errors"
	"strings"
	"testing"
)

// What a plugin says of an error does not reach the terminal as it is.
func TestReportIsPrintable(t *testing.T) {
	var told strings.Builder
	code := report(&told, failed("%w", errors.Join(errors.New("one\x1b[31m"), errors.New("two"))))
	if want := "plugboard: one\\x1b[31m\ntwo\n"; told.String() != want || code != codeFailed {
		t.Errorf("%q, code %d", told.String(), code)
	}
}
