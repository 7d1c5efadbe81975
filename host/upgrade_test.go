package host_test

import (
	"archive/zip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/internal/badplugin"
	"github.com/plugboard/plugboard/plugin"
)

// release makes a folder of a version of the bad plugin.
func release(t testing.TB, version, mode string) string {
	t.Helper()
	dir := t.TempDir()
	rewrite(t, dir, version, mode)
	return dir
}

func rewrite(t testing.TB, dir, version, mode string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "plugin.json")); err != nil {
		if _, err := badplugin.Install(dir, "acme-datasource", mode); err != nil {
			t.Fatal(err)
		}
	}
	manifest := strings.Replace(string(badplugin.Manifest("acme-datasource", mode)), "1.0.0", version, 1)
	if err := os.WriteFile(filepath.Join(dir, "plugin.json"), []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
}

func upgradable(t testing.TB) host.Config {
	return host.Config{
		PluginDirs: []string{release(t, "1.0.0", badplugin.Good)}, VersionsDir: t.TempDir(),
		AllowUnsigned: []string{"*"}, Wait: time.Minute,
	}
}

func versionOf(h *host.Host) string {
	p, _ := h.Plugin("acme-datasource")
	return p.Manifest.Info.Version
}

// ready waits for the first process.
func ready(t testing.TB, h *host.Host) {
	t.Helper()
	mustAsk(t, h, "acme-datasource", badplugin.Order{Say: "hello"})
}

// TestNoCallFailsForAnUpgrade asks without a pause, from many clients, while
// versions change.
func TestNoCallFailsForAnUpgrade(t *testing.T) {
	h := running(t, upgradable(t))
	ready(t, h)
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	var calls atomic.Int64
	for range 16 {
		clients.Go(func() {
			for ctx.Err() == nil {
				_, err := h.Query(context.WithoutCancel(ctx), queryOf("acme-datasource", badplugin.Order{Say: "hello"}))
				if err != nil {
					t.Errorf("a call failed: %v", err)
					return
				}
				calls.Add(1)
			}
		})
	}
	pids := map[int]bool{}
	for i := range 4 {
		version := []string{"1.1.0", "1.2.0"}[i%2]
		if err := h.Upgrade(t.Context(), "acme-datasource", release(t, version, badplugin.Good), false, nil); err != nil {
			t.Error(err)
		}
		if got := versionOf(h); got != version {
			t.Errorf("version %s runs, not %s", got, version)
		}
		p, _ := h.Plugin("acme-datasource")
		pids[p.PID] = true
		if err := h.Rollback(t.Context(), "acme-datasource", nil); err != nil {
			t.Error(err)
		}
	}
	stop()
	clients.Wait()
	if calls.Load() < 100 || len(pids) != 4 {
		t.Errorf("%d calls and %d processes prove little", calls.Load(), len(pids))
	}
	t.Logf("%d calls", calls.Load())
}

func TestUpgradeOutlastsTheHost(t *testing.T) {
	c := upgradable(t)
	h := running(t, c)
	ready(t, h)
	if err := h.Upgrade(t.Context(), "acme-datasource", release(t, "2.0.0", badplugin.Good), false, nil); err != nil {
		t.Fatal(err)
	}
	again := running(t, c)
	ready(t, again)
	if got := versionOf(again); got != "2.0.0" || len(again.Faults()) > 0 {
		t.Errorf("version %s, faults %v", got, again.Faults())
	}
	if err := again.Rollback(t.Context(), "acme-datasource", nil); err != nil || versionOf(again) != "1.0.0" {
		t.Errorf("version %s, %v", versionOf(again), err)
	}
	if err := again.Rollback(t.Context(), "acme-datasource", nil); err != nil || versionOf(again) != "2.0.0" {
		t.Errorf("forth again: version %s, %v", versionOf(again), err)
	}
}

