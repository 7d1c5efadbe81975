package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// tick is the kernel's unit of processor time towards programs, on every
// architecture that Go has.
const tick = time.Second / 100

// Fields of /proc/PID/stat, counted behind the command's name, which may hold
// anything.
const (
	statUser   = 11
	statSystem = 12
	statPages  = 21
)

// Usage returns how long a process has computed since it started, and how many
// bytes of memory it has resident. Its children's are not among them.
func Usage(pid int) (cpu time.Duration, memory int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) <= statPages {
		return 0, 0, fmt.Errorf("read /proc/%d/stat: it has %d fields behind the name", pid, len(fields))
	}
	var ticks, pages int64
	for _, of := range []struct {
		field int
		sum   *int64
	}{{statUser, &ticks}, {statSystem, &ticks}, {statPages, &pages}} {
		n, err := strconv.ParseInt(string(fields[of.field]), 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("read /proc/%d/stat: %w", pid, err)
		}
		*of.sum += n
	}
	return time.Duration(ticks) * tick, pages * int64(os.Getpagesize()), nil
}
