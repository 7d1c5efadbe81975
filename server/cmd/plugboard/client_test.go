//go:build unix

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

type clientKey struct{}

// client is the command that a script has left running, if it has.
type client struct {
	cmd            *exec.Cmd
	stdout, stderr collected
	seen           int // bytes of stdout that the script has been told of
	exited         chan error
}

// runClient starts a command that ends only when it is told to, and waits until
// it prints a text: run TEXT plugboard …
func runClient(ts *testscript.TestScript, neg bool, args []string) {
	path, err := exec.LookPath(args[1])
	ts.Check(err)
	c := ts.Value(clientKey{}).(*client)
	*c = client{cmd: exec.Command(path, args[2:]...), exited: make(chan error, 1)}
	c.cmd.Dir = ts.MkAbs(".")
	c.cmd.Env = append(os.Environ(), "PLUGBOARD_SERVER="+ts.Getenv("PLUGBOARD_SERVER"))
	c.cmd.Stdout, c.cmd.Stderr = &c.stdout, &c.stderr
	ts.Check(c.cmd.Start())
	go func() { c.exited <- c.cmd.Wait() }()
	ts.Defer(func() { _ = c.cmd.Process.Kill() })
	more(ts, neg, args[:1])
}

// more waits until the command prints a text, after what it had printed when
// the script last asked: more TEXT
func more(ts *testscript.TestScript, neg bool, args []string) {
	c := ts.Value(clientKey{}).(*client)
	waitFor(ts, func() error {
		printed := c.stdout.String()
		at := strings.Index(printed[c.seen:], args[0])
		if at < 0 {
			return fmt.Errorf("it prints %q, and %q", printed[c.seen:], c.stderr.String())
		}
		c.seen += at + len(args[0])
		return nil
	})
}

// told waits until the command says a text on stderr: told TEXT
func told(ts *testscript.TestScript, neg bool, args []string) {
	c := ts.Value(clientKey{}).(*client)
	waitFor(ts, func() error {
		if said := c.stderr.String(); !strings.Contains(said, args[0]) {
			return fmt.Errorf("it says %q", said)
		}
		return nil
	})
}

// stop ends the command as Ctrl-C does. What it has printed is stdout and
// stderr.
func stop(ts *testscript.TestScript, neg bool, args []string) {
	c := ts.Value(clientKey{}).(*client)
	ts.Check(c.cmd.Process.Signal(os.Interrupt))
	select {
	case err := <-c.exited:
		if err != nil {
			ts.Fatalf("it ended with %v: %s", err, c.stderr.String())
		}
	case <-time.After(patience):
		ts.Fatalf("the command did not end")
	}
	_, _ = io.WriteString(ts.Stdout(), c.stdout.String())
	_, _ = io.WriteString(ts.Stderr(), c.stderr.String())
}