func TestUpgradeThatIsNoneChangesNothing(t *testing.T) {
	sick := func(context.Context, host.Candidate) error { return errors.New("it is worse than before") }
	tests := []struct {
		name, from string
		signed     bool
		check      func(context.Context, host.Candidate) error
		want       string
	}{
		{"it does not start", release(t, "2.0.0", badplugin.Exit), false, nil, "ended while it started"},
		{"it is not well", release(t, "2.0.0", badplugin.Good), false, sick, "worse than before"},
		{"it has to be signed", release(t, "2.0.0", badplugin.Good), true, nil, "needs one of somebody who is trusted"},
		{"no version", release(t, "", badplugin.Good), false, nil, `its version is ""`},
		{"a version that is a path", release(t, "../../x", badplugin.Good), false, nil, "cannot be the name of a folder"},
		{"nothing there", t.TempDir(), false, nil, "no plugin.json"},
		{"a zip file that leads out", zipped(t, map[string]string{"../plugin.json": "{}"}), false, nil, "leads out"},
		{"no zip file", filepath.Join(release(t, "2.0.0", badplugin.Good), "plugin.json"), false, nil, "not a valid zip file"},
	}
	c := upgradable(t)
	h := running(t, c)
	ready(t, h)
	before, _ := h.Plugin("acme-datasource")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := h.Upgrade(t.Context(), "acme-datasource", test.from, test.signed, test.check)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one that says %q", err, test.want)
			}
			if p, _ := h.Plugin("acme-datasource"); p.PID != before.PID || p.Manifest.Info.Version != "1.0.0" {
				t.Errorf("version %s runs as process %d, not %d", p.Manifest.Info.Version, p.PID, before.PID)
			}
			if left, _ := filepath.Glob(filepath.Join(c.VersionsDir, "*", "*")); len(left) > 0 {
				t.Errorf("left: %q", left)
			}
		})
	}
	if err := h.Rollback(t.Context(), "acme-datasource", nil); err == nil || !strings.Contains(err.Error(), "never been upgraded") {
		t.Errorf("rollback: %v", err)
	}
}

// TestUpgradeFromZip also asks the candidate for its health.
func TestUpgradeFromZip(t *testing.T) {
	h := running(t, upgradable(t))
	ready(t, h)
	dir := release(t, "2.0.0", badplugin.Good)
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files["acme-datasource/"+entry.Name()] = string(content)
	}
	asked := false
	err = h.Upgrade(t.Context(), "acme-datasource", zipped(t, files), false, func(ctx context.Context, next host.Candidate) error {
		asked = true
		_, err := next.CheckHealth(ctx, &plugin.HealthRequest{Context: plugin.Context{PluginID: "acme-datasource"}})
		if errors.Is(err, plugin.ErrNotImplemented) {
			return nil
		}
		return err
	})
	if err != nil || !asked || versionOf(h) != "2.0.0" {
		t.Errorf("version %s, asked %v, %v", versionOf(h), asked, err)
	}
	ready(t, h)
}

func TestCrashAfterAnUpgradeRollsBack(t *testing.T) {
	c := upgradable(t)
	h := running(t, c)
	ready(t, h)
	if err := h.Upgrade(t.Context(), "acme-datasource", release(t, "2.0.0", badplugin.Good), false, nil); err != nil {
		t.Fatal(err)
	}
	_, _ = ask(t, h, "acme-datasource", badplugin.Order{Do: badplugin.DoCrash})
	eventually(t, "the former version is back", func() bool {
		answer, err := ask(t, h, "acme-datasource", badplugin.Order{Say: "hello"})
		return err == nil && answer == "hello" && versionOf(h) == "1.0.0"
	})
	eventually(t, "and is remembered", func() bool {
		again, err := host.New(c)
		return err == nil && versionOf(again) == "1.0.0"
	})
}

func TestReloadPicksUpWhatIsOnDisk(t *testing.T) {
	c := upgradable(t)
	h := running(t, c)
	ready(t, h)
	before, _ := h.Plugin("acme-datasource")
	rewrite(t, c.PluginDirs[0], "1.0.1", badplugin.Good)
	if err := h.Reload(t.Context(), "acme-datasource", nil); err != nil {
		t.Fatal(err)
	}
	if after, _ := h.Plugin("acme-datasource"); after.Manifest.Info.Version != "1.0.1" || after.PID == before.PID {
		t.Errorf("version %s, process %d", after.Manifest.Info.Version, after.PID)
	}
	if err := os.WriteFile(filepath.Join(c.PluginDirs[0], "plugin.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := h.Reload(t.Context(), "acme-datasource", nil); err == nil || !strings.Contains(err.Error(), "no valid plugin.json: line 1") {
		t.Errorf("a broken plugin.json: %v", err)
	}
	ready(t, h)
}

func zipped(t testing.TB, files map[string]string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "plugin.zip")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(file)
	for name, content := range files {
		header := &zip.FileHeader{Name: name, Method: zip.Store}
		header.SetMode(0o755)
		entry, err := w.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := entry.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), file.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestUpgradeBeforeRun: there is no process to switch yet.
func TestUpgradeBeforeRun(t *testing.T) {
	c := upgradable(t)
	h, err := host.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Upgrade(t.Context(), "acme-datasource", release(t, "2.0.0", badplugin.Good), false, nil); err != nil {
		t.Fatal(err)
	}
	again := running(t, c)
	ready(t, again)
	if versionOf(h) != "2.0.0" || versionOf(again) != "2.0.0" {
		t.Errorf("versions %s and %s", versionOf(h), versionOf(again))
	}
}
