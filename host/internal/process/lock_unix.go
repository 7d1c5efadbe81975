//go:build unix

package process

import (
	"os"

	"golang.org/x/sys/unix"
)

// tryLock takes the lock or fails at once. The kernel frees it when the last
// of our processes that has the file open ends; plugins do not inherit it.
func tryLock(file *os.File) error {
	return unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
}

func nameLock(file *os.File, name string) error { return os.Rename(file.Name(), name) }
