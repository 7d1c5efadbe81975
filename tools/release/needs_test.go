package main

import (
	"os"
	"os/exec"
	"testing"
)

// needs skips a test for want of a program, or fails it where nothing may be
// skipped.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if os.Getenv("PLUGBOARD_REQUIRE") == "all" {
			t.Fatalf("%s is missing", program)
		}
		t.Skipf("%s is missing", program)
	}
}

// needsRoot skips a test where no namespaces can be made.
func needsRoot(t *testing.T, programs ...string) {
	t.Helper()
	needs(t, programs...)
	if out, err := exec.CommandContext(t.Context(), "unshare", "--mount", "--pid", "--net", "--fork", "true").CombinedOutput(); os.Getuid() != 0 || err != nil {
		t.Skipf("only root can make a container: %s", out)
	}
}
