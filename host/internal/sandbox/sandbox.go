// Package sandbox confines plugin processes: what they may read and write, whom
// they may talk to, how much they may use, and that nothing of them is left
// when they end.
//
// On Linux the confining is done by the process itself, before it becomes the
// plugin: the host starts its own program again, and this package's init turns
// that into the plugin after all that the policy says has been given up. See
// docs/decisions/0010. Elsewhere every tier is missing.
package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Level is how much a plugin is trusted.
type Level = string

const (
	// Off leaves a plugin what its user may do; limits and the end of its
	// children hold all the same.
	Off = "off"
	// Default lets a plugin read its own folder and what programs need of the
	// system, and talk to the network. It breaks no plugin that does what data
	// sources do.
	Default = "default"
	// Strict puts a plugin into namespaces of its own, too, and takes the
	// network away unless the policy gives it.
	Strict = "strict"
)

// Tier is one means of the kernel's to confine a process.
type Tier = string

const (
	// Limits are memory and open files, a process group, a clean set of
	// descriptors, the right to gain no privileges, and the end with the host.
	Limits = "limits"
	// Landlock restricts files, TCP ports, signals and abstract sockets.
	Landlock = "landlock"
	// Seccomp refuses system calls that no data source needs.
	Seccomp = "seccomp"
	// Namespaces hide all other processes, and the network from who has none.
	Namespaces = "namespaces"
	// Cgroup limits memory, CPU and processes of a plugin and its children
	// together.
	Cgroup = "cgroup"
)

// Tiers are all tiers, the weakest first.
var Tiers = []Tier{Limits, Landlock, Seccomp, Namespaces, Cgroup}

// Policy is what one plugin may do. The zero Policy is that of Level Default.
type Policy struct {
	// Level is Default if empty.
	Level Level
	// Read and Write are files and folders, with all below, that the plugin
	// may read, and read and write, beside its own. They must exist.
	Read, Write []string
	// Network is "any", "none", or the TCP ports that the plugin may connect
	// to, separated by commas. Empty is "any", of Level Strict "none".
	Network string
	// Memory is how many bytes of memory the plugin may have. 0 is half of the
	// machine's, Unlimited is no limit.
	Memory int64
	// CPU is how many processors the plugin may use, such as 0.5; 0 is all.
	CPU float64
	// Processes is how many processes and threads the plugin and its children
	// may be at a time. 0 is DefaultProcesses, Unlimited is no limit.
	Processes int
	// Files is how many files and connections each of its processes may have
	// open. 0 is DefaultFiles, Unlimited is no limit.
	Files int
	// Required are tiers without which the plugin does not start. A required
	// tier is used at every level but Off.
	Required []Tier
}

const (
	// Unlimited is a limit that is none.
	Unlimited = -1

	DefaultProcesses = 512
	DefaultFiles     = 4096
)

// Network's words.
const (
	networkAny  = "any"
	networkNone = "none"
)

// Validate reports every fault of the policy at once.
func (p Policy) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if !slices.Contains([]Level{"", Off, Default, Strict}, p.Level) {
		fault("the level %q is none of off, default and strict", p.Level)
	}
	for _, path := range slices.Concat(p.Read, p.Write) {
		if !filepath.IsAbs(path) {
			fault("the path %q is not absolute", path)
		}
	}
	if _, err := p.ports(); err != nil {
		faults = append(faults, err)
	}
	if p.Memory < Unlimited || p.Memory > 0 && p.Memory < leastMemory {
		fault("a memory of %d bytes is too little to start in: at least %d", p.Memory, leastMemory)
	}
	if p.CPU < 0 || p.Processes < Unlimited || p.Files < Unlimited {
		fault("a limit is negative")
	}
	if p.Files > 0 && p.Files < leastFiles {
		fault("%d open files are too few to start with: at least %d", p.Files, leastFiles)
	}
	for _, tier := range p.Required {
		if !slices.Contains(Tiers, tier) {
			fault("the required tier %q is none of %v", tier, Tiers)
		} else if p.Level == Off && tier != Limits {
			fault("the tier %s is required, but the level is off", tier)
		}
	}
	return errors.Join(faults...)
}

// What a plugin in Go needs to say that it has started.
const (
	leastMemory = 32 << 20
	leastFiles  = 16
)

func (p Policy) withDefaults() Policy {
	if p.Level == "" {
		p.Level = Default
	}
	if p.Network == "" {
		p.Network = networkAny
		if p.Level == Strict {
			p.Network = networkNone
		}
	}
	if p.Processes == 0 {
		p.Processes = DefaultProcesses
	}
	if p.Files == 0 {
		p.Files = DefaultFiles
	}
	return p
}

// ports are the TCP ports that Network names; nil if it names none.
func (p Policy) ports() ([]uint16, error) {
	if p.Network == "" || p.Network == networkAny || p.Network == networkNone {
		return nil, nil
	}
	var ports []uint16
	for text := range strings.SplitSeq(p.Network, ",") {
		port, err := strconv.ParseUint(strings.TrimSpace(text), 10, 16)
		if err != nil || port == 0 {
			return nil, fmt.Errorf("the network %q is neither any nor none nor TCP ports, as 443,5432", p.Network)
		}
		ports = append(ports, uint16(port))
	}
	return ports, nil
}

// wants reports whether the policy asks for a tier.
func (p Policy) wants(tier Tier) bool {
	switch {
	case tier == Limits:
		return true
	case p.Level == Off:
		return false
	case tier == Namespaces:
		return p.Level == Strict || slices.Contains(p.Required, tier)
	}
	return true
}

// Status is one tier as a plugin has it.
type Status struct {
	Tier Tier
	On   bool
	// Detail is what the tier does, or why it is not there.
	Detail string
}

// Status says which tiers a process of this policy has, and why not the
// others. Every tier is in it once.
func (s *Sandbox) Status(p Policy) []Status {
	p = p.withDefaults()
	found := s.probed()
	statuses := make([]Status, 0, len(Tiers))
	for _, tier := range Tiers {
		status := found[tier]
		status.Tier = tier
		if status.On && !p.wants(tier) {
			status = Status{Tier: tier, Detail: fmt.Sprintf("the level %s does not ask for it", p.Level)}
		}
		statuses = append(statuses, status)
	}
	return statuses
}

// check returns an error if a required tier is missing.
func (s *Sandbox) check(p Policy) error {
	for _, status := range s.Status(p) {
		if !status.On && slices.Contains(p.Required, status.Tier) {
			return &Error{fmt.Errorf("its policy requires the tier %s, which is not to be had: %s", status.Tier, status.Detail)}
		}
	}
	return nil
}

// Error is what kept a process from being confined, so that it was not
// started.
type Error struct{ err error }

func (e *Error) Error() string { return "sandbox: " + e.err.Error() }
func (e *Error) Unwrap() error { return e.err }

// Subject is one process to confine.
type Subject struct {
	Policy Policy
	// Folder is the plugin's own, which it may read and execute; "" for none.
	Folder string
	// Private is the folder for the process's socket and temporary files. Its
	// path is in the process's environment as PLUGIN_UNIX_SOCKET_DIR, by which
	// its children are known.
	Private string
	// State is a folder that the plugin may keep things in; "" for none. It is
	// made if it is missing.
	State string
	// Executable is executed instead of the command's path if it is not nil:
	// what was looked at is then what runs. It stays the caller's.
	Executable *os.File
}

// mark is the environment variable that all children of a process inherit
// unless they take care not to.
func (s Subject) mark() string { return markName + "=" + s.Private }

const markName = "PLUGIN_UNIX_SOCKET_DIR"
