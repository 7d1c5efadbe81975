//go:build unix

package host_test

import (
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/internal/badplugin"
)

// A process that is there and does nothing at all is found, and replaced.
func TestHungPlugin(t *testing.T) {
	h := withConfig(t, host.Config{Crashes: -1, ProbeEvery: time.Second}, badplugin.Good)
	pid, err := strconv.Atoi(mustAsk(t, h, badplugin.Good, badplugin.Order{Do: badplugin.DoPID}))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		p, _ := h.Plugin(badplugin.Good)
		if p.PID != pid && p.State == host.StateReady {
			if !strings.Contains(p.LastError, "it hung: 3 probes in a row had no answer, so it was killed") || p.Entered[host.StateDegraded] == 0 {
				t.Errorf("%+v", p)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("not replaced: %+v", p)
		}
		<-time.After(10 * time.Millisecond)
	}
	mustAsk(t, h, badplugin.Good, badplugin.Order{})
}
