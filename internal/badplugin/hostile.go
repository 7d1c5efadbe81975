package badplugin

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// Orders to do what a plugin should not. The answer says what came of it:
// "done", or the error.
const (
	DoRead     = "read"     // read the file Say, in which PPID stands for the host's process id
	DoWrite    = "write"    // write a byte to the file Say
	DoConnect  = "connect"  // connect to the address Say by TCP
	DoMPTCP    = "mptcp"    // connect to it by Multipath TCP
	DoFastOpen = "fastopen" // connect to it by sending
	DoAbstract = "abstract" // connect to the abstract Unix socket Say
	DoListen   = "listen"   // listen on a TCP port
	DoSignal   = "signal"   // send the host a harmless signal
	DoTrace    = "trace"    // trace the host
	DoPeek     = "peek"     // read the host's memory
	DoUnshare  = "unshare"  // make a user namespace
	DoRing     = "ring"     // make an io_uring
	DoRaise    = "raise"    // raise the limit of open files
	DoFork     = "fork"     // start Size children, or as many as there may be
	DoLeak     = "leak"     // open Size files, or as many as there may be, and keep them
	DoAllocate = "allocate" // allocate Size bytes, or as many as there are
	DoOpen     = "open"     // the open descriptors and what they are
)

// misdeeds are what these orders do.
var misdeeds = map[string]func(Order) error{
	DoRead: func(o Order) error {
		_, err := os.ReadFile(strings.ReplaceAll(o.Say, "PPID", strconv.Itoa(os.Getppid())))
		return err
	},
	DoWrite:    func(o Order) error { return os.WriteFile(o.Say, []byte("x"), 0o600) },
	DoConnect:  func(o Order) error { return connect("tcp", o.Say) },
	DoMPTCP:    connectMPTCP,
	DoAbstract: func(o Order) error { return connect("unix", o.Say) },
	DoListen: func(Order) error {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		return listener.Close()
	},
	DoFork:     func(o Order) error { return fork(o.Size) },
	DoLeak:     func(o Order) error { return leak(o.Size) },
	DoAllocate: func(o Order) error { return allocate(o.Size) },
	DoOpen:     func(Order) error { return open() },
	DoFastOpen: fastOpen,
	DoSignal:   func(Order) error { return signalHost() },
	DoTrace:    func(Order) error { return traceHost() },
	DoPeek:     func(Order) error { return peekHost() },
	DoUnshare:  func(Order) error { return unshare() },
	DoRing:     func(Order) error { return ring() },
	DoRaise:    func(Order) error { return raise() },
}

// outcome is what an order's answer is.
func outcome(err error) string {
	if err != nil {
		return err.Error()
	}
	return "done"
}

func connect(network, address string) error {
	conn, err := net.Dial(network, address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// fork starts children that hang.
func fork(count int) error {
	command := Command(Hang)
	for i := range count {
		if err := exec.Command(command[0], command[1:]...).Start(); err != nil {
			return fmt.Errorf("%d children: %w", i, err)
		}
	}
	return nil
}

var leaked []*os.File

func leak(count int) error {
	for range count {
		file, err := os.Open(os.DevNull)
		if err != nil {
			return fmt.Errorf("%d files: %w", len(leaked), err)
		}
		leaked = append(leaked, file)
	}
	return nil
}

var allocated [][]byte

// allocate keeps what it allocates, and writes to all of it.
func allocate(size int) error {
	const piece = 1 << 20
	for range size / piece {
		b := make([]byte, piece)
		for i := 0; i < piece; i += 4 << 10 {
			b[i] = 1
		}
		allocated = append(allocated, b)
	}
	return nil
}

func open() error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	var names []string
	for _, entry := range entries {
		if name, err := os.Readlink("/proc/self/fd/" + entry.Name()); err == nil {
			names = append(names, name)
		}
	}
	return errors.New(strings.Join(names, " "))
}
