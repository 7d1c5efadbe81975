package host_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/internal/badplugin"
)

// versions tells in a line what there is beside the version that runs.
func versions(t testing.TB, h *host.Host) string {
	t.Helper()
	v, err := h.Versions("acme-datasource")
	if err != nil {
		t.Fatal(err)
	}
	text := func(v *host.Version) string {
		switch {
		case v == nil:
			return "none"
		case v.Fault != nil:
			return fmt.Sprintf("%s, which may not run", v.Version)
		case v.Installed:
			return v.Version + ", installed"
		}
		return v.Version
	}
	return fmt.Sprintf("%s runs; former: %s; in its folder: %s", versionOf(h), text(v.Former), text(v.Folder))
}

func TestVersionsTellWhatASwitchWouldGoTo(t *testing.T) {
	c := upgradable(t)
	h := running(t, c)
	ready(t, h)
	want := func(want string) {
		t.Helper()
		if got := versions(t, h); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	want("1.0.0 runs; former: none; in its folder: 1.0.0")
	rewrite(t, c.PluginDirs[0], "1.0.1", badplugin.Good)
	want("1.0.0 runs; former: none; in its folder: 1.0.1")

	if err := h.Upgrade(t.Context(), "acme-datasource", release(t, "2.0.0", badplugin.Good), false, nil); err != nil {
		t.Fatal(err)
	}
	want("2.0.0 runs; former: 1.0.1; in its folder: 2.0.0, installed")
	if err := h.Rollback(t.Context(), "acme-datasource", nil); err != nil {
		t.Fatal(err)
	}
	want("1.0.1 runs; former: 2.0.0, installed; in its folder: 1.0.1")

	shelved, err := filepath.Glob(filepath.Join(c.VersionsDir, "acme-datasource", "2.0.0", "plugin.json"))
	if err != nil || len(shelved) != 1 {
		t.Fatalf("on the shelf: %q, %v", shelved, err)
	}
	if err := os.WriteFile(shelved[0], []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	want("1.0.1 runs; former: 2.0.0, which may not run; in its folder: 1.0.1")
}

// An installed version that is reloaded stays what it was: one to come back to.
func TestReloadOfAnInstalledVersion(t *testing.T) {
	h := running(t, upgradable(t))
	ready(t, h)
	if err := h.Upgrade(t.Context(), "acme-datasource", release(t, "2.0.0", badplugin.Good), false, nil); err != nil {
		t.Fatal(err)
	}
	if err := h.Reload(t.Context(), "acme-datasource", nil); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1.0.0", "2.0.0"} {
		if err := h.Rollback(t.Context(), "acme-datasource", nil); err != nil || versionOf(h) != want {
			t.Errorf("version %s, want %s: %v", versionOf(h), want, err)
		}
	}
}

func TestBundledPluginsHaveOneVersion(t *testing.T) {
	h := withModes(t, badplugin.Good)
	if v, err := h.Versions(badplugin.Good); err != nil || v.Former != nil || v.Folder != nil {
		t.Errorf("%+v, %v", v, err)
	}
	if _, err := h.Versions("nosuch"); err == nil || !strings.Contains(err.Error(), "not installed") {
		t.Errorf("a plugin that there is not: %v", err)
	}
}

func TestUsage(t *testing.T) {
	h := withModes(t, badplugin.Good)
	started(t, h, badplugin.Good)
	first, ok := h.Usage(badplugin.Good)
	if !ok {
		if _, err := os.Stat("/proc/self/stat"); err == nil {
			t.Fatal("nothing is known of a process that runs")
		}
		t.Skip("this system does not tell")
	}
	p, _ := h.Plugin(badplugin.Good)
	if first.PID != p.PID || first.Memory < 1<<20 {
		t.Errorf("%+v, of process %d", first, p.PID)
	}
	eventually(t, "it has computed", func() bool {
		mustAsk(t, h, badplugin.Good, badplugin.Order{Say: "hello"})
		now, ok := h.Usage(badplugin.Good)
		return ok && now.CPU > first.CPU
	})
	if err := h.Stop(t.Context(), badplugin.Good); err != nil {
		t.Fatal(err)
	}
	if usage, ok := h.Usage(badplugin.Good); ok {
		t.Errorf("a stopped plugin uses %+v", usage)
	}
}
