package server

import (
	"testing"
	"time"

	"github.com/plugboard/plugboard/server/history"
)

func TestToldUsage(t *testing.T) {
	const metrics = "# HELP process_cpu_seconds_total Total.\n# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 1.5\nprocess_resident_memory_bytes 2.5e+07\ngo_goroutines 9\n"
	if u := toldUsage([]byte(metrics)); u == nil || *u != (history.Usage{CPU: 1500 * time.Millisecond, Memory: 25e6}) {
		t.Errorf("%+v", u)
	}
	for _, text := range []string{"", "process_cpu_seconds_total 1.5\n", "process_cpu_seconds_total x\nprocess_resident_memory_bytes"} {
		if u := toldUsage([]byte(text)); u != nil {
			t.Errorf("%q tells %+v", text, u)
		}
	}
}
