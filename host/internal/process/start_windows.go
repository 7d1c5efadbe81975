package process

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps a Ctrl-C at our console from reaching the child.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

func reap(cmd *exec.Cmd, last func()) error {
	err := cmd.Wait()
	last()
	return err
}

func killGroup(int) {}
