package hosttest

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Start builds the program in dir, runs it until the test ends, and returns
// the first line that it prints: the address it listens on, say.
func Start(t testing.TB, dir string, args ...string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "program"+exeSuffix())
	build(t, dir, binary)
	cmd := exec.Command(binary, args...)
	cmd.Stderr = t.Output()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()         // "killed"
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("%s printed %q, then: %v", dir, line, err)
	}
	return strings.TrimSpace(line)
}
