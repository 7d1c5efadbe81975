package main

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

var arm = platform{"linux", "arm64"}

// The binary for the other architecture runs too: a plugin inside it answers a
// native host. Its server is not started, as it starts plugins, and the
// emulator hangs now and then when a program with threads forks.
func TestARM(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a minute to build")
	}
	if runtime.GOARCH == arm.arch {
		t.Skip("the other tests start it")
	}
	needs(t, "qemu-aarch64")
	binary := filepath.Join(t.TempDir(), "plugboard")
	check(t, build(t.Context(), repository, binary, tested, arm))
	isStatic(t, binary, elf.EM_AARCH64)

	out, err := exec.CommandContext(t.Context(), "qemu-aarch64", binary, "version").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "plugboard v1.2.3") {
		t.Errorf("version: %s, %v", out, err)
	}
	out, err = exec.CommandContext(t.Context(), releasedBinary(t), "query", "--plugin", emulatedPlugin(t, binary), "table").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "wave4") {
		t.Errorf("the emulated plugin answers %s, %v", out, err)
	}
}

// The native one needs nothing of the machine but its kernel.
func TestStatic(t *testing.T) {
	isStatic(t, releasedBinary(t), map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[runtime.GOARCH])
}

func isStatic(t *testing.T, binary string, machine elf.Machine) {
	t.Helper()
	f, err := elf.Open(binary)
	check(t, err)
	defer f.Close()
	if f.Machine != machine {
		t.Errorf("it is for %v, want %v", f.Machine, machine)
	}
	for _, part := range f.Progs {
		if part.Type == elf.PT_INTERP || part.Type == elf.PT_DYNAMIC {
			t.Errorf("it has a %v", part.Type)
		}
	}
}

// emulatedPlugin is the folder of a plugin that is the bundled testdata of a
// binary for arm64.
func emulatedPlugin(t *testing.T, binary string) string {
	t.Helper()
	dir := t.TempDir()
	manifest := `{"id": "emulated-datasource", "type": "datasource", "name": "Emulated", "backend": true, "executable": "emulated",
		"info": {"version": "1.0.0"}, "dependencies": {"grafanaDependency": ">=10.0.0", "plugins": []}}`
	script := "#!/bin/sh\nexec qemu-aarch64 " + binary + " bundled testdata\n"
	check(t, os.WriteFile(filepath.Join(dir, "plugin.json"), []byte(manifest), 0o644))
	check(t, os.WriteFile(filepath.Join(dir, "emulated_linux_"+runtime.GOARCH), []byte(script), 0o755))
	return dir
}
