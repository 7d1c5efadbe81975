package ours

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/plugboard/plugboard/conformance/official"
)

// standalone starts this binary as a plugin that a person serves in a folder,
// and returns its address.
func standalone(t *testing.T, folder string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PLUGBOARD_STANDALONE="+folder)
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for deadline := time.Now().Add(time.Minute); ; <-time.After(10 * time.Millisecond) {
		if address, err := os.ReadFile(filepath.Join(folder, "standalone.txt")); err == nil && len(address) > 0 {
			return string(address)
		}
		if time.Now().After(deadline) {
			t.Fatal("no standalone.txt")
		}
	}
}

// led starts an executable as Grafana does, and wants to be led to address.
func led(t *testing.T, executable, address string) {
	t.Helper()
	h, err := official.Launch(exec.Command(executable), false, io.Discard)
	t.Cleanup(h.Process.Kill)
	if err != nil {
		t.Fatal(err)
	}
	if got := h.Process.ReattachConfig().Addr.String(); got != address {
		t.Errorf("it was led to %s, want %s", got, address)
	}
	queryData(t, h, &backend.QueryDataRequest{PluginContext: seattle(), Queries: []backend.DataQuery{query("A", `{"do":"rows"}`)}})
}

// TestStandalone: Grafana starts our executable, and is led to the process that
// a debugger looks at.
func TestStandalone(t *testing.T) {
	dir := t.TempDir()
	executable := filepath.Join(dir, "gpx_ours")
	copyFile(t, executable, os.Args[0], 0o700)
	write(t, filepath.Join(dir, "plugin.json"), `{"id":"ours","backend":true}`)
	led(t, executable, standalone(t, dir))
}

// TestOfficialLocator: an executable on the official SDK finds a process on
// ours by its files.
func TestOfficialLocator(t *testing.T) {
	dir := t.TempDir()
	executable := filepath.Join(dir, "gpx_bare")
	build := exec.Command("go", "build", "-o", executable, "../plugins/bare")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	write(t, filepath.Join(dir, "plugin.json"), `{"id":"bench-bare-datasource","backend":true}`)
	led(t, executable, standalone(t, dir))
}

func copyFile(t *testing.T, to, from string, mode os.FileMode) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, mode); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
