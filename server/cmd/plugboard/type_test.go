//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func lookPath(ts *testscript.TestScript, name string) string {
	path, err := exec.LookPath(name)
	ts.Check(err)
	return path
}

func platformName(name string) string { return name + "_" + runtime.GOOS + "_" + runtime.GOARCH }

// typed is a command as a person types it, and what it is to print.
type typed struct {
	command     string
	want        []string
	interrupted bool
}

// readBlock reads lines that begin with "$ ", go on with "> ", and are followed
// by what they print, and by ^C if that ends them.
func readBlock(text string) []typed {
	var list []typed
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		last := len(list) - 1
		switch {
		case strings.HasPrefix(line, "$ "):
			list = append(list, typed{command: line[2:]})
		case strings.HasPrefix(line, "> "):
			list[last].command += "\n" + line[2:]
		case line == "^C":
			list[last].interrupted = true
		default:
			list[last].want = append(list[last].want, line)
		}
	}
	return list
}

// gap is between columns, which are as wide as what is in them.
var gap = regexp.MustCompile(" {2,}")

// pattern is what is printed: … is any text, and a line of only that any lines.
func (c typed) pattern() *regexp.Regexp {
	text := "^"
	for _, line := range c.want {
		if line == "…" {
			text += `(?:.*\n)*`
		} else {
			text += gap.ReplaceAllString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*"), " +") + " *\n"
		}
	}
	if !c.interrupted {
		text += "$"
	}
	return regexp.MustCompile(text)
}

// typeBlock types the commands of a file into bash, one after the other, and
// checks what they print, errors too: type FILE. The server of the guide is the
// script's.
func typeBlock(ts *testscript.TestScript, _ bool, args []string) {
	text := strings.ReplaceAll(ts.ReadFile(args[0]), "127.0.0.1:3030", ts.Getenv("LISTEN"))
	for _, command := range readBlock(text) {
		ts.Logf("$ %s", command.command)
		printed := command.typeIn(ts)
		if !command.pattern().MatchString(printed) {
			ts.Fatalf("it prints\n%s\nwant\n%s", printed, strings.Join(command.want, "\n"))
		}
	}
}

// typeIn runs the command and returns what it prints. It must succeed.
func (c typed) typeIn(ts *testscript.TestScript) string {
	home := ts.MkAbs("home")
	ts.Check(os.MkdirAll(filepath.Join(home, ".config", "plugboard"), 0o700))
	command := "set -e\n" + c.command
	if c.interrupted {
		command = "exec " + c.command // or the shell would be interrupted too
	}
	cmd := exec.Command("bash", "-c", command)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{
		"HOME=" + home, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + ts.MkAbs("tmp"), "PLUGBOARD_SERVER=" + ts.Getenv("PLUGBOARD_SERVER"),
		"TOKEN=" + ts.Getenv("TOKEN"),
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var printed collected
	cmd.Stdout, cmd.Stderr = &printed, &printed
	ts.Check(cmd.Start())
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	ts.Defer(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	if c.interrupted {
		waitFor(ts, func() error {
			if text := printed.String(); text == "" || !c.pattern().MatchString(text) {
				return fmt.Errorf("%s prints %q", c.command, text)
			}
			return nil
		})
		ts.Check(syscall.Kill(-cmd.Process.Pid, syscall.SIGINT))
	}
	select {
	case err := <-exited:
		if err != nil {
			ts.Fatalf("%s: %v\n%s", c.command, err, printed.String())
		}
	case <-time.After(patience):
		ts.Fatalf("%s does not end:\n%s", c.command, printed.String())
	}
	return strings.ReplaceAll(printed.String(), "\r\n", "\n")
}
