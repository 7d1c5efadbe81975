package process

import (
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/plugboard/plugboard/host/internal/sandbox"
	"github.com/plugboard/plugboard/internal/badplugin"
)

// installed copies the test binary into a folder of its own, as an executable
// of the good plugin.
func installed(t *testing.T) (path string, sum [sha256.Size]byte) {
	t.Helper()
	path, err := badplugin.Install(t.TempDir(), "bad-datasource", badplugin.Good)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil { // it may be a link to this test
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o755); err != nil {
		t.Fatal(err)
	}
	return path, sha256.Sum256(content)
}

var errOther = errors.New("not what was signed")

func only(want [sha256.Size]byte) func([sha256.Size]byte) error {
	return func(sum [sha256.Size]byte) error {
		if sum != want {
			return errOther
		}
		return nil
	}
}

func TestVerifiedExecutableRunsUnderItsOwnName(t *testing.T) {
	path, sum := installed(t)
	p := started(t, Config{ID: "bad-datasource", Command: []string{path}, Verify: only(sum)})
	if _, err := ask(t.Context(), p, badplugin.Order{Say: "hello"}); err != nil {
		t.Fatal(err)
	}
	if link, err := os.Readlink("/proc/" + strconv.Itoa(p.PID()) + "/exe"); err != nil || link != path {
		t.Errorf("its executable is %q, %v, want %q", link, err, path)
	}
	if line, err := os.ReadFile("/proc/" + strconv.Itoa(p.PID()) + "/cmdline"); err != nil || strings.TrimRight(string(line), "\x00") != path {
		t.Errorf("its command line is %q, %v, want %q", line, err, path)
	}
}

func TestOtherExecutableIsNotStarted(t *testing.T) {
	path, sum := installed(t)
	marker := filepath.Join(t.TempDir(), "ran")
	tests := []struct {
		name    string
		replace func(*testing.T)
		want    string
	}{
		{"another file", func(t *testing.T) { replace(t, path, "#!/bin/sh\ntouch "+marker+"\n") }, "script"},
		{"a changed one", func(t *testing.T) { replace(t, path, "\x7fELF") }, errOther.Error()},
		{"a pipe", func(t *testing.T) {
			remove(t, path)
			if err := syscall.Mkfifo(path, 0o755); err != nil {
				t.Fatal(err)
			}
		}, "no regular file"},
		{"nothing", func(t *testing.T) { remove(t, path) }, "is missing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.replace(t)
			_, err := Start(t.Context(), Config{ID: "bad-datasource", Command: []string{path}, Verify: only(sum)})
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want one about %s that says %q", err, path, test.want)
			}
		})
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("the script has run")
	}
}

// TestSwappedExecutableNeverRuns puts another program into the place of the
// executable in every start, once it has been checked and before it is
// executed: what runs is what was checked, or nothing.
func TestSwappedExecutableNeverRuns(t *testing.T) {
	attacks := map[string]func(t *testing.T, path, evil string) (undo func()){
		"by another file": swapByRename,
		"in place":        swapInPlace,
	}
	for name, attack := range attacks {
		for confined, box := range map[string]*sandbox.Sandbox{"": nil, ", confined": cells} {
			t.Run(name+confined, func(t *testing.T) {
				path, sum := installed(t)
				marker := filepath.Join(t.TempDir(), "ran")
				evil := "#!/bin/sh\ntouch " + marker + "\nexit 1\n"
				starts := 0
				for range 20 {
					undo, once := func() {}, true
					p, err := Start(t.Context(), Config{ID: "bad-datasource", Command: []string{path}, Sandbox: box, Folder: filepath.Dir(path), Verify: func(have [sha256.Size]byte) error {
						if have != sum {
							return errOther
						}
						if !once {
							return nil
						}
						once = false
						undo = attack(t, path, evil)
						return nil
					}})
					if err == nil {
						starts++
						p.Stop()
					} else if !strings.Contains(err.Error(), "text file busy") && !strings.Contains(err.Error(), "was written to") {
						t.Errorf("something else was started: %v", err)
					}
					undo()
					if _, err := os.Stat(marker); err == nil {
						t.Fatal("the other program ran")
					}
				}
				t.Logf("%d of 20 started", starts)
			})
		}
	}
}

// swapByRename replaces the file at path, until undo.
func swapByRename(t *testing.T, path, evil string) (undo func()) {
	dir := filepath.Dir(path)
	good, other := filepath.Join(dir, "good"), filepath.Join(dir, "other")
	check(t, os.Link(path, good))
	check(t, os.WriteFile(other, []byte(evil), 0o755))
	check(t, os.Rename(other, path))
	return func() { check(t, os.Rename(good, path)) }
}

// swapInPlace writes into the file at path as soon as it can, until undo.
func swapInPlace(t *testing.T, path, evil string) (undo func()) {
	var written sync.WaitGroup
	start := []byte(nil)
	written.Go(func() { start = overwrite(t, path, []byte(evil)) })
	<-time.After(10 * time.Millisecond) // for the writer, if nothing holds it
	return func() {
		written.Wait()
		if start != nil {
			overwrite(t, path, start)
		}
	}
}

// overwrite replaces the beginning of a file and returns what was there, or
// nothing if the file is in use.
func overwrite(t *testing.T, path string, by []byte) []byte {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil // text file busy
	}
	defer file.Close()
	start := make([]byte, len(by))
	_, err = io.ReadFull(file, start)
	check(t, err)
	_, err = file.WriteAt(by, 0)
	check(t, err)
	return start
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func replace(t *testing.T, path, content string) {
	t.Helper()
	remove(t, path)
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
