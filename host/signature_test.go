package host_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/host/signing"
	"github.com/plugboard/plugboard/internal/badplugin"
)

// signed installs the bad plugin with another nested in it, signed, and returns
// the folder, the path of the outer executable, and the key.
func signed(t *testing.T) (dir, executable string, key host.TrustedKey) {
	t.Helper()
	dir = t.TempDir()
	executable, err := badplugin.Install(dir, "acme-app", badplugin.Good)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := badplugin.Install(filepath.Join(dir, "nested"), "acme-nested-datasource", badplugin.Good); err != nil {
		t.Fatal(err)
	}
	secret, public, err := signing.NewKey("")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signing.Sign(dir, secret, "", nil); err != nil {
		t.Fatal(err)
	}
	return dir, executable, host.TrustedKey{Name: "Acme", Key: string(public), Plugins: []string{"acme-*"}}
}

func TestSignedPluginsRun(t *testing.T) {
	dir, _, key := signed(t)
	h := running(t, host.Config{PluginDirs: []string{dir}, TrustedKeys: []host.TrustedKey{key}})
	for _, id := range []string{"acme-app", "acme-nested-datasource"} {
		if answer := mustAsk(t, h, id, badplugin.Order{Say: "hello"}); answer != "hello" {
			t.Errorf("%s answers %q", id, answer)
		}
		p, _ := h.Plugin(id)
		if p.Signature != host.SignatureValid || p.Signer.Org != "Acme" || p.Signer.Type != "private" || p.Signer.KeyID == "" {
			t.Errorf("%s: %s, %+v", id, p.Signature, p.Signer)
		}
	}
}

// TestExecutableIsVerifiedAtEveryStart replaces the executable of a plugin that
// runs: it is not started again until the true one is back.
func TestExecutableIsVerifiedAtEveryStart(t *testing.T) {
	dir, executable, key := signed(t)
	h := running(t, host.Config{PluginDirs: []string{dir}, TrustedKeys: []host.TrustedKey{key}})
	mustAsk(t, h, "acme-app", badplugin.Order{Say: "hello"})

	aside := filepath.Join(t.TempDir(), "true")
	if err := os.Rename(executable, aside); err != nil {
		t.Fatal(err)
	}
	marker := filepath.Join(t.TempDir(), "ran")
	if err := os.WriteFile(executable, []byte("#!/bin/sh\ntouch "+marker+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := h.Restart(t.Context(), "acme-app")
	if err == nil || !strings.Contains(err.Error(), executable) {
		t.Errorf("restarted with another executable: %v", err)
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("the other executable ran")
	}

	if err := os.Rename(aside, executable); err != nil {
		t.Fatal(err)
	}
	if err := h.Restart(t.Context(), "acme-app"); err != nil {
		t.Error(err)
	}
}

func TestModifiedPluginIsRefusedWhateverIsAllowed(t *testing.T) {
	dir, _, key := signed(t)
	if err := os.WriteFile(filepath.Join(dir, "nested", "more.js"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	h, err := host.New(host.Config{PluginDirs: []string{dir}, TrustedKeys: []host.TrustedKey{key}, AllowUnsigned: []string{"*"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Plugins()) != 0 || len(h.Faults()) != 2 {
		t.Fatalf("plugins %v, faults %v", h.Plugins(), h.Faults())
	}
	for _, fault := range h.Faults() {
		if fault.Signature != host.SignatureModified || !strings.Contains(fault.Reason, "the file nested/more.js is not among those that were signed") {
			t.Errorf("%+v", fault)
		}
	}
}

func TestWrongTrustedKeys(t *testing.T) {
	_, err := host.New(host.Config{TrustedKeys: []host.TrustedKey{{Name: "a", Key: "x"}, {Key: host.GrafanaKey, Plugins: []string{"["}}}})
	if err == nil || !strings.Contains(err.Error(), "TrustedKeys[0]: it is neither") || !strings.Contains(err.Error(), `TrustedKeys[1]: "[" is no pattern`) {
		t.Error(err)
	}
}
