//go:build unix

package plugin_test

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/plugboard/plugboard/plugin"
)

// installed puts this test binary beside a plugin.json, and returns its path.
func installed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "gpx_test")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Link(self, binary); err != nil {
		t.Skipf("the test binary lies on another file system: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "plugin.json"), []byte(`{"id":"test-plugin","backend":true}`), 0o600); err != nil {
		t.Fatal(err)
	}
	return binary
}

// byHand starts a plugin as a person does, from another folder, and waits until
// it serves. Its address is returned.
func byHand(t *testing.T, binary string, args, env []string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env = append(append(os.Environ(), role+"=plugin"), env...)
	cmd.Dir = t.TempDir()
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	var address string
	eventually(t, "an address file", func() bool {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(binary), "standalone.txt"))
		address = string(text)
		return err == nil && address != ""
	})
	return cmd, address
}

// hosted starts a plugin as a host does, and makes a call.
func hosted(t *testing.T, binary string) *goplugin.Client {
	t.Helper()
	process := goplugin.NewClient(hostConfig(exec.Command(binary), io.Discard))
	t.Cleanup(process.Kill)
	client, err := dispense(process)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CheckHealth(t.Context(), &plugin.HealthRequest{Context: source(`{}`)}); err != nil {
		t.Fatal(err)
	}
	return process
}

// TestStandalone: a host that runs a plugin comes to the process that serves it
// standalone, whichever was first, and goes back to its own.
func TestStandalone(t *testing.T) {
	for name, how := range map[string]struct{ args, env []string }{
		"by the environment": {nil, []string{"PLUGBOARD_STANDALONE=1"}},
		"by the argument":    {[]string{"-standalone"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			binary := installed(t)
			own := hosted(t, binary)
			if network := own.ReattachConfig().Addr.Network(); network != "unix" {
				t.Fatalf("it listens on %s", network)
			}
			standalone, address := byHand(t, binary, how.args, how.env)
			eventually(t, "end of the plugin that the host had started", own.Exited)

			led := hosted(t, binary)
			if got := led.ReattachConfig().Addr.String(); got != address {
				t.Errorf("the host was led to %s, want %s", got, address)
			}
			again := exec.Command(binary, "-standalone")
			again.Env = append(os.Environ(), role+"=plugin")
			if output, err := again.CombinedOutput(); err == nil || !strings.Contains(string(output), "serves the plugin in") {
				t.Errorf("a second one: %v\n%s", err, output)
			}

			if err := standalone.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			if err := standalone.Wait(); err != nil {
				t.Errorf("it ended with %v", err)
			}
			for _, file := range []string{"standalone.txt", "pid.txt"} {
				if _, err := os.Stat(filepath.Join(filepath.Dir(binary), file)); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("%s: %v", file, err)
				}
			}
			eventually(t, "end of the locator", led.Exited)
			if network := hosted(t, binary).ReattachConfig().Addr.Network(); network != "unix" {
				t.Errorf("after the standalone process it listens on %s", network)
			}
		})
	}
}

// TestStandaloneLeftovers: a process that was killed left its files behind.
func TestStandaloneLeftovers(t *testing.T) {
	binary := installed(t)
	standalone, _ := byHand(t, binary, nil, []string{"PLUGBOARD_STANDALONE=" + filepath.Dir(binary)})
	if err := standalone.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = standalone.Wait()
	if network := hosted(t, binary).ReattachConfig().Addr.Network(); network != "unix" {
		t.Errorf("it listens on %s", network)
	}
	byHand(t, binary, nil, []string{"PLUGBOARD_STANDALONE=1"})
}

// TestStandaloneAddress: the environment may give both sides the address.
func TestStandaloneAddress(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	want := free.Addr().String()
	free.Close()
	t.Setenv("GF_PLUGIN_GRPC_ADDRESS_TEST_PLUGIN", want)
	binary := installed(t)
	if network := hosted(t, binary).ReattachConfig().Addr.Network(); network != "unix" {
		t.Errorf("while nobody is there, it listens on %s", network)
	}
	if _, address := byHand(t, binary, nil, []string{"PLUGBOARD_STANDALONE=1"}); address != want {
		t.Errorf("it serves at %s, want %s", address, want)
	}
	if got := hosted(t, binary).ReattachConfig().Addr.String(); got != want {
		t.Errorf("the host was led to %s, want %s", got, want)
	}
}

// TestNoHome: a plugin started from nowhere says what it lacks.
func TestNoHome(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), role+"=plugin", "PLUGBOARD_STANDALONE=1")
	output, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(output), "there is no plugin.json with a backend in ") || !strings.Contains(string(output), dir) {
		t.Errorf("%v\n%s", err, output)
	}
	for _, nested := range []string{"app/one", "app/two"} {
		if err := os.MkdirAll(filepath.Join(dir, "dist", nested), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "dist", nested, "plugin.json"), []byte(`{"id":"x","backend":true}`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd = exec.Command(os.Args[0])
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), role+"=plugin", "PLUGBOARD_STANDALONE=1")
	output, err = cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(output), "several plugins have a backend: ") || !strings.Contains(string(output), "two") {
		t.Errorf("%v\n%s", err, output)
	}
}
