package sandbox

import (
	"bytes"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The kernel's structs of the same names.
type (
	seccompData struct {
		nr                 int32
		arch               uint32
		instructionPointer uint64
		args               [6]uint64
	}
	seccompNotif struct {
		id         uint64
		pid, flags uint32
		data       seccompData
	}
	seccompNotifResp struct {
		id    uint64
		val   int64
		error int32
		flags uint32
	}
)

// counter refuses a process group more than so many processes and threads. It
// is asked when a process is to be made, and never else.
type counter struct {
	listener *os.File
	group    int
	limit    int
	done     chan struct{}
}

func countProcesses(listener *os.File, group, limit int) *counter {
	c := &counter{listener: listener, group: group, limit: limit, done: make(chan struct{})}
	go c.run()
	return c
}

// run ends with the last process of the group.
func (c *counter) run() {
	defer close(c.done)
	defer c.listener.Close()
	conn, err := c.listener.SyscallConn()
	if err != nil {
		return
	}
	for ended := false; !ended; {
		err := conn.Read(func(fd uintptr) (done bool) {
			poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			if n, _ := unix.Poll(poll, 0); n <= 0 {
				return false
			}
			if ended = poll[0].Revents&unix.POLLIN == 0; !ended {
				c.answer(fd)
			}
			return true
		})
		if err != nil {
			return
		}
	}
}

// answer answers one question. Who asked may have died meanwhile.
func (c *counter) answer(fd uintptr) {
	var asked seccompNotif
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&asked))); errno != 0 {
		return
	}
	said := seccompNotifResp{id: asked.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
	if tasks(c.group) >= c.limit {
		said = seccompNotifResp{id: asked.id, error: -int32(unix.EAGAIN)}
	}
	_, _, _ = unix.Syscall(unix.SYS_IOCTL, fd, unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&said)))
}

func (c *counter) wait() { <-c.done }

// tasks counts the processes of a group and their threads.
func tasks(group int) int {
	count := 0
	for _, pid := range processes() {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil {
			continue
		}
		// The name, in brackets, may hold anything. After it: state, parent,
		// group, … and as the 18th the number of threads.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) < 18 || string(fields[2]) != strconv.Itoa(group) {
			continue
		}
		threads, _ := strconv.Atoi(string(fields[17]))
		count += threads
	}
	return count
}

// processes are the numbers of all processes.
func processes() []int {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
