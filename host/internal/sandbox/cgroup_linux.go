package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// cgroups is a folder of a cgroup v2 hierarchy that we may divide.
type cgroups struct {
	root        string
	controllers []string
	made        atomic.Int64
}

// controllers of the kernel's that we have a use for.
var wanted = []string{"memory", "cpu", "pids"}

// openCgroups takes the named folder, or the one delegated to us.
func openCgroups(root string) (*cgroups, error) {
	if root == "" {
		var err error
		if root, err = delegated(); err != nil {
			return nil, err
		}
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(root, &fs); err != nil {
		return nil, fmt.Errorf("cgroup folder %s: %w", root, err)
	}
	if fs.Type != unix.CGROUP2_SUPER_MAGIC {
		return nil, fmt.Errorf("cgroup folder %s is not of a cgroup v2 hierarchy", root)
	}
	g := &cgroups{root: root}
	for _, controller := range wanted {
		if os.WriteFile(filepath.Join(root, "cgroup.subtree_control"), []byte("+"+controller), 0) == nil {
			g.controllers = append(g.controllers, controller)
		}
	}
	one, err := g.make(Policy{})
	if err != nil {
		return nil, err
	}
	one.remove()
	return g, nil
}

// delegated finds the folder that systemd has delegated to us: we are in a
// group below it, as DelegateSubgroup= makes it.
func delegated() (string, error) {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		own, isV2 := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !isV2 {
			continue
		}
		root := filepath.Join("/sys/fs/cgroup", filepath.Dir(own))
		if value := make([]byte, 1); delegates(root, value) && value[0] == '1' {
			return root, nil
		}
	}
	return "", errors.New("no cgroup v2 folder is delegated to this program")
}

// delegates reads the mark that systemd puts on what it delegates.
func delegates(path string, value []byte) bool {
	for _, name := range []string{"user.delegate", "trusted.delegate"} {
		if n, err := unix.Getxattr(path, name, value); err == nil && n == 1 {
			return true
		}
	}
	return false
}

func (g *cgroups) detail() string {
	if len(g.controllers) == 0 {
		return "killing all at once; no controller of memory, cpu and pids is handed down in " + g.root
	}
	return strings.Join(g.controllers, ", ") + ", killing all at once"
}

// cgroup is the group of one process.
type cgroup struct {
	path string
	dir  *os.File
}

// make makes a group with a policy's limits, as far as there are controllers.
func (g *cgroups) make(p Policy) (*cgroup, error) {
	path := filepath.Join(g.root, fmt.Sprintf("plugboard-%d-%d", os.Getpid(), g.made.Add(1)))
	if err := os.Mkdir(path, 0o755); err != nil {
		return nil, err
	}
	group := &cgroup{path: path}
	for _, limit := range []struct {
		set         bool
		controller  string
		file, value string
	}{
		{p.memory() > 0, "memory", "memory.max", strconv.FormatInt(p.memory(), 10)},
		{p.memory() > 0, "memory", "memory.swap.max", "0"},
		{p.memory() > 0, "memory", "memory.oom.group", "1"},
		{p.Processes > 0, "pids", "pids.max", strconv.Itoa(p.Processes)},
		{p.CPU > 0, "cpu", "cpu.max", fmt.Sprintf("%d %d", int(p.CPU*cpuPeriod), cpuPeriod)},
	} {
		if !limit.set || !g.has(limit.controller) {
			continue
		}
		err := os.WriteFile(filepath.Join(path, limit.file), []byte(limit.value), 0)
		if err != nil && limit.file != "memory.swap.max" { // not there without swap
			group.remove()
			return nil, err
		}
	}
	dir, err := os.Open(path)
	if err != nil {
		group.remove()
		return nil, err
	}
	group.dir = dir
	return group, nil
}

// cpuPeriod is the kernel's, in microseconds.
const cpuPeriod = 100_000

func (g *cgroups) has(controller string) bool {
	return slices.Contains(g.controllers, controller)
}

// remove kills all that is in the group, and removes it when that has ended.
func (g *cgroup) remove() {
	if g.dir != nil {
		_ = g.dir.Close()
	}
	_ = os.WriteFile(filepath.Join(g.path, "cgroup.kill"), []byte("1"), 0)
	for deadline := time.Now().Add(emptyTimeout); ; time.Sleep(time.Millisecond) {
		err := unix.Rmdir(g.path)
		if !errors.Is(err, unix.EBUSY) || time.Now().After(deadline) {
			return
		}
	}
}

// emptyTimeout is how long killed processes may take to be gone.
const emptyTimeout = 2 * time.Second
