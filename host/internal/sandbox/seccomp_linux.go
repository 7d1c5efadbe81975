//go:build amd64 || arm64

package sandbox

import (
	"fmt"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Offsets into the kernel's struct seccomp_data. The low half of an argument
// comes first: both architectures are little-endian.
const (
	offsetNr   = 0
	offsetArch = 4
	offsetArgs = 16
)

// What a refused call gets to hear. Nothing is killed for a question.
const (
	permit    = unix.SECCOMP_RET_ALLOW
	notAllow  = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	unknown   = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	noAccess  = unix.SECCOMP_RET_ERRNO | uint32(unix.EACCES)
	noFamily  = unix.SECCOMP_RET_ERRNO | uint32(unix.EAFNOSUPPORT)
	noProto   = unix.SECCOMP_RET_ERRNO | uint32(unix.EPROTONOSUPPORT)
	noOption  = unix.SECCOMP_RET_ERRNO | uint32(unix.EOPNOTSUPP)
	pretended = unix.SECCOMP_RET_ERRNO // with error 0: done, it says, and is not
)

// forbidden are system calls that no data source needs, and that attack the
// kernel, other processes, or the other tiers.
var forbidden = slices.Concat([]uintptr{
	// into other processes
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PIDFD_GETFD, unix.SYS_KCMP,
	unix.SYS_PROCESS_MADVISE, unix.SYS_PERF_EVENT_OPEN,
	// around Landlock and this filter
	unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
	unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_FANOTIFY_INIT,
	// another view of the system
	unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_CHROOT, unix.SYS_PIVOT_ROOT, unix.SYS_MOUNT, unix.SYS_UMOUNT2,
	unix.SYS_OPEN_TREE, unix.SYS_MOVE_MOUNT, unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK,
	unix.SYS_MOUNT_SETATTR,
	// the kernel's broad surface
	unix.SYS_BPF, unix.SYS_USERFAULTFD, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL,
	// the machine
	unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_KEXEC_LOAD, unix.SYS_KEXEC_FILE_LOAD,
	unix.SYS_REBOOT, unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_SYSLOG, unix.SYS_ACCT, unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD,
	unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_ADJTIMEX, unix.SYS_CLOCK_ADJTIME,
	unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME, unix.SYS_VHANGUP, unix.SYS_LOOKUP_DCOOKIE,
}, forbiddenHere)

// newNamespaces are the flags of clone that make namespaces.
const newNamespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
	unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

// program builds a filter instruction by instruction; it begins with the
// number of the call loaded.
type program []unix.SockFilter

// load loads the 32 bits at an offset of the call's description.
func (p *program) load(offset uint32) {
	*p = append(*p, unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset})
}

// argument loads an argument's low half.
func (p *program) argument(number uint32) { p.load(offsetArgs + 8*number) }

// unless skips the next instructions unless what is loaded compares as jump
// says.
func (p *program) unless(jump uint16, value uint32, skip uint8) {
	*p = append(*p, unix.SockFilter{Code: unix.BPF_JMP | jump | unix.BPF_K, Jf: skip, K: value})
}

func (p *program) answer(with uint32) {
	*p = append(*p, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: with})
}

// answerIf answers if what is loaded compares as jump says.
func (p *program) answerIf(jump uint16, value, with uint32) {
	p.unless(jump, value, 1)
	p.answer(with)
}

// answerUnless answers if what is loaded equals none of the values.
func (p *program) answerUnless(values []uint32, with uint32) {
	for i, value := range values {
		*p = append(*p, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: uint8(len(values) - i), K: value})
	}
	p.answer(with)
}

// call adds what body does for one system call. Body may load what it wants;
// what it leaves unanswered is permitted.
func (p *program) call(number uintptr, body func(*program)) {
	var inner program
	body(&inner)
	inner.answer(permit)
	p.unless(unix.BPF_JEQ, uint32(number), uint8(len(inner)))
	*p = append(*p, inner...)
}

// rules is the whole filter.
func rules(o order) program {
	var p program
	p.load(offsetArch)
	p.answerUnless([]uint32{auditArch}, unknown) // another architecture's numbers mean other calls
	p.load(offsetNr)
	for _, limit := range foreignNumbers {
		p.answerIf(unix.BPF_JGE, limit, unknown)
	}
	for _, number := range forbidden {
		p.answerIf(unix.BPF_JEQ, uint32(number), notAllow)
	}
	p.processes(o)
	p.sockets(o)
	p.answer(permit)
	return p
}

// processes keeps the plugin and its children in one process group, which one
// signal ends.
func (p *program) processes(o order) {
	p.answerIf(unix.BPF_JEQ, unix.SYS_SETSID, pretended)
	p.answerIf(unix.BPF_JEQ, unix.SYS_SETPGID, pretended)
	p.call(unix.SYS_PRCTL, func(p *program) {
		p.argument(0)
		p.answerIf(unix.BPF_JEQ, unix.PR_SET_PDEATHSIG, pretended)
	})
	// clone3 has its flags in memory, where a filter cannot look. Everybody
	// goes on with clone if it is unknown.
	p.answerIf(unix.BPF_JEQ, unix.SYS_CLONE3, unknown)
	created := uint32(permit)
	if o.Notify {
		created = unix.SECCOMP_RET_USER_NOTIF
	}
	p.call(unix.SYS_CLONE, func(p *program) {
		p.argument(0)
		p.answerIf(unix.BPF_JSET, newNamespaces, notAllow)
		p.answerIf(unix.BPF_JSET, unix.CLONE_THREAD, permit)
		p.answer(created)
	})
	for _, number := range forksHere {
		p.answerIf(unix.BPF_JEQ, uint32(number), created)
	}
}

const (
	protocolMPTCP = 262
	flagFastOpen  = unix.MSG_FASTOPEN
)

// sockets leaves the families that programs use, and closes what Landlock's
// TCP rules do not see: MPTCP, and connecting by sending.
func (p *program) sockets(o order) {
	families := []uint32{unix.AF_UNIX, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK}
	otherwise := noFamily
	if o.NoNetwork {
		families, otherwise = families[:1], noAccess
	}
	p.call(unix.SYS_SOCKET, func(p *program) {
		p.argument(0)
		p.answerUnless(families, otherwise)
		p.argument(2)
		p.answerIf(unix.BPF_JEQ, protocolMPTCP, noProto)
	})
	for _, send := range []struct {
		number uintptr
		flags  uint32
	}{{unix.SYS_SENDTO, 3}, {unix.SYS_SENDMSG, 2}, {unix.SYS_SENDMMSG, 3}} {
		p.call(send.number, func(p *program) {
			p.argument(send.flags)
			p.answerIf(unix.BPF_JSET, flagFastOpen, noOption)
		})
	}
}

// filter installs the rules for this thread, and so for what it executes.
func filter(o order) error {
	p := rules(o)
	listing := unix.SockFprog{Len: uint16(len(p)), Filter: &p[0]}
	var flags uintptr
	if o.Notify {
		flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER
	}
	listener, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&listing)))
	if errno != 0 {
		return fmt.Errorf("install the filter: %w", errno)
	}
	if !o.Notify {
		return nil
	}
	unix.CloseOnExec(int(listener))
	return unix.Sendmsg(reportFD, []byte{' '}, unix.UnixRights(int(listener)), nil, 0)
}
