package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Config says what a Sandbox has to work with. The zero Config works.
type Config struct {
	// Cgroup is a folder of a cgroup v2 hierarchy in which groups may be made,
	// and whose controllers may be handed down. Empty: the one that systemd has
	// delegated to us with DelegateSubgroup, if it has.
	Cgroup string
	// Logger gets what an operator should know; nil discards it.
	Logger *slog.Logger
}

// Sandbox makes cells for the processes of one host. Its methods may be called
// from many goroutines. A nil Sandbox confines nothing.
type Sandbox struct {
	logger *slog.Logger
	cgroup string
	found  func() map[Tier]Status
	// What found has found, beside: groups is nil without the tier, counts
	// says whether processes can be counted without it.
	groups *cgroups
	counts bool
	warden warden
}

// New returns a sandbox. It looks at nothing before it is asked.
func New(c Config) *Sandbox {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Sandbox{logger: c.Logger, cgroup: c.Cgroup}
	s.warden.logger = c.Logger
	s.found = sync.OnceValue(s.probe)
	return s
}

// Close ends what watches over the cells. All of them must have ended.
func (s *Sandbox) Close() {
	if s != nil {
		s.warden.close()
	}
}

func (s *Sandbox) probed() map[Tier]Status {
	if s == nil {
		found := map[Tier]Status{}
		for _, tier := range Tiers {
			found[tier] = Status{Detail: "there is no sandbox"}
		}
		return found
	}
	return s.found()
}

// probeTimeout is far more than a probe takes.
const probeTimeout = 20 * time.Second

// probe tries every tier with a process that goes as far as a plugin's would.
func (s *Sandbox) probe() map[Tier]Status {
	orders := []order{{Powerless: true}, {Landlock: true}, {Seccomp: true}, {Namespaces: true, Powerless: true}, {Seccomp: true, Notify: true}}
	tried := make([]error, len(orders))
	var group sync.WaitGroup
	for i, o := range orders {
		group.Go(func() { tried[i] = try(o) })
	}
	group.Wait()
	if tried[0] != nil {
		err := fmt.Errorf("this program cannot start itself to become a plugin: %w", tried[0])
		tried = []error{err, err, err, err, err}
	}
	s.counts = tried[4] == nil
	found := map[Tier]Status{
		Limits:     status(tried[0], "memory, open files, process group, no new privileges, end with the host"),
		Landlock:   status(tried[1], landlockDetail()),
		Seccomp:    status(tried[2], "system calls, MPTCP, leaving the process group"+counting(tried[4])),
		Namespaces: status(tried[3], "users, processes, mounts, IPC; network where there is to be none"),
	}
	groups, err := openCgroups(s.cgroup)
	if err == nil && tried[0] == nil {
		s.groups = groups
		found[Cgroup] = status(nil, groups.detail())
	} else {
		found[Cgroup] = status(errors.Join(err, tried[0]), "")
	}
	return found
}

func status(err error, detail string) Status {
	if err != nil {
		return Status{Detail: err.Error()}
	}
	return Status{On: true, Detail: detail}
}

func counting(err error) string {
	if err != nil {
		return "; processes are not counted: " + err.Error()
	}
	return ", the number of processes"
}

func landlockDetail() string {
	version, _ := landlockVersion()
	detail := "version " + strconv.Itoa(version) + ": files"
	if version >= versionPorts {
		detail += ", TCP ports"
	}
	if version >= versionScopes {
		detail += ", signals, abstract sockets"
	}
	return detail
}

// try has a process obey an order and end.
func try(o order) error {
	ctx, cancel := context.WithTimeout(context.Background(), probeTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cell := &Cell{order: o}
	err := cell.Start(cmd, func(int) {})
	if cmd.Process != nil {
		_ = cmd.Wait() // it has said what there is to say
	}
	if cell.count != nil {
		cell.count.wait()
	}
	return err
}

// Cell is the sandbox of one process.
type Cell struct {
	sandbox *Sandbox // nil for a try
	subject Subject
	order   order
	group   *cgroup // nil without
	pid     int
	count   *counter // nil without
}

// Cell returns a cell for one process that is to be started, or an *Error. It
// must be started, or ended with End.
func (s *Sandbox) Cell(subject Subject) (*Cell, error) {
	subject.Policy = subject.Policy.withDefaults()
	if err := s.check(subject.Policy); err != nil || s == nil || !s.probed()[Limits].On {
		return nil, err
	}
	has := map[Tier]bool{}
	for _, status := range s.Status(subject.Policy) {
		has[status.Tier] = status.On
	}
	c := &Cell{sandbox: s, subject: subject}
	if subject.State != "" {
		if err := makeDir(subject.State); err != nil {
			return nil, &Error{fmt.Errorf("make its state folder: %w", err)}
		}
	}
	if has[Cgroup] {
		group, err := s.groups.make(subject.Policy)
		if err != nil {
			return nil, &Error{fmt.Errorf("make its cgroup: %w", err)}
		}
		c.group = group
	}
	c.order = newOrder(subject, has)
	c.order.Notify = has[Seccomp] && s.counts && subject.Policy.Processes > 0
	return c, nil
}

func newOrder(s Subject, has map[Tier]bool) order {
	p := s.Policy
	ports, _ := p.ports() // validated
	o := order{
		Landlock: has[Landlock], Seccomp: has[Seccomp], Namespaces: has[Namespaces],
		Powerless: p.Level != Off,
		NoNetwork: p.Network == networkNone, Ports: ports,
		Read: p.Read, Write: append([]string{s.Private}, p.Write...),
		Memory: uint64(max(p.memory(), 0)), Files: uint64(max(p.Files, 0)),
	}
	o.Strictly = append(append(o.Strictly, p.Read...), p.Write...)
	if s.Folder != "" {
		o.Execute = append(o.Execute, s.Folder)
	}
	if s.State != "" {
		o.Write = append(o.Write, s.State)
	}
	if has[Namespaces] && os.Getuid() != 0 {
		o.Processes = uint64(max(p.Processes, 0)) // counted per namespace; root's are not
	}
	return o
}

// memory is the limit in bytes, negative for none.
func (p Policy) memory() int64 {
	if p.Memory != 0 {
		return p.Memory
	}
	return machineMemory() / 2
}

// machineMemory is what there is for us, in bytes; -1 if that is not known.
func machineMemory() int64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return -1
	}
	all := int64(info.Totalram) * int64(info.Unit)
	text, err := os.ReadFile("/sys/fs/cgroup/memory.max") // a container's
	if err != nil {
		return all
	}
	if limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
		return min(all, limit)
	}
	return all
}

