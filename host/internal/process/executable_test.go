package process

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestExecutableThatCannotRun(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes and formats are Unix's")
	}
	write := func(t *testing.T, content string, mode os.FileMode) string {
		path := filepath.Join(t.TempDir(), "gpx_x_"+runtime.GOOS+"_"+runtime.GOARCH)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tests := []struct {
		name string
		path func(t *testing.T) string
		want string
	}{
		{"missing", func(t *testing.T) string { return filepath.Join(t.TempDir(), "gpx_x") }, "is missing"},
		{"for another system", func(t *testing.T) string {
			path := write(t, "", 0o755)
			if err := os.Rename(path, filepath.Join(filepath.Dir(path), "gpx_x_plan9_mips")); err != nil {
				t.Fatal(err)
			}
			return path
		}, "is missing; there is gpx_x_plan9_mips, for another system"},
		{"under another name", func(t *testing.T) string {
			path := write(t, "", 0o755)
			if err := os.Rename(path, filepath.Join(filepath.Dir(path), "plugin")); err != nil {
				t.Fatal(err)
			}
			return path
		}, "is missing; there is plugin, under another name"},
		{"not executable", func(t *testing.T) string { return write(t, "#!/bin/sh\n", 0o644) }, "may not be executed (mode -rw-r--r--)"},
		{"a directory", func(t *testing.T) string { return t.TempDir() }, "is a directory"},
		{"for another machine", func(t *testing.T) string { return write(t, elf(8), 0o755) }, "is built for linux/mips, this is " + platform()},
		{"for a Mac", func(t *testing.T) string {
			return write(t, "\xcf\xfa\xed\xfe\x0c\x00\x00\x01", 0o755)
		}, "is built for darwin/arm64"},
		{"for Windows", func(t *testing.T) string { return write(t, pe(), 0o755) }, "is built for windows/amd64"},
		{"text", func(t *testing.T) string { return write(t, "to be done", 0o755) }, "is not a program this system can run"},
		{"empty", func(t *testing.T) string { return write(t, "", 0o755) }, "is not a program this system can run"},
		{"without its interpreter", func(t *testing.T) string { return write(t, "#!/no/such/thing\n", 0o755) }, "needs a loader or interpreter"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, err := Start(t.Context(), Config{ID: "x", Command: []string{test.path(t)}})
			if err == nil {
				p.Stop()
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %q, which does not say %q", err, test.want)
			}
		})
	}
}

func elf(machine byte) string {
	return "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x02\x00" + string([]byte{machine, 0}) + strings.Repeat("\x00", 44)
}

func pe() string {
	return "MZ" + strings.Repeat("\x00", 0x3a) + "\x40\x00\x00\x00" + "PE\x00\x00\x64\x86"
}

func FuzzTarget(f *testing.F) {
	f.Add([]byte(elf(62)))
	f.Add([]byte(pe()))
	f.Add([]byte("\xca\xfe\xba\xbe"))
	f.Fuzz(func(t *testing.T, head []byte) { target(head) })
}
