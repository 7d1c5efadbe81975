package sandbox

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// warden is a process that outlives us, for as long as it takes to end what our
// processes have left behind. It reads from a pipe what there is; the pipe ends
// with us, however we end.
type warden struct {
	logger *slog.Logger

	mu    sync.Mutex
	wards map[int]ward
	cmd   *exec.Cmd
	pipe  io.WriteCloser
}

// ward is what the warden watches over.
type ward struct {
	PID    int
	Dir    string
	Cgroup string `json:",omitempty"`
	// Lives is false when it does no longer.
	Lives bool
}

// watch tells the warden of a process. If it is gone, there is another.
func (w *warden) watch(one ward) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wards == nil {
		w.wards = map[int]ward{}
	}
	if one.Lives {
		w.wards[one.PID] = one
	} else {
		delete(w.wards, one.PID)
	}
	if w.cmd != nil && w.tell(one) == nil {
		return
	}
	w.end()
	if err := w.start(); err != nil {
		w.logger.Warn("nobody ends the children of plugins if this program is killed", "error", err)
	}
}

func (w *warden) start() error {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{wardenName}
	cmd.Env = []string{"GOMAXPROCS=1"}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	w.cmd, w.pipe = cmd, pipe
	for _, one := range w.wards {
		if err := w.tell(one); err != nil {
			return err
		}
	}
	return nil
}

func (w *warden) tell(one ward) error {
	text, err := json.Marshal(one)
	if err != nil {
		return err
	}
	_, err = w.pipe.Write(append(text, '\n'))
	return err
}

// end closes the pipe and waits for the warden, which has to do nothing if it
// watches over nobody. One that was killed has left its wards to the next.
func (w *warden) end() {
	if w.cmd == nil {
		return
	}
	_ = w.pipe.Close()
	_ = w.cmd.Wait()
	w.cmd = nil
}

func (w *warden) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end()
}

// guard is the warden's own life. It ends when the host has, and nothing else
// ends it.
func guard(from io.Reader) int {
	signal.Ignore(unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT)
	wards := map[int]ward{}
	for lines := bufio.NewScanner(from); lines.Scan(); {
		var one ward
		if json.Unmarshal(lines.Bytes(), &one) != nil {
			continue
		}
		if one.Lives {
			wards[one.PID] = one
		} else {
			delete(wards, one.PID)
		}
	}
	for _, one := range wards {
		one.finish()
	}
	return 0
}

// finish ends all that is left of a process, and removes its folder.
func (w ward) finish() {
	_ = unix.Kill(-w.PID, unix.SIGKILL)
	if w.Cgroup != "" {
		(&cgroup{path: w.Cgroup}).remove()
	}
	KillMarked(w.Dir)
	_ = os.RemoveAll(w.Dir)
}

// KillMarked kills all processes whose environment says that they belong to the
// process with this private folder.
func KillMarked(private string) { killMarked(Subject{Private: private}.mark()) }

// sweeps is how often we look again for those that were born while we looked.
const sweeps = 20

func killMarked(mark string) {
	for range sweeps {
		found := false
		for _, pid := range processes() {
			if pid != os.Getpid() && marked(pid, mark) && unix.Kill(pid, unix.SIGKILL) == nil {
				found = true
			}
		}
		if !found {
			return
		}
	}
}

// marked reports whether a process has a variable in its environment. A zombie
// has none.
func marked(pid int, mark string) bool {
	environment, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return false
	}
	for variable := range bytes.SplitSeq(environment, []byte{0}) {
		if string(variable) == mark {
			return true
		}
	}
	return false
}
