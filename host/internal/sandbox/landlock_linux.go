package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What Landlock can restrict, by the version of its interface that brought it.
const (
	fileRights = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_READ_FILE |
		unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	readRights = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	execRights = readRights | unix.LANDLOCK_ACCESS_FS_EXECUTE
	// writeRights leave out to execute, and to make devices.
	writeRights = readRights | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR |
		unix.LANDLOCK_ACCESS_FS_REMOVE_FILE | unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG |
		unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_SYM |
		unix.LANDLOCK_ACCESS_FS_REFER | unix.LANDLOCK_ACCESS_FS_TRUNCATE
)

// handled returns all file rights that a version of the interface knows; those
// that are not granted are then denied.
func handled(version int) uint64 {
	rights := uint64(unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1)
	if version >= 2 {
		rights |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if version >= 3 {
		rights |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if version >= 5 {
		rights |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	return rights
}

// Versions that brought ports, and scopes.
const (
	versionPorts  = 4
	versionScopes = 6
)

// landlockVersion is the version of the kernel's interface.
func landlockVersion() (int, error) {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	switch errno {
	case 0:
		return int(version), nil
	case unix.ENOSYS:
		return 0, errors.New("this kernel has no Landlock")
	case unix.EOPNOTSUPP:
		return 0, errors.New("this kernel has Landlock switched off (lsm= at boot)")
	}
	return 0, errno
}

// restrict puts the thread into a Landlock domain of its own.
func restrict(o order) error {
	version, err := landlockVersion()
	if err != nil {
		return err
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: handled(version)}
	if version >= versionScopes {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	if version >= versionPorts && (o.NoNetwork || o.Ports != nil) {
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	} else if o.Ports != nil {
		return fmt.Errorf("the policy names TCP ports, which takes Landlock version %d; this kernel has %d", versionPorts, version)
	}
	ruleset, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return fmt.Errorf("make a ruleset: %w", errno)
	}
	defer unix.Close(int(ruleset))
	if err := o.grant(int(ruleset), attr.Handled_access_fs); err != nil {
		return err
	}
	for _, port := range o.Ports {
		rule := struct{ access, port uint64 }{unix.LANDLOCK_ACCESS_NET_CONNECT_TCP, uint64(port)}
		const netPort = 2 // LANDLOCK_RULE_NET_PORT
		if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, ruleset, netPort, uintptr(unsafe.Pointer(&rule)), 0, 0, 0); errno != 0 {
			return fmt.Errorf("allow port %d: %w", port, errno)
		}
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0, 0); errno != 0 {
		return fmt.Errorf("enter the domain: %w", errno)
	}
	return nil
}

// grant adds the order's paths, and what every program needs.
func (o order) grant(ruleset int, handled uint64) error {
	for _, g := range []struct {
		paths  []string
		rights uint64
	}{
		{systemExecute, execRights},
		{systemRead, readRights},
		{systemWrite, readRights | unix.LANDLOCK_ACCESS_FS_WRITE_FILE},
		{o.Execute, execRights},
		{o.Read, readRights},
		{o.Write, writeRights},
	} {
		for _, path := range g.paths {
			err := allow(ruleset, path, g.rights&handled)
			if errors.Is(err, fs.ErrNotExist) && !slices.Contains(o.Strictly, path) {
				continue
			}
			if err != nil {
				return fmt.Errorf("grant %s: %w", path, err)
			}
		}
	}
	return nil
}

// What programs of any kind need of a system, as far as a system has it. There
// is no /etc as a whole: it holds the configuration, and the passwords, of
// others. /proc/self is this process's, and so the plugin's.
var (
	systemExecute = []string{
		"/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec", "/usr/local/lib",
		"/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/nix/store", "/gnu/store",
	}
	systemRead = []string{
		"/proc/self", "/proc/thread-self", "/proc/stat", "/proc/meminfo", "/proc/cpuinfo", "/proc/loadavg", "/proc/uptime",
		"/proc/version", "/proc/filesystems", "/proc/sys",
		"/sys/devices/system/cpu", "/sys/kernel/mm/transparent_hugepage", "/sys/fs/cgroup",
		"/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/crypto-policies", "/usr/share/ca-certificates",
		"/usr/local/share/ca-certificates", "/usr/share/pki",
		"/etc/resolv.conf", "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager/resolv.conf",
		"/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services", "/etc/protocols",
		"/etc/localtime", "/etc/timezone", "/usr/share/zoneinfo", "/usr/local/share/zoneinfo", "/etc/zoneinfo",
		"/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ld.so.preload", "/etc/alternatives",
		"/etc/mime.types", "/etc/os-release", "/usr/lib/os-release", "/etc/krb5.conf", "/etc/krb5.conf.d",
		"/usr/share/locale", "/usr/share/mime",
		"/dev/random", "/dev/urandom",
	}
	systemWrite = []string{"/dev/null", "/dev/zero", "/dev/full"}
)

// allow grants rights to a path and all below.
func allow(ruleset int, path string, rights uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return err
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		rights &= fileRights
	}
	attr := unix.LandlockPathBeneathAttr{Allowed_access: rights, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&attr)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// realPath follows links, so that a plugin may be one to somewhere else.
func realPath(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// makeDir makes a folder for nobody else.
func makeDir(path string) error { return os.MkdirAll(path, 0o700) }
