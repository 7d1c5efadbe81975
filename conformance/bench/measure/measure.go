// Package measure builds the plugins that benchmarks run and tells what their
// processes use. It reads Linux's /proc.
package measure

import (
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

const module = "github.com/plugboard/plugboard/conformance"

// BuildPlugin builds a plugin of conformance/plugins into dir as it is
// installed, and returns the path of its binary.
func BuildPlugin(ctx context.Context, name, dir string) (binary string, err error) {
	source, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", module+"/plugins/"+name).Output()
	if err != nil {
		return "", fmt.Errorf("find the plugin (run this in the folder conformance, with GOWORK=off): %w", err)
	}
	folder := strings.TrimSpace(string(source))
	manifest, err := os.ReadFile(filepath.Join(folder, "plugin.json"))
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "plugin.json"), manifest, 0o644); err != nil {
		return "", err
	}
	binary = Binary(dir)
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, ".")
	build.Dir, build.Stderr = folder, os.Stderr
	return binary, build.Run()
}

// Binary is the path of the plugin that BuildPlugin built into dir.
func Binary(dir string) string {
	return filepath.Join(dir, "gpx_bench_"+runtime.GOOS+"_"+runtime.GOARCH)
}

// CPU is the processor time that a process has used so far, in steps of 10 ms.
func CPU(pid int) (time.Duration, error) {
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

// ChildOf returns a process that a process has started.
func ChildOf(parent int) (int, error) {
	processes, err := filepath.Glob("/proc/[0-9]*")
	for _, path := range processes {
		pid, _ := strconv.Atoi(filepath.Base(path))
		if fields, err := statOf(pid); err == nil && fields[1] == strconv.Itoa(parent) {
			return pid, nil
		}
	}
	return 0, errors.Join(err, fmt.Errorf("process %d has no child", parent))
}

// Memory is how much a process has in memory now, PeakMemory how much it has
// had at most, in bytes.
func Memory(pid int) (int64, error)     { return statusOf(pid, "VmRSS:") }
func PeakMemory(pid int) (int64, error) { return statusOf(pid, "VmHWM:") }

func statusOf(pid int, name string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if size, ok := strings.CutPrefix(line, name); ok {
			kilobytes, err := strconv.ParseInt(strings.Fields(size)[0], 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/status tells no %s", pid, name)
}
