package process

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// verified is an executable whose content has been checked, open until it
// runs. What the process executes is this file, whatever lies at its path by
// then, and nobody has written to it in between.
type verified struct {
	path  string
	check func(sum [sha256.Size]byte) error
	file  *os.File
	lease bool
}

// openVerified opens an executable that has to be checked; without a check
// there is none.
func openVerified(path string, check func([sha256.Size]byte) error) (*verified, error) {
	if check == nil {
		return nil, nil
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would wait for a writer
	if err != nil {
		return nil, diagnose(path, err)
	}
	return &verified{path: path, check: check, file: file}, nil
}

func (v *verified) opened() *os.File {
	if v == nil {
		return nil
	}
	return v.file
}

func (v *verified) close() {
	if v != nil {
		_ = v.file.Close()
	}
}

// start checks the file and calls execute, which returns when it is executed.
// A process whose executable has changed meanwhile is the caller's to end.
func (v *verified) start(execute func() error) error {
	if v == nil {
		return execute()
	}
	var err error
	if v.lease, err = denyWriting(v.file); err == nil {
		err = v.verify()
	}
	if err != nil {
		return &unverified{v.path, err}
	}
	if err := execute(); err != nil {
		return err
	}
	if err := v.unchanged(); err != nil {
		return &unverified{v.path, fmt.Errorf("it was written to while it was started: %w", err)}
	}
	return nil
}

// unverified says why an executable must not run.
type unverified struct {
	path string
	err  error
}

func (e *unverified) Error() string { return "its executable " + e.path + ": " + e.err.Error() }
func (e *unverified) Unwrap() error { return e.err }

// verify reads the file from its beginning.
func (v *verified) verify() error {
	if info, err := v.file.Stat(); err != nil || !info.Mode().IsRegular() {
		return errors.Join(err, errors.New("it is no regular file"))
	}
	content := io.NewSectionReader(v.file, 0, 1<<62)
	var start [2]byte
	if n, _ := content.ReadAt(start[:], 0); string(start[:n]) == "#!" {
		return errors.New("it is a script, which its interpreter would read again after it has been verified")
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, content); err != nil {
		return err
	}
	return v.check([sha256.Size]byte(hash.Sum(nil)))
}

// unchanged tells, once the file is executed and so can no longer be written
// to, whether it was in the meantime.
func (v *verified) unchanged() error {
	if v.lease {
		return stillDenied(v.file)
	}
	return v.verify()
}
