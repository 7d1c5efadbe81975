package main

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/plugboard/plugboard/conformance/bench/measure"
	"github.com/plugboard/plugboard/conformance/official"
)

// weight is what a plugin that does next to nothing weighs.
type weight struct {
	binary   int64 // stripped, in bytes
	modules  int
	packages int
	idle     int64 // bytes in memory after the handshake
}

// compareWeight weighs examples/hello and its twin on the official SDK.
func compareWeight(ctx context.Context, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "bench-sdk-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ours, err := weigh(ctx, filepath.Join("..", "examples"), "./hello", filepath.Join(dir, "ours"))
	if err != nil {
		return err
	}
	official, err := weigh(ctx, ".", "./plugins/hello", filepath.Join(dir, "official"))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%-24s %12s %12s   %6s %6s\n", "hello", "ours", "official", "ratio", "want")
	for _, r := range []struct {
		name           string
		ours, official float64
		most           float64
		format         string
	}{
		{"stripped binary", float64(ours.binary) / 1e6, float64(official.binary) / 1e6, 0.75, "%9.1f MB"},
		{"modules linked", float64(ours.modules), float64(official.modules), 0.45, "%12.0f"},
		{"packages compiled", float64(ours.packages), float64(official.packages), 0.65, "%12.0f"},
		{"idle memory", float64(ours.idle) / 1e6, float64(official.idle) / 1e6, 0.80, "%9.1f MB"},
	} {
		fmt.Fprintf(out, "%-24s "+r.format+" "+r.format+"   %5.0f%% %5.0f%%\n", r.name, r.ours, r.official, 100*r.ours/r.official, 100*r.most)
	}
	return nil
}

func weigh(ctx context.Context, module, pkg, binary string) (w weight, err error) {
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, pkg)
	build.Dir, build.Stderr = module, os.Stderr
	if err := build.Run(); err != nil {
		return w, fmt.Errorf("build %s (run this in the folder conformance, with GOWORK=off): %w", pkg, err)
	}
	file, err := os.Stat(binary)
	if err != nil {
		return w, err
	}
	w.binary = file.Size()
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return w, err
	}
	w.modules = len(info.Deps)
	list := exec.CommandContext(ctx, "go", "list", "-deps", pkg)
	list.Dir, list.Stderr = module, os.Stderr
	packages, err := list.Output()
	if err != nil {
		return w, err
	}
	w.packages = strings.Count(string(packages), "\n")
	w.idle, err = idleMemory(binary)
	return w, err
}

// settled is when a process has done what it does at its start.
const settled = time.Second

func idleMemory(binary string) (int64, error) {
	client, err := official.Launch(exec.Command(binary), false, io.Discard)
	defer client.Process.Kill()
	if err != nil {
		return 0, err
	}
	time.Sleep(settled)
	return measure.Memory(pidOf(client.Process))
}
