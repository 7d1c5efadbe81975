package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// most is the exposure that systemd may see in the unit, times ten. Nginx's
// own unit has 96.
const most = "15"

func TestUnit(t *testing.T) {
	needs(t, "systemd-analyze")
	text, err := os.ReadFile(filepath.Join(repository, "packaging", "plugboard.service"))
	if err != nil {
		t.Fatal(err)
	}
	// verify wants the program to be there.
	unit := filepath.Join(t.TempDir(), "plugboard.service")
	text = []byte(strings.ReplaceAll(string(text), "/usr/local/bin/plugboard", releasedBinary(t)))
	check(t, os.WriteFile(unit, text, 0o644))
	for _, args := range [][]string{
		{"verify", "--man=no", unit},
		{"security", "--offline=true", "--threshold=" + most, unit},
	} {
		out, err := exec.CommandContext(t.Context(), "systemd-analyze", args...).CombinedOutput()
		// verify only warns of a line that it does not know.
		if err != nil || args[0] == "verify" && len(out) > 0 {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, out)
		}
	}
}

// The directives that plugins cannot live without, or with.
func TestUnitLetsPluginsLive(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository, "packaging", "plugboard.service"))
	if err != nil {
		t.Fatal(err)
	}
	directives := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(key, "#") {
			directives[key] += value + " "
		}
	}
	for key, want := range map[string]string{
		"RestrictAddressFamilies": "AF_UNIX", // their sockets
		"PrivateTmp":              "yes",     // where these are
		"KillMode":                "mixed",   // the server ends them
		"OOMPolicy":               "continue",
		"StateDirectory":          "plugboard",
	} {
		if !strings.Contains(directives[key], want) {
			t.Errorf("%s is %q, want %s", key, directives[key], want)
		}
	}
	if _, ok := directives["MemoryDenyWriteExecute"]; ok {
		t.Error("MemoryDenyWriteExecute kills plugins that compile while they run")
	}
}
