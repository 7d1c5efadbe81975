package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// execute makes the process that cmd starts execute an open file. Its
// os.Executable is the file's own path all the same, and so is its first
// argument.
func execute(cmd *exec.Cmd, file *os.File) {
	cmd.Path = fmt.Sprintf("/proc/self/fd/%d", 3+len(cmd.ExtraFiles))
	cmd.ExtraFiles = append(cmd.ExtraFiles, file)
}

// denyWriting keeps everybody who opens the file for writing waiting until it
// is closed, as long as that takes less than the kernel's lease-break-time: 45
// seconds. It reports false if the file system or the file's owner does not
// let us, and an error if somebody has it open for writing already.
func denyWriting(file *os.File) (bool, error) {
	_, err := unix.FcntlInt(file.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	if errors.Is(err, unix.EAGAIN) {
		return false, errors.New("somebody has it open for writing")
	}
	return err == nil, nil
}

// stillDenied fails if somebody waits to write to the file, or no longer waits.
func stillDenied(file *os.File) error {
	lease, err := unix.FcntlInt(file.Fd(), unix.F_GETLEASE, 0)
	if err == nil && lease != unix.F_RDLCK {
		err = errors.New("somebody has opened it for writing")
	}
	return err
}
