//go:build unix

package process

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSweepTakesOnlyWhatNobodyHolds(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	held, err := newSocketDir()
	if err != nil {
		t.Fatal(err)
	}
	defer held.remove()
	dead, err := newSocketDir()
	if err != nil {
		t.Fatal(err)
	}
	if err := dead.lock.Close(); err != nil { // as the kernel does for a killed host
		t.Fatal(err)
	}
	foreign := filepath.Join(os.Getenv("TMPDIR"), "pb123")
	if err := os.Mkdir(foreign, 0o700); err != nil {
		t.Fatal(err)
	}

	Sweep()
	for path, want := range map[string]bool{held.path: true, dead.path: false, foreign: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s is there: %t", path, err == nil)
		}
	}
}
