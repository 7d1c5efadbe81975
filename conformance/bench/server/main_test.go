package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test's own binary be the hosts that it measures.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && roles[os.Args[1]] != nil {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestCompare measures for a moment: both hosts run, and answer
// the same, with a plugin on either SDK.
func TestCompare(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("this reads Linux's /proc")
	}
	var out bytes.Buffer
	o := options{length: time.Millisecond, rounds: 1, clients: 2, only: "10x1"}
	if err := compare(t.Context(), o, &out); err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.String(), "\n10x1 ") != 2 {
		t.Errorf("the table is\n%s", out.String())
	}
}
