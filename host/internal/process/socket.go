package process

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/plugboard/plugboard/host/internal/sandbox"
)

// A socket's path may have 103 bytes (macOS) or 107 (Linux). go-plugin needs
// 17 of them below our directory, and our directory's own name 14.
const longestTempDir = 103 - 17 - 14

// Names of the directories, and of the lock in each.
const (
	socketDirPrefix = "pb"
	lockName        = "lock"
)

// socketDir is a directory that nobody else may enter, for the socket and the
// temporary files of one process. A process that is killed leaves its socket
// behind; it goes with the directory. We hold a lock in it as long as we live,
// so that the directory of a host that was killed can be told from that of one
// that runs, whoever's it is.
type socketDir struct {
	path string
	lock *os.File
}

func newSocketDir() (*socketDir, error) {
	path, err := os.MkdirTemp(tempDir(), socketDirPrefix)
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(path)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(path))
	}
	return &socketDir{path: path, lock: lock}, nil
}

func (d *socketDir) remove() {
	_ = d.lock.Close() // first: Windows removes no open file
	_ = os.RemoveAll(d.path)
}

// env points every age of go-plugin to the directory: plugins from before 2023
// know TMPDIR only.
func (d *socketDir) env() []string {
	return []string{"PLUGIN_UNIX_SOCKET_DIR=" + d.path, "TMPDIR=" + d.path}
}

func tempDir() string {
	if base := os.TempDir(); len(base) <= longestTempDir {
		return base
	}
	return "/tmp"
}

// lockDir takes the lock before it gets its name, so that no lock of that name
// is ever free while its owner lives.
func lockDir(path string) (*os.File, error) {
	file, err := os.CreateTemp(path, "new")
	if err != nil {
		return nil, err
	}
	err = tryLock(file)
	if err == nil {
		err = nameLock(file, filepath.Join(path, lockName))
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// Sweep removes the directories of hosts that were killed, and ends what
// processes of theirs are left. A directory whose lock is held, or that has
// none, belongs to somebody and stays.
func Sweep() {
	dirs, _ := filepath.Glob(filepath.Join(tempDir(), socketDirPrefix+"[0-9]*"))
	for _, dir := range dirs {
		lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if tryLock(lock) == nil {
			sandbox.KillMarked(dir)
			_ = os.RemoveAll(dir)
		}
		_ = lock.Close()
	}
}
