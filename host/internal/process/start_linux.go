package process

import (
	"errors"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// ownGroup puts the child into a process group of its own and lets the kernel
// kill it when we die, however we die.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// reap waits for the process to end, calls last, and releases its number: until
// then nobody else can get it, or its group's.
func reap(cmd *exec.Cmd, last func()) error {
	for errors.Is(unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
	}
	last()
	return cmd.Wait()
}

func killGroup(pid int) { _ = unix.Kill(-pid, unix.SIGKILL) }
