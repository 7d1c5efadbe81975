package badplugin

import (
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// connectMPTCP asks for Multipath TCP itself: package net would fall back.
func connectMPTCP(o Order) error {
	const protocolMPTCP = 262
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, protocolMPTCP)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	return os.NewSyscallError("connect", unix.Connect(fd, addressOf(o.Say)))
}

func fastOpen(o Order) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	return os.NewSyscallError("sendto", unix.Sendto(fd, []byte("x"), unix.MSG_FASTOPEN, addressOf(o.Say)))
}

func addressOf(text string) *unix.SockaddrInet4 {
	address := netip.MustParseAddrPort(text)
	return &unix.SockaddrInet4{Port: int(address.Port()), Addr: address.Addr().As4()}
}

func signalHost() error { return unix.Kill(os.Getppid(), unix.SIGURG) }

func traceHost() error { return unix.PtraceSeize(os.Getppid()) }

func peekHost() error {
	buffer := make([]byte, 1)
	local := []unix.Iovec{{Base: &buffer[0], Len: 1}}
	remote := []unix.RemoteIovec{{Base: 0x400000, Len: 1}}
	_, err := unix.ProcessVMReadv(os.Getppid(), local, remote, 0)
	return err
}

func unshare() error { return unix.Unshare(unix.CLONE_NEWNET) }

func ring() error {
	var params [120]byte
	_, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&params)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

func raise() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Max++
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
}
