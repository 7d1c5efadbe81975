//go:build unix

package sqlstore

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// lockFolder makes sure that one process at a time uses dir. The kernel lifts
// the lock when the process dies, however it does.
func lockFolder(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, "plugboard.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		file.Close() // nothing was written
		return nil, fmt.Errorf("the data folder %s is in use by another Plugboard: %w", dir, err)
	}
	return file, nil
}
