package process

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/plugboard/plugboard/host/internal/sandbox"
)

// diagnose says what is wrong with an executable that the operating system
// refused to start.
func diagnose(path string, err error) error {
	if _, ok := errors.AsType[*sandbox.Error](err); ok {
		return err
	}
	if _, ok := errors.AsType[*unverified](err); ok {
		return err
	}
	file, statErr := os.Stat(path)
	switch {
	case errors.Is(statErr, fs.ErrNotExist):
		return missing(path)
	case statErr != nil:
		return statErr
	case file.IsDir():
		return fmt.Errorf("its executable %s is a directory", path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("its executable %s may not be executed (mode %s): chmod +x it, or look at the file system's noexec", path, file.Mode().Perm())
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("its executable %s needs a loader or interpreter that is not on this system: %w", path, err)
	}
	if target := targetOf(path); target != "" && target != platform() {
		return fmt.Errorf("its executable %s is built for %s, this is %s", path, target, platform())
	}
	if errors.Is(err, syscall.ENOEXEC) {
		return fmt.Errorf("its executable %s is not a program this system can run: %w", path, err)
	}
	return err
}

// missing names the executables that lie where ours should: those for other
// systems, or else those of other names.
func missing(path string) error {
	err := fmt.Errorf("its executable %s is missing", path)
	stem, isNamed := strings.CutSuffix(strings.TrimSuffix(filepath.Base(path), ".exe"), "_"+runtime.GOOS+"_"+runtime.GOARCH)
	var others, strangers []string
	entries, _ := os.ReadDir(filepath.Dir(path))
	for _, entry := range entries {
		switch name := entry.Name(); {
		case isNamed && strings.HasPrefix(name, stem+"_"):
			others = append(others, name)
		case isProgram(entry):
			strangers = append(strangers, name)
		}
	}
	switch {
	case len(others) > 0:
		return fmt.Errorf("%w; there is %s, for another system", err, strings.Join(others, ", "))
	case len(strangers) > 0:
		return fmt.Errorf("%w; there is %s, under another name", err, strings.Join(strangers, ", "))
	}
	return err
}

func isProgram(entry fs.DirEntry) bool {
	info, err := entry.Info()
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

func platform() string { return runtime.GOOS + "/" + runtime.GOARCH }

// targetOf returns the platform an executable was built for as far as its
// header tells, such as "linux/arm64", or nothing.
func targetOf(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	head := make([]byte, 4096)
	n, _ := io.ReadFull(file, head)
	return target(head[:n])
}

// target reads the first bytes of an executable.
func target(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF")) && len(head) >= 20:
		return "linux/" + elfMachine(head)
	case bytes.HasPrefix(head, []byte("\xcf\xfa\xed\xfe")) && len(head) >= 8:
		return "darwin/" + name(machoMachines, binary.LittleEndian.Uint32(head[4:]))
	case bytes.HasPrefix(head, []byte("\xca\xfe\xba\xbe")):
		return "darwin/several"
	case bytes.HasPrefix(head, []byte("MZ")):
		return "windows/" + peMachine(head)
	default:
		return ""
	}
}

var (
	elfMachines   = map[uint32]string{3: "386", 8: "mips", 20: "ppc", 21: "ppc64", 22: "s390x", 40: "arm", 62: "amd64", 183: "arm64", 243: "riscv64", 258: "loong64"}
	machoMachines = map[uint32]string{0x01000007: "amd64", 0x0100000c: "arm64"}
	peMachines    = map[uint32]string{0x14c: "386", 0x1c4: "arm", 0x8664: "amd64", 0xaa64: "arm64"}
)

func elfMachine(head []byte) string {
	var order binary.ByteOrder = binary.LittleEndian
	if head[5] == 2 {
		order = binary.BigEndian
	}
	machine := name(elfMachines, uint32(order.Uint16(head[18:])))
	if machine == "ppc64" && head[5] != 2 {
		return "ppc64le"
	}
	return machine
}

func peMachine(head []byte) string {
	if len(head) < 0x40 {
		return "unknown"
	}
	at := uint64(binary.LittleEndian.Uint32(head[0x3c:]))
	if at+6 > uint64(len(head)) || !bytes.HasPrefix(head[at:], []byte("PE\x00\x00")) {
		return "unknown"
	}
	return name(peMachines, uint32(binary.LittleEndian.Uint16(head[at+4:])))
}

func name(machines map[uint32]string, machine uint32) string {
	if known, ok := machines[machine]; ok {
		return known
	}
	return fmt.Sprintf("machine %#x", machine)
}
