package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// The names under which the host starts its own program again.
const (
	shimName   = "plugboard-sandbox"
	wardenName = "plugboard-warden"
)

// init makes the process the plugin, or the warden, if the host started it as
// such: an embedder has nothing to call in its main, and nothing to ship. It
// does nothing else.
func init() {
	if len(os.Args) == 0 {
		return
	}
	switch os.Args[0] {
	case shimName:
		runtime.LockOSThread() // what is given up is given up by the thread that executes the plugin
		os.Exit(become())
	case wardenName:
		os.Exit(guard(os.Stdin))
	}
}

// order is all that the process has to know before it becomes the plugin. It
// is its second argument; the plugin's command follows.
type order struct {
	// Path is executed, or what is open as File if that is not 0.
	Path string `json:",omitempty"`
	File int    `json:",omitempty"`
	// Execute, Read and Write are granted with all below. What is missing is
	// left out, unless Strictly holds it.
	Execute, Read, Write, Strictly []string `json:",omitempty"`

	Landlock, Seccomp, Namespaces bool `json:",omitempty"`

	// Powerless: no capability is kept.
	Powerless bool `json:",omitempty"`
	// NoNetwork and Ports are about sockets. Without both, all are allowed.
	NoNetwork bool     `json:",omitempty"`
	Ports     []uint16 `json:",omitempty"`

	// Memory, Files and Processes are limits; 0 is none.
	Memory, Files, Processes uint64 `json:",omitempty"`
	// Notify has process creation reported, so that the host may refuse it.
	Notify bool `json:",omitempty"`
}

// refusal is what the process says instead of becoming the plugin.
type refusal struct {
	Step  string
	Text  string
	Errno syscall.Errno
}

// reportFD is the socket to the host. It closes when the plugin is executed.
const reportFD = 3

// become waits for the host's word, gives up what the order says and executes
// the plugin. It returns only if that fails.
func become() int {
	unix.CloseOnExec(reportFD)
	if unix.Getuid() != unix.Geteuid() || unix.Getgid() != unix.Getegid() {
		return 1 // a program that lends its rights is not to be talked into executing another
	}
	if n, err := unix.Read(reportFD, make([]byte, 1)); n != 1 || err != nil {
		return 1 // the host is gone
	}
	step, err := confineAndExec(os.Args)
	said := refusal{Step: step, Text: err.Error()}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		said.Errno = errno
	}
	text, _ := json.Marshal(said) // it is made of texts and a number
	_, _ = unix.Write(reportFD, text)
	return 1
}

// confineAndExec returns the step that failed.
func confineAndExec(args []string) (step string, err error) {
	if len(args) < 2 {
		return "order", errors.New("there is none")
	}
	var o order
	if err := json.Unmarshal([]byte(args[1]), &o); err != nil {
		return "order", err
	}
	steps := []struct {
		name string
		when bool
		do   func(order) error
	}{
		{"namespaces", o.Namespaces, ownProc},
		{"limits", true, limit},
		{"capabilities", o.Powerless, dropCapabilities},
		{"landlock", o.Landlock, restrict},
		{"seccomp", o.Seccomp, filter},
	}
	for _, s := range steps {
		if !s.when {
			continue
		}
		if err := s.do(o); err != nil {
			return s.name, err
		}
	}
	if o.Path == "" { // it was only a try
		_, _ = unix.Write(reportFD, []byte("{}"))
		os.Exit(0)
	}
	path := o.Path
	if o.File != 0 {
		path = fdPath(o.File)
	}
	return execution, syscall.Exec(path, args[2:], os.Environ())
}

func fdPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// execution is the step that everything else is for.
const execution = "exec"

// limit sets what T0 consists of. The process group and the parent's death
// signal are the host's to set; the signal is set again because a change of
// rights clears it.
func limit(o order) error {
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("parent death signal: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no new privileges: %w", err)
	}
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte(oomScore), 0) // a favour to the host
	if err := lower(unix.RLIMIT_CORE, 0); err != nil {
		return fmt.Errorf("core files: %w", err)
	}
	if err := lowerUnlessZero(unix.RLIMIT_DATA, o.Memory); err != nil {
		return fmt.Errorf("memory: %w", err)
	}
	if err := lowerUnlessZero(unix.RLIMIT_NPROC, o.Processes); err != nil {
		return fmt.Errorf("processes: %w", err)
	}
	if err := lowerUnlessZero(unix.RLIMIT_NOFILE, o.Files); err != nil {
		return fmt.Errorf("files: %w", err)
	}
	return closeOnExec()
}

// oomScore makes a plugin what the kernel kills before all else when memory is
// short.
const oomScore = "800"

func lowerUnlessZero(resource int, to uint64) error {
	if to == 0 {
		return nil
	}
	return lower(resource, to)
}

// lower never raises a limit. It goes through package syscall, which would put
// back the number of files it found at start otherwise.
func lower(resource int, to uint64) error {
	var now syscall.Rlimit
	if err := syscall.Getrlimit(resource, &now); err != nil {
		return err
	}
	to = min(to, now.Max)
	return syscall.Setrlimit(resource, &syscall.Rlimit{Cur: to, Max: to})
}

// closeOnExec keeps every descriptor but the standard ones from the plugin:
// some the host has inherited itself and knows nothing of.
func closeOnExec() error {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // entries come and go
		return err
	}
	for _, entry := range open {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// dropCapabilities leaves a process of root's what its user id gives it, and
// keeps it from raising its limits again. Those who have none to lose are often
// not even allowed to say so.
func dropCapabilities(order) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var has, none [2]unix.CapUserData
	if err := unix.Capget(&header, &has[0]); err == nil && has == none {
		return nil
	}
	for capability := uintptr(0); ; capability++ {
		if _, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, capability, 0, 0, 0); err != nil {
			break // beyond the last
		}
		// Not allowed without CAP_SETPCAP, whose bounding set may stay: no new
		// privileges are to be had.
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0); err != nil && !errors.Is(err, unix.EPERM) {
			return err
		}
	}
	_ = unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) // before 4.3 there are none
	return unix.Capset(&header, &none[0])
}
