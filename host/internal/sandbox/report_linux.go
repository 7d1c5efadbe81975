package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// text is the order as an argument.
func (o order) text() string {
	text, err := json.Marshal(o)
	if err != nil {
		panic(err) // of texts and numbers
	}
	return string(text)
}

// socketPair returns two ends of a socket.
func socketPair() (ours *net.UnixConn, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	theirs = os.NewFile(uintptr(fds[1]), "report")
	file := os.NewFile(uintptr(fds[0]), "report")
	defer file.Close() // FileConn takes a copy
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	return conn.(*net.UnixConn), theirs, nil
}

// largestReport is more than a refusal needs.
const largestReport = 8 << 10

// hear reads what the process has to say until it has become the plugin.
func (c *Cell) hear(from *net.UnixConn, path string) error {
	text, listener, err := readReport(from)
	if listener != nil {
		c.count = countProcesses(listener, c.pid, c.subject.Policy.Processes)
	}
	if err != nil {
		return &Error{fmt.Errorf("listen to it: %w", err)}
	}
	if len(text) == 0 {
		return nil
	}
	var said refusal
	if err := json.Unmarshal(text, &said); err != nil {
		return &Error{fmt.Errorf("it says %q", text)}
	}
	switch {
	case said.Step == "":
		return nil
	case said.Step == execution:
		return &os.PathError{Op: "exec", Path: path, Err: said.Errno}
	case said.Errno != 0:
		return &Error{fmt.Errorf("%s: %s%w", said.Step, before(said.Text, said.Errno.Error()), said.Errno)}
	}
	return &Error{fmt.Errorf("%s: %s", said.Step, said.Text)}
}

// before cuts the end off a text.
func before(text, end string) string {
	if n := len(text) - len(end); n >= 0 && text[n:] == end {
		return text[:n]
	}
	return text + ": "
}

// readReport reads until the other end closes. A descriptor may come along.
func readReport(from *net.UnixConn) (text []byte, listener *os.File, err error) {
	buffer, control := make([]byte, largestReport), make([]byte, unix.CmsgSpace(4))
	for len(text) < largestReport {
		n, controls, _, _, err := from.ReadMsgUnix(buffer, control)
		if controls > 0 {
			if listener, err = receive(control[:controls]); err != nil {
				return nil, nil, err
			}
			n = 0 // the byte that carried it
		}
		text = append(text, buffer[:max(n, 0)]...)
		if errors.Is(err, io.EOF) || errors.Is(err, unix.ECONNRESET) || err == nil && n == 0 && controls == 0 {
			return text, listener, nil
		}
		if err != nil {
			return text, listener, err
		}
	}
	return text, listener, nil
}

// receive returns the descriptor in a control message.
func receive(control []byte) (*os.File, error) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil || len(messages) != 1 {
		return nil, errors.Join(err, errors.New("no control message of its own"))
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, errors.Join(err, errors.New("not one descriptor"))
	}
	if err := unix.SetNonblock(fds[0], true); err != nil { // or a thread would wait for it
		return nil, errors.Join(err, unix.Close(fds[0]))
	}
	return os.NewFile(uintptr(fds[0]), "seccomp listener"), nil
}
