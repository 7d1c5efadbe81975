//go:build unix

package bench

import (
	"syscall"
	"testing"
	"time"
)

// reportCPU runs the benchmark and reports the process's CPU time beside the
// wall clock: the figure that a busy machine hardly moves. It holds the garbage
// collector's work too, and what run does before its loop.
func reportCPU(b *testing.B, run func()) {
	b.ReportAllocs()
	before := cpuTime(b)
	run()
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}

func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
