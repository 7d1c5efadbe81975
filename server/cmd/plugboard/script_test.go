//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"plugboard": main})
}

// TestScripts runs testdata/script: stories of the real program, its real
// plugins and real servers.
func TestScripts(t *testing.T) {
	testscript.Run(t, scripts("testdata/script"))
}

// scripts are those of a folder, and the commands that they know besides
// testscript's own.
func scripts(dir string) testscript.Params {
	return testscript.Params{
		Dir: dir,
		Setup: func(e *testscript.Env) error {
			e.Values[runningKey{}] = &running{}
			e.Values[clientKey{}] = &client{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start":     start,
			"interrupt": interrupt,
			"signal":    signalProcess,
			"gone":      gone,
			"get":       get,
			"code":      code,
			"until":     until,
			"tokenfrom": tokenFrom,
			"run":       runClient,
			"more":      more,
			"told":      told,
			"stop":      stop,
		},
	}
}

// patience is how long to wait for what is to happen.
const patience = 30 * time.Second

type runningKey struct{}

// running is the server that a script has started, if it has.
type running struct {
	cmd            *exec.Cmd
	stdout, stderr collected
	exited         chan error
}

// start runs plugboard as a server, with these arguments, and waits for the
// text that ends what it prints when it is ready:
//
//	start TEXT ARG...
//
// What it has printed by then is in the file "printed". PLUGBOARD_SERVER is
// its address, if that is the first line; SERVER_PID, and PID_<uid> for
// every line of a data source, are the processes.
func start(ts *testscript.TestScript, neg bool, args []string) {
	path, err := exec.LookPath("plugboard")
	ts.Check(err)
	s := ts.Value(runningKey{}).(*running)
	*s = running{cmd: exec.Command(path, args[1:]...), exited: make(chan error, 1)}
	s.cmd.Dir = ts.MkAbs(".")
	s.cmd.Env = append(os.Environ(), "TMPDIR="+ts.MkAbs("tmp"), "PLUGBOARD_ADMIN_PASSWORD="+ts.Getenv("PLUGBOARD_ADMIN_PASSWORD"))
	ts.Check(os.MkdirAll(ts.MkAbs("tmp"), 0o700))
	s.cmd.Stdout, s.cmd.Stderr = &s.stdout, &s.stderr
	ts.Check(s.cmd.Start())
	go func() { s.exited <- s.cmd.Wait() }()
	ts.Defer(func() { _ = s.cmd.Process.Kill() })
	waitFor(ts, func() error {
		select {
		case err := <-s.exited:
			ts.Fatalf("plugboard %s ended: %v\n%s%s", args[1], err, s.stdout.String(), s.stderr.String())
		default:
		}
		if !strings.Contains(s.stdout.String(), args[0]) {
			return fmt.Errorf("printed only %q, and %q", s.stdout.String(), s.stderr.String())
		}
		return nil
	})
	ts.Check(os.WriteFile(ts.MkAbs("printed"), []byte(s.stdout.String()), 0o600))
	ts.Setenv("SERVER_PID", strconv.Itoa(s.cmd.Process.Pid))
	rememberLines(ts, strings.Split(s.stdout.String(), "\n"))
}

func rememberLines(ts *testscript.TestScript, lines []string) {
	if strings.HasPrefix(lines[0], "http://") {
		ts.Setenv("PLUGBOARD_SERVER", lines[0])
		ts.Setenv("LISTEN", strings.TrimPrefix(lines[0], "http://"))
	}
	for _, line := range lines {
		words := strings.Fields(line)
		if len(words) < 4 {
			continue
		}
		if _, err := strconv.Atoi(words[3]); err == nil {
			ts.Setenv("PID_"+words[0], words[3])
		}
	}
}

// interrupt asks the server to end, as Ctrl-C does, and waits until it has. What it
// printed is in the files stdout and stderr.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(runningKey{}).(*running)
	ts.Check(s.cmd.Process.Signal(os.Interrupt))
	select {
	case err := <-s.exited:
		ts.Check(err)
	case <-time.After(patience):
		ts.Fatalf("the server did not end")
	}
	ts.Check(os.WriteFile(ts.MkAbs("stdout"), []byte(s.stdout.String()), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("stderr"), []byte(s.stderr.String()), 0o600))
}

// code runs a program that is to end with this exit code: code 2 plugboard …
func code(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// until runs a program until it prints a text: until TEXT plugboard …
func until(ts *testscript.TestScript, neg bool, args []string) {
	waitFor(ts, func() error {
		if err := ts.Exec(args[1], args[2:]...); err != nil {
			return err
		}
		if printed := ts.ReadFile("stdout"); !strings.Contains(printed, args[0]) {
			return fmt.Errorf("it prints %q", printed)
		}
		return nil
	})
}

// tokenFrom puts the token in a file into PLUGBOARD_TOKEN: tokenfrom FILE.
func tokenFrom(ts *testscript.TestScript, neg bool, args []string) {
	ts.Setenv("PLUGBOARD_TOKEN", strings.TrimSpace(ts.ReadFile(args[0])))
}

// signalProcess sends a signal by its number: signal 9 PID.
func signalProcess(ts *testscript.TestScript, neg bool, args []string) {
	number, err := strconv.Atoi(args[0])
	ts.Check(err)
	pid, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(syscall.Kill(pid, syscall.Signal(number)))
}

// gone waits until none of these processes is left.
func gone(ts *testscript.TestScript, neg bool, args []string) {
	waitFor(ts, func() error {
		for _, arg := range args {
			pid, err := strconv.Atoi(arg)
			ts.Check(err)
			if alive(pid) {
				return fmt.Errorf("process %d is still there", pid)
			}
		}
		return nil
	})
}

// alive tells whether a process runs: one that has ended but that nobody has
// waited for does not.
func alive(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true // not on Linux, or just gone
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}

// get writes the answer of the server to stdout: all of it, or as many lines
// as the second argument says.
//
//	get PATH [LINES]
func get(ts *testscript.TestScript, neg bool, args []string) {
	response, err := (&http.Client{Timeout: patience}).Get(ts.Getenv("PLUGBOARD_SERVER") + args[0])
	ts.Check(err)
	defer response.Body.Close()
	lines := -1
	if len(args) > 1 {
		lines, err = strconv.Atoi(args[1])
		ts.Check(err)
	}
	var got bytes.Buffer
	for b := make([]byte, 1); lines != 0; {
		if _, err := io.ReadFull(response.Body, b); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			ts.Fatalf("%v after %q", err, got.String())
		}
		got.Write(b)
		if b[0] == '\n' {
			lines--
		}
	}
	fmt.Fprint(ts.Stdout(), got.String())
}

// waitFor tries until there is no error.
func waitFor(ts *testscript.TestScript, try func() error) {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(patience)
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline:
			ts.Fatalf("%v", err)
		}
	}
}

// collected is what a process prints.
type collected struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *collected) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *collected) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
