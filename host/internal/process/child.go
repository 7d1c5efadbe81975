package process

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/plugboard/plugboard/host/internal/failpoint"
	"github.com/plugboard/plugboard/host/internal/sandbox"
)

// longestHandshake is more than any handshake line needs.
const longestHandshake = 4 << 10

// drainGrace is how long we read on after the exit of a process whose output
// somebody else holds open: a grandchild that left the process group.
const drainGrace = 200 * time.Millisecond

// exitGrace is how long a process that has closed its output may take to end.
const exitGrace = 300 * time.Millisecond

// child is the operating system's process. It is what go-plugin calls a
// runner.
type child struct {
	id  string
	cmd *exec.Cmd
	// verify checks the executable's SHA-256; nil takes any.
	verify  func(sum [sha256.Size]byte) error
	log     *log
	pid     int
	sandbox *sandbox.Sandbox
	subject sandbox.Subject
	cell    *sandbox.Cell

	// handshake passes the first line of stdout on to go-plugin; the rest is
	// read and dropped, so that it cannot block the plugin.
	handshake       io.ReadCloser
	handshakeWriter *io.PipeWriter

	mu        sync.Mutex
	started   bool
	ended     bool
	killed    bool // by us
	firstLine string
	// oomKills is how many processes the kernel had killed for want of memory
	// when this one was started.
	oomKills int

	// dead is closed when the process has ended, exited when we have read all
	// it had to say. exit says how it ended, from then on.
	dead   chan struct{}
	exited chan struct{}
	exit   *ExitError
}

func newChild(c Config, private string) *child {
	reader, writer := io.Pipe()
	cmd := exec.Command(c.Command[0], c.Command[1:]...)
	ownGroup(cmd)
	return &child{
		id:              c.ID,
		cmd:             cmd,
		verify:          c.Verify,
		log:             newLog(c.Logger, c.ID, c.Debug),
		sandbox:         c.Sandbox,
		subject:         sandbox.Subject{Policy: c.Policy, Folder: c.Folder, Private: private, State: c.State},
		handshake:       reader,
		handshakeWriter: writer,
		dead:            make(chan struct{}),
		exited:          make(chan struct{}),
	}
}

// Start runs the executable. The kernel kills the child when the thread that
// started it ends, not when the process does: so the goroutine that starts it
// keeps its thread for as long as the child lives.
func (c *child) Start(context.Context) error {
	path := c.cmd.Path
	executable, err := openVerified(path, c.verify)
	if err != nil {
		return err
	}
	defer executable.close()
	c.subject.Executable = executable.opened()
	if c.cell, err = c.sandbox.Cell(c.subject); err != nil {
		return err
	}
	if executable != nil && c.cell == nil {
		execute(c.cmd, executable.file)
	}
	stdout, stdoutWriter, err := os.Pipe()
	if err != nil {
		return err
	}
	stderr, stderrWriter, err := os.Pipe()
	if err != nil {
		return errors.Join(err, stdout.Close(), stdoutWriter.Close())
	}
	c.cmd.Stdout, c.cmd.Stderr = stdoutWriter, stderrWriter
	c.oomKills = oomKills()

	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := executable.start(func() error { return c.cell.Start(c.cmd, c.running) })
		_, _ = stdoutWriter.Close(), stderrWriter.Close()
		if err != nil {
			_, _ = stdout.Close(), stderr.Close()
			c.abort()
			started <- err
			return
		}
		started <- nil
		c.run(stdout, stderr)
	}()
	if err := <-started; err != nil {
		return diagnose(path, err)
	}
	failpoint.Reach(failpoint.Forked)
	return nil
}

// running lets the process be killed from now on.
func (c *child) running(pid int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pid, c.started = pid, true
}

// abort ends a process that has not become the plugin: to all others, it has
// not been started.
func (c *child) abort() {
	if c.wasStarted() {
		c.killRest()
		_ = c.cmd.Wait()
	}
	c.cell.End()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started = false
}

// run reads the process's output until it has ended, and takes the rest of
// its group with it.
func (c *child) run(stdout, stderr *os.File) {
	var readers sync.WaitGroup
	readers.Go(func() { c.readStdout(stdout) })
	readers.Go(func() { c.log.read(stderr) })

	err := reap(c.cmd, c.killRest)
	c.cell.End()

	deadline := time.Now().Add(drainGrace)
	for _, pipe := range []*os.File{stdout, stderr} {
		if pipe.SetReadDeadline(deadline) != nil {
			_ = pipe.Close()
		}
	}
	readers.Wait()
	_, _ = stdout.Close(), stderr.Close()
	c.exit = c.exitError(err)
	close(c.exited)
}

// readStdout hands the first line to go-plugin and reads on, so that nothing
// the plugin prints later can block it. If the process is ending, go-plugin is
// not told before it has: it would kill it, and nobody could tell why it ended.
func (c *child) readStdout(stdout io.Reader) {
	defer c.handshakeWriter.Close()
	buffered := bufio.NewReaderSize(stdout, longestHandshake)
	line, err := buffered.ReadSlice('\n')
	if len(line) > 0 {
		c.mu.Lock()
		c.firstLine = strings.TrimSpace(string(line))
		c.mu.Unlock()
		_, _ = fmt.Fprintf(c.handshakeWriter, "%s\n", strings.TrimSpace(string(line)))
	}
	if err == nil || errors.Is(err, bufio.ErrBufferFull) {
		_, _ = io.Copy(io.Discard, buffered)
	}
	select {
	case <-c.dead:
	case <-time.After(exitGrace):
	}
}

// kill ends the process and its group at once.
func (c *child) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.started && !c.ended {
		c.killed = true
		killGroup(c.pid)
		_ = c.cmd.Process.Kill()
	}
}

// killRest ends what the process has left behind in its group.
func (c *child) killRest() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	close(c.dead)
	killGroup(c.pid)
}

// wait returns when a process that was started has ended.
func (c *child) wait() {
	if c.wasStarted() {
		<-c.exited
	}
}

// The rest of go-plugin's runner.

func (c *child) Wait(context.Context) error      { <-c.exited; return nil }
func (c *child) Kill(context.Context) error      { c.kill(); return nil }
func (c *child) Stdout() io.ReadCloser           { return c.handshake }
func (c *child) Stderr() io.ReadCloser           { return io.NopCloser(strings.NewReader("")) }
func (c *child) Name() string                    { return c.id }
func (c *child) Diagnose(context.Context) string { return "" }

// ID is empty before the start, which tells go-plugin that there is nothing
// to kill.
func (c *child) ID() string {
	if !c.wasStarted() {
		return ""
	}
	return strconv.Itoa(c.pid)
}

func (c *child) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

func (c *child) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
