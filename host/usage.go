package host

import (
	"time"

	"github.com/plugboard/plugboard/host/internal/process"
)

// Usage is what a plugin's process uses, as the system counts it.
type Usage struct {
	// PID is the process's: the next one begins to count anew.
	PID int
	// CPU is how long it has computed since it started.
	CPU time.Duration
	// Memory is what it has resident, in bytes.
	Memory int64
}

// Usage returns what a plugin's process uses at the moment. It is known on Linux
// only, of a process that runs here.
func (h *Host) Usage(pluginID string) (Usage, bool) {
	m, err := h.member(pluginID)
	if err != nil {
		return Usage{}, false
	}
	pid := m.supervisor.Status().PID
	if pid == 0 {
		return Usage{}, false
	}
	cpu, memory, err := process.Usage(pid)
	return Usage{PID: pid, CPU: cpu, Memory: memory}, err == nil
}
