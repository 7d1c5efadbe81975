package theirs

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plugboard/plugboard/host"
)

// hostVariable makes the test binary a host of the plugins in the folder it
// names.
const hostVariable = "THEIRS_HOST_OF"

// beHost prints the pid of every plugin once it is ready, and then waits to be
// killed.
func beHost(dir string) {
	h, err := host.New(host.Config{PluginDirs: []string{dir}, AllowUnsigned: []string{"*"}})
	if err != nil {
		panic(err)
	}
	go func() { panic(h.Run(context.Background())) }()
	for _, id := range []string{dataSourceID, appID} {
		if _, err := h.Metrics(context.Background(), id); err != nil {
			panic(err)
		}
		p, _ := h.Plugin(id)
		fmt.Println(p.PID)
	}
	select {}
}

// TestNoOrphans kills a host with kill -9. Nothing in a plugin on the official
// SDK notices that its host is gone.
func TestNoOrphans(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux kills the children of a killed host")
	}
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), hostVariable+"="+pluginDir)
	command.Stderr = os.Stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	var pids []int
	for range 2 {
		if !lines.Scan() {
			t.Fatalf("the host ended early: %v", command.Wait())
		}
		pid, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait()
	for _, pid := range pids {
		deadline := time.Now().Add(30 * time.Second)
		for running(pid) {
			if time.Now().After(deadline) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
				t.Fatalf("plugin process %d outlives its host", pid)
			}
			time.Sleep(time.Millisecond) // the kernel's doing: nothing to wait on
		}
	}
}

// running reports whether a process runs; one that nobody has collected yet
// does not.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z") && !strings.HasPrefix(state, "X")
}
