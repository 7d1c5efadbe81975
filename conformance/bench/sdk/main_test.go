package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
)

// TestCompareCalls measures for a moment: both sides run, and answer the same.
func TestCompareCalls(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("this reads Linux's /proc")
	}
	var out bytes.Buffer
	if err := compareCalls(t.Context(), options{length: time.Millisecond, rounds: 1, clients: 2}, &out); err != nil {
		t.Fatal(err)
	}
	for _, c := range calls {
		if !strings.Contains(out.String(), "\n"+c.name+" ") {
			t.Errorf("%s is not in the table:\n%s", c.name, out.String())
		}
	}
}
