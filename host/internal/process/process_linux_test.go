package process

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/plugboard/plugboard/internal/badplugin"
)

// alive reports whether a process runs; one that nobody has reaped does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, _ := bytes.Cut(stat, []byte(") "))
	return !bytes.HasPrefix(state, []byte("Z"))
}

func TestPluginDiesWithItsHost(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", t.TempDir())
	host := exec.Command(self, asHost)
	host.Stderr = os.Stderr
	output, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	defer host.Process.Kill()
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || !alive(pid) {
		t.Fatalf("the host started no plugin: %q", line)
	}
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = host.Wait()
	eventually(t, "the plugin of a killed host ends", func() bool { return !alive(pid) })

	Sweep()
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
		t.Errorf("the next host leaves behind: %v", left)
	}
}

func TestHungProcessIsStopped(t *testing.T) {
	t.Parallel()
	p := started(t, config(badplugin.Good))
	if err := syscall.Kill(p.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	p.Stop()
	if alive(p.PID()) {
		t.Error("it is still there")
	}
}

// A plugin's children hold its output open: the end of the plugin is noticed
// all the same, and those in its process group end with it.
func TestProcessThatLeavesChildren(t *testing.T) {
	p := started(t, config(badplugin.Orphan))
	answer, err := ask(t.Context(), p, badplugin.Order{Do: badplugin.DoChildren})
	if err != nil {
		t.Fatal(err)
	}
	var inGroup, escaped int
	_, list, _ := strings.Cut(answer, `"values":[["`)
	if _, err := fmt.Sscan(list, &inGroup, &escaped); err != nil {
		t.Fatalf("children in %q: %v", answer, err)
	}
	defer syscall.Kill(escaped, syscall.SIGKILL)

	if err := syscall.Kill(p.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	eventually(t, "the child in the group ends", func() bool { return !alive(inGroup) })
	if !alive(escaped) {
		t.Error("the child outside the group has ended, so this test shows nothing")
	}
}
