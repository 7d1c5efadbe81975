package process

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/plugboard/plugboard/host/internal/sandbox"
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

// belongingTo returns the processes of plugins whose sockets are below a folder.
func belongingTo(folder string) []int {
	var pids []int
	environments, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range environments {
		if text, _ := os.ReadFile(path); bytes.Contains(text, []byte("PLUGIN_UNIX_SOCKET_DIR="+folder)) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// A host is killed while its plugin has a child, and one that has called
// setsid: at every level nothing is left, without another host's help.
func TestNothingOutlivesItsHost(t *testing.T) {
	for _, level := range []sandbox.Level{sandbox.Off, sandbox.Default, sandbox.Strict} {
		t.Run(level, func(t *testing.T) {
			folder := t.TempDir()
			t.Setenv("TMPDIR", folder)
			host := exec.Command(badplugin.Command("")[0], asHost, level)
			host.Stderr = os.Stderr
			output, err := host.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := host.Start(); err != nil {
				t.Fatal(err)
			}
			defer host.Process.Kill()
			if line, err := bufio.NewReader(output).ReadString('\n'); err != nil {
				t.Fatalf("the host says %q, %v", line, err)
			}
			if pids := belongingTo(folder); len(pids) < 3 {
				t.Fatalf("processes %v, want a plugin with two children", pids)
			}
			if err := host.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = host.Wait()
			eventually(t, "the processes of a killed host end", func() bool { return len(belongingTo(folder)) == 0 })
			eventually(t, "the plugin's folder is removed", func() bool {
				left, _ := os.ReadDir(folder)
				return len(left) == 0
			})
		})
	}
}

// The kernel ends a child with the thread that started it, so that must not be
// the caller's.
func TestProcessOutlivesTheThreadThatAskedForIt(t *testing.T) {
	type outcome struct {
		process *Process
		err     error
	}
	done := make(chan outcome)
	go func() {
		runtime.LockOSThread() // and with the goroutine the thread ends
		p, err := Start(t.Context(), config(badplugin.Good))
		done <- outcome{p, err}
	}()
	started := <-done
	if started.err != nil {
		t.Fatal(started.err)
	}
	defer started.process.Stop()
	for range 100 {
		if _, err := ask(t.Context(), started.process, badplugin.Order{}); err != nil {
			t.Fatal(err)
		}
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
// all the same, and they end with it, also those that leave its process group.
func TestProcessThatLeavesChildren(t *testing.T) {
	for _, level := range []sandbox.Level{sandbox.Off, sandbox.Default} {
		t.Run(level, func(t *testing.T) {
			c := config(badplugin.Orphan)
			c.Policy.Level = level
			p := started(t, c)
			children := childrenOf(t, p)
			if err := syscall.Kill(p.PID(), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			<-p.Done()
			for _, child := range children {
				eventually(t, "a child ends", func() bool { return !alive(child) })
			}
		})
	}
}

// childrenOf returns the process ids of the children that the plugin has left:
// one in its group, one that has called setsid.
func childrenOf(t *testing.T, p *Process) [2]int {
	t.Helper()
	answer, err := ask(t.Context(), p, badplugin.Order{Do: badplugin.DoChildren})
	if err != nil {
		t.Fatal(err)
	}
	var children [2]int
	_, list, _ := strings.Cut(answer, `"values":[["`)
	if _, err := fmt.Sscan(list, &children[0], &children[1]); err != nil {
		t.Fatalf("children in %q: %v", answer, err)
	}
	for _, child := range children {
		if !alive(child) {
			t.Fatalf("child %d has ended, so this test shows nothing", child)
		}
	}
	return children
}
