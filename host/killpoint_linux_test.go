package host_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/host/internal/failpoint"
	"github.com/plugboard/plugboard/internal/badplugin"
)

// killVariable makes this test binary a host that upgrades its plugin, and at
// one point is killed, or has its plugin killed: "host|plugin:point:directory".
const killVariable = "PLUGBOARD_TEST_KILL"

// killMark is in the environment of the plugins of one such host.
const killMark = "GF_PLUGIN_KILLMARK="

// killable is the host's configuration, the same before and after.
func killable(dir string) host.Config {
	return host.Config{
		PluginDirs: []string{filepath.Join(dir, "plugins")}, VersionsDir: filepath.Join(dir, "versions"),
		AllowUnsigned: []string{"*"}, Wait: time.Minute, Crashes: -1,
		PluginEnv: map[string]map[string]string{"acme-datasource": {"killmark": dir}},
	}
}

// isKilled makes this process the host that is killed, if it is to be.
func isKilled() bool {
	order := os.Getenv(killVariable)
	if order == "" {
		return false
	}
	if err := beKilled(order); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

// beKilled is the whole life of a host: a start, an upgrade, a stop. It is what
// the test binary does under killVariable.
func beKilled(order string) error {
	victim, rest, _ := strings.Cut(order, ":")
	point, dir, _ := strings.Cut(rest, "@")
	failpoint.Set(func(reached string) {
		if reached == point {
			strike(victim, dir)
		}
	})
	h, err := host.New(killable(dir))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	if _, err := h.Query(ctx, queryOf("acme-datasource", badplugin.Order{})); err != nil {
		return err
	}
	upgraded := h.Upgrade(ctx, "acme-datasource", filepath.Join(dir, "next"), false, nil)
	if _, err := h.Query(ctx, queryOf("acme-datasource", badplugin.Order{})); err != nil {
		return fmt.Errorf("after the upgrade (%v): %w", upgraded, err)
	}
	if running := marked(dir); len(running) > 2 {
		return fmt.Errorf("processes %v run, at most the old and the new should", running)
	}
	cancel()
	return <-ended
}

var struck sync.Once

// strike kills the host, which is this process, or the plugin, once.
func strike(victim, dir string) {
	struck.Do(func() {
		if victim == "host" {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		for _, pid := range marked(dir) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
}

// marked returns the processes of plugins of the host of a directory.
func marked(dir string) []int {
	var pids []int
	paths, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range paths {
		environment, err := os.ReadFile(path)
		if err == nil && bytes.Contains(environment, []byte(killMark+dir+"\x00")) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// Wherever in its life a host is killed, or its plugin: no process is left, no
// version is lost or half there, and a host runs one process of one of them.
func TestKillAtEveryPoint(t *testing.T) {
	for _, victim := range []string{"host", "plugin"} {
		for _, point := range failpoint.All {
			t.Run(victim+" at "+point, func(t *testing.T) {
				dir := t.TempDir()
				rewrite(t, filepath.Join(dir, "plugins"), "1.0.0", badplugin.Good)
				rewrite(t, filepath.Join(dir, "next"), "2.0.0", badplugin.Good)
				life(t, victim, point, dir)
				eventually(t, "the end of all processes", func() bool { return len(marked(dir)) == 0 })
				lifeAfter(t, dir)
			})
		}
	}
}

// life runs the host that is killed.
func life(t *testing.T, victim, point, dir string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), self)
	command.Env = append(os.Environ(), killVariable+"="+victim+":"+point+"@"+dir)
	output, err := command.CombinedOutput()
	if status, ok := command.ProcessState.Sys().(syscall.WaitStatus); victim == "host" && (!ok || status.Signal() != syscall.SIGKILL) {
		t.Fatalf("the host was to be killed: %v\n%s", err, output)
	}
	if victim == "plugin" && err != nil {
		t.Fatalf("the host: %v\n%s", err, output)
	}
}

// lifeAfter runs a host again.
func lifeAfter(t *testing.T, dir string) {
	t.Helper()
	h := running(t, killable(dir))
	ready(t, h)
	if version := versionOf(h); version != "1.0.0" && version != "2.0.0" {
		t.Errorf("version %q", version)
	}
	if running := marked(dir); len(running) != 1 {
		t.Errorf("processes %v run, want one", running)
	}
	if err := h.Upgrade(t.Context(), "acme-datasource", filepath.Join(dir, "next"), false, nil); err != nil && versionOf(h) != "2.0.0" {
		t.Errorf("the upgrade after it: %v", err)
	}
	mustAsk(t, h, "acme-datasource", badplugin.Order{})
}
