package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/plugboard/plugboard/conformance/bench/measure"
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
		if h.plugin, err = measure.ChildOf(h.cmd.Process.Pid); err != nil {
			return usage{}, err
		}
	}
	host, err1 := measure.CPU(h.cmd.Process.Pid)
	plugin, err2 := measure.CPU(h.plugin)
	load, err3 := measure.CPU(os.Getpid())
	return usage{host: host, plugin: plugin, load: load}, errors.Join(err1, err2, err3)
}

// peak is the most memory that the host has had, in bytes.
func (h *host) peak() (int64, error) { return measure.PeakMemory(h.cmd.Process.Pid) }