// Start starts the command confined: it returns when the plugin is executed, or
// why it is not. An *Error is the sandbox's fault, an *os.PathError the
// executable's. Once there is a process it calls running with its number; it
// has to be waited for then, also after an error. The thread must not be given
// up while the process lives. A nil Cell starts the command as it is.
func (c *Cell) Start(cmd *exec.Cmd, running func(pid int)) error {
	if c == nil {
		err := cmd.Start()
		if err == nil {
			running(cmd.Process.Pid)
		}
		return err
	}
	path := cmd.Path
	ours, theirs, err := socketPair()
	if err != nil {
		return err
	}
	defer ours.Close()
	c.wrap(cmd, theirs)
	if c.order.Namespaces {
		err = startWithNamespaces(cmd)
	} else {
		err = cmd.Start()
	}
	_ = theirs.Close()
	if err != nil {
		return &Error{err}
	}
	c.pid = cmd.Process.Pid
	running(c.pid)
	if c.sandbox != nil {
		c.sandbox.warden.watch(c.ward(true))
	}
	if _, err := ours.Write([]byte("!")); err != nil {
		return &Error{fmt.Errorf("it ended before it was told what to do: %w", err)}
	}
	return c.hear(ours, path)
}

// wrap makes the command one that confines itself first.
func (c *Cell) wrap(cmd *exec.Cmd, report *os.File) {
	o := c.order
	cmd.ExtraFiles = []*os.File{report}
	if c.sandbox != nil {
		o.Path = cmd.Path
		o.Execute = append(o.Execute, realPath(cmd.Path))
		if c.subject.Executable != nil {
			cmd.ExtraFiles = append(cmd.ExtraFiles, c.subject.Executable)
			o.File = reportFD + 1
			o.Execute = append(o.Execute, fdPath(o.File))
		}
	}
	if c.order.Namespaces {
		addNamespaces(cmd.SysProcAttr, o.NoNetwork)
	}
	if c.group != nil {
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(c.group.dir.Fd())
	}
	cmd.Env = append(cmd.Env, c.environment()...)
	cmd.Path = "/proc/self/exe"
	cmd.Args = append([]string{shimName, o.text()}, cmd.Args...)
}

// environment tells a plugin in Go of its limits: it collects garbage before it
// dies of the one, and does not start more threads than the other feeds.
func (c *Cell) environment() []string {
	var env []string
	if c.order.Memory > 0 {
		env = append(env, "GOMEMLIMIT="+strconv.FormatUint(c.order.Memory/10*9, 10))
	}
	if cpu := c.subject.Policy.CPU; cpu > 0 {
		env = append(env, "GOMAXPROCS="+strconv.Itoa(int(max(1, cpu+0.999))))
	}
	if c.subject.State != "" {
		env = append(env, "PLUGBOARD_STATE_DIR="+c.subject.State)
	}
	return env
}

// End ends what the process has left behind, after it has been waited for.
func (c *Cell) End() {
	if c == nil {
		return
	}
	if c.group != nil {
		c.group.remove()
	}
	if c.pid == 0 {
		return
	}
	if !c.order.Seccomp && !c.order.Namespaces && c.group == nil {
		killMarked(c.subject.mark()) // it may have left its process group
	}
	if os.Getpid() == 1 {
		reapGroup(c.pid)
	}
	if c.count != nil {
		c.count.wait()
	}
	c.sandbox.warden.watch(c.ward(false))
}

// reapGroup takes the orphans of a process that has ended from a host that is
// everybody's parent.
func reapGroup(pid int) {
	for {
		_, err := unix.Wait4(-pid, nil, 0, nil)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

func (c *Cell) ward(lives bool) ward {
	w := ward{PID: c.pid, Dir: c.subject.Private, Lives: lives}
	if c.group != nil {
		w.Cgroup = c.group.path
	}
	return w
}
