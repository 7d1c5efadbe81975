package sandbox

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_X86_64

// foreignNumbers are where the calls of the x32 interface begin.
var foreignNumbers = []uint32{0x40000000}

var forbiddenHere = []uintptr{
	unix.SYS_IOPL, unix.SYS_IOPERM, unix.SYS_MODIFY_LDT, unix.SYS_USELIB, unix.SYS_USTAT, unix.SYS_SYSFS, unix.SYS__SYSCTL,
	unix.SYS_CREATE_MODULE, unix.SYS_NFSSERVCTL,
}

var forksHere = []uintptr{unix.SYS_FORK, unix.SYS_VFORK}
