//go:build !linux

package process

import (
	"os"
	"os/exec"
)

// There is no executing of open files here: between the check and the start
// lies a moment in which the file can be replaced by who may write to its
// folder.

func execute(*exec.Cmd, *os.File) {}

func denyWriting(*os.File) (bool, error) { return false, nil }

func stillDenied(*os.File) error { return nil }
