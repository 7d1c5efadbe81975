package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// host is a process of this program in one of its roles.
type host struct {
	cmd     *exec.Cmd
	address string
	token   string
	plugin  int // its process id, 0 until it is looked up
}

// start runs a host and returns when it has an address. If profile names a
// file, the host writes its CPU profile there.
func start(ctx context.Context, role, plugins, data, profile string) (*host, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(data, 0o755); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, role, plugins, data, profile)
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	h := &host{cmd: cmd}
	lines := bufio.NewScanner(output)
	if !lines.Scan() {
		return nil, errors.Join(fmt.Errorf("%s says no address", role), h.stop())
	}
	h.address = lines.Text()
	if role == "ours" {
		if h.token, err = makeToken(ctx, h.address); err != nil {
			return nil, errors.Join(err, h.stop())
		}
	}
	return h, nil
}

func (h *host) stop() error {
	_ = h.cmd.Process.Signal(os.Interrupt)
	return h.cmd.Wait()
}

// usage is the processor time that the host, its plugin and this process have
// used so far.
func (h *host) usage() (_ usage, err error) {
	if h.plugin == 0 {
		if h.plugin, err = childOf(h.cmd.Process.Pid); err != nil {
			return usage{}, err
		}
	}
	host, err1 := cpuOf(h.cmd.Process.Pid)
	plugin, err2 := cpuOf(h.plugin)
	load, err3 := cpuOf(os.Getpid())
	return usage{host: host, plugin: plugin, load: load}, errors.Join(err1, err2, err3)
}

func cpuOf(pid int) (time.Duration, error) {
	fields, err := statOf(pid)
	if err != nil {
		return 0, err
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	const tick = 10 * time.Millisecond // USER_HZ
	return time.Duration(user+system) * tick, errors.Join(err1, err2)
}

// statOf returns what proc(5) tells of a process, from the third field on.
func statOf(pid int) ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	return strings.Fields(rest), nil
}

// childOf returns the one process that a process has started.
func childOf(parent int) (int, error) {
	processes, err := filepath.Glob("/proc/[0-9]*")
	for _, path := range processes {
		pid, _ := strconv.Atoi(filepath.Base(path))
		if fields, err := statOf(pid); err == nil && fields[1] == strconv.Itoa(parent) {
			return pid, nil
		}
	}
	return 0, errors.Join(err, fmt.Errorf("process %d has no child", parent))
}

// peak is the most memory that the host has had, in bytes.
func (h *host) peak() (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if size, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes, err := strconv.ParseInt(strings.Fields(size)[0], 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, errors.New("/proc tells no VmHWM")
}

// buildPlugin builds a plugin of conformance/plugins as it is installed.
func buildPlugin(ctx context.Context, name, dir string) error {
	const module = "github.com/plugboard/plugboard/conformance"
	source, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", module+"/plugins/"+name).Output()
	if err != nil {
		return fmt.Errorf("find the plugin (run this in the folder conformance, with GOWORK=off): %w", err)
	}
	folder := strings.TrimSpace(string(source))
	manifest, err := os.ReadFile(filepath.Join(folder, "plugin.json"))
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, "plugin.json"), manifest); err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", binaryIn(dir), ".")
	build.Dir, build.Stderr = folder, os.Stderr
	return build.Run()
}

func binaryIn(dir string) string {
	return filepath.Join(dir, "gpx_bench_"+runtime.GOOS+"_"+runtime.GOARCH)
}
