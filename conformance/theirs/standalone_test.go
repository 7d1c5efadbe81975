package theirs

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
)

// TestStandalone: a process on the official SDK in standalone mode answers for
// its plugin as long as it is there, and the plugin's own afterwards.
func TestStandalone(t *testing.T) {
	dir := t.TempDir()
	executable := "gpx_everything_" + runtime.GOOS + "_" + runtime.GOARCH
	for _, name := range []string{"plugin.json", executable} {
		content, err := os.ReadFile(filepath.Join(pluginDir, "everything", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	standalone := startStandalone(t, dir, executable)

	// In the sandbox it may not look whether the other process lives.
	h, err := host.New(host.Config{PluginDirs: []string{dir}, AllowUnsigned: []string{"*"}, Sandbox: map[string]host.Policy{"*": {Level: "off"}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- h.Run(ctx) }()
	defer func() { stop(); <-stopped }()
	if got := servedBy(t, h); got != standalone.Process.Pid {
		t.Errorf("process %d answers, want %d", got, standalone.Process.Pid)
	}

	if err := standalone.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = standalone.Wait()
	if err := h.Restart(t.Context(), dataSourceID); err != nil {
		t.Fatal(err)
	}
	p, _ := h.Plugin(dataSourceID)
	if got := servedBy(t, h); got != p.PID {
		t.Errorf("process %d answers, want %d", got, p.PID)
	}
}

// startStandalone starts a plugin in its folder as its author does. It would
// kill all processes that have its path, with a program that it does not find.
func startStandalone(t *testing.T, dir, executable string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(filepath.Join(dir, executable), "-standalone")
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + filepath.Join(dir, "nothing")}
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for deadline := time.Now().Add(time.Minute); ; <-time.After(10 * time.Millisecond) {
		_, addressErr := os.Stat(filepath.Join(dir, "standalone.txt"))
		_, pidErr := os.Stat(filepath.Join(dir, "pid.txt"))
		if addressErr == nil && pidErr == nil {
			return cmd
		}
		if time.Now().After(deadline) {
			t.Fatal("no standalone.txt and pid.txt")
		}
	}
}

// servedBy returns the process that sends a stream.
func servedBy(t *testing.T, h *host.Host) int {
	t.Helper()
	s, err := h.Subscribe(t.Context(), &plugin.StreamRequest{Context: dataSource(`{}`), Path: "count"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	packet, err := s.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var sent struct{ PID int }
	if err := json.Unmarshal(packet, &sent); err != nil {
		t.Fatal(err)
	}
	return sent.PID
}
