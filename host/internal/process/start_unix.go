//go:build unix && !linux

package process

import (
	"os/exec"
	"syscall"
)

// ownGroup puts the child into a process group of its own. There is no
// parent-death signal here: plugins on our SDK watch their parent, others
// outlive a host that is killed.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

// reap waits for the process to end and calls last. Its number is free by
// then, but a group's is not as long as anybody is left in the group.
func reap(cmd *exec.Cmd, last func()) error {
	err := cmd.Wait()
	last()
	return err
}

func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
