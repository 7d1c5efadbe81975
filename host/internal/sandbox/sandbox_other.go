//go:build !linux

package sandbox

import (
	"log/slog"
	"os/exec"
	"runtime"
)

// Sandbox confines nothing on this system.
type Sandbox struct{}

// Config is of no use on this system.
type Config struct {
	// Cgroup is for Linux.
	Cgroup string
	Logger *slog.Logger
}

// New returns a sandbox without any tier.
func New(Config) *Sandbox { return nil }

// Close does nothing.
func (s *Sandbox) Close() {}

func (s *Sandbox) probed() map[Tier]Status {
	found := map[Tier]Status{}
	for _, tier := range Tiers {
		found[tier] = Status{Detail: "there is none on " + runtime.GOOS}
	}
	return found
}

// Cell is a process that nothing confines.
type Cell struct{}

// Cell fails if the policy requires a tier.
func (s *Sandbox) Cell(subject Subject) (*Cell, error) { return nil, s.check(subject.Policy) }

// Start starts the command as it is, and calls running with its number.
func (c *Cell) Start(cmd *exec.Cmd, running func(pid int)) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	running(cmd.Process.Pid)
	return nil
}

// End does nothing.
func (c *Cell) End() {}

// KillMarked does nothing.
func KillMarked(string) {}
