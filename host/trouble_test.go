package host_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/internal/badplugin"
	"github.com/plugboard/plugboard/plugin"
)

// steady is the plugin that has nothing to do with the trouble of another.
const steady = "steady"

// trouble is what a plugin does, and what its host does about it.
type trouble struct {
	mode   string
	config host.Config
	// look provokes the trouble and checks what comes of it.
	look func(t *testing.T, h *host.Host)
}

// reports waits for a state with an error that has the words.
func reports(state host.State, words string) func(*testing.T, *host.Host, string) {
	return func(t *testing.T, h *host.Host, id string) {
		t.Helper()
		var p host.Plugin
		eventually(t, fmt.Sprintf("%s, %q", state, words), func() bool {
			p, _ = h.Plugin(id)
			return p.Entered[state] > 0 && strings.Contains(p.LastError, words)
		})
	}
}

// notStarting is a plugin that is started again and again, and whose callers
// learn why it does not run.
func notStarting(mode, words string) trouble {
	return trouble{mode: mode, config: host.Config{StartTimeout: time.Second}, look: func(t *testing.T, h *host.Host) {
		reports(host.StateBackingOff, words)(t, h, mode)
		_, err := ask(t, h, mode, badplugin.Order{})
		if !errors.Is(err, plugin.ErrUnavailable) || !strings.Contains(err.Error(), words) {
			t.Errorf("a call to it: %v", err)
		}
	}}
}

func refusal(t *testing.T, err error, status int, words string) {
	t.Helper()
	told, ok := errors.AsType[*plugin.Error](err)
	if !ok || told.Status != status || !strings.Contains(told.Message, words) {
		t.Errorf("error %v, want status %d and %q", err, status, words)
	}
}

var troubles = map[string]trouble{
	"hangs in its handshake":    notStarting(badplugin.Hang, "has not answered in time"),
	"ends at once":              notStarting(badplugin.Exit, "it ended while it started: exit status 3; its standard error ends: reading configuration / no licence found"),
	"prints garbage":            notStarting(badplugin.Garbage, `it printed "Hello, I am not a plugin at all." where its handshake should be`),
	"prints a line without end": notStarting(badplugin.Endless, "where its handshake should be"),
	"prints before it serves":   notStarting(badplugin.Noise, `it printed "starting up, please wait"`),
	"does not listen":           notStarting(badplugin.Deaf, "nothing answers"),
	"accepts and says nothing":  notStarting(badplugin.Mute, "has not answered in time"),
	"crashes on the third call": {mode: badplugin.Good, look: func(t *testing.T, h *host.Host) {
		mustAsk(t, h, badplugin.Good, badplugin.Order{})
		mustAsk(t, h, badplugin.Good, badplugin.Order{})
		if _, err := ask(t, h, badplugin.Good, badplugin.Order{Do: badplugin.DoCrash}); !errors.Is(err, plugin.ErrUnavailable) || !strings.Contains(err.Error(), "died during the call: its process ended (exit status 7)") {
			t.Errorf("the call under which it crashes: %v", err)
		}
		mustAsk(t, h, badplugin.Good, badplugin.Order{})
	}},
	"crashes in a loop": {mode: badplugin.Good, look: func(t *testing.T, h *host.Host) {
		for range 3 {
			_, _ = ask(t, h, badplugin.Good, badplugin.Order{Do: badplugin.DoCrash})
		}
		reports(host.StateQuarantined, "exit status 7")(t, h, badplugin.Good)
	}},
	"panics": {mode: badplugin.Good, look: func(t *testing.T, h *host.Host) {
		_, err := ask(t, h, badplugin.Good, badplugin.Order{Do: badplugin.DoPanic})
		if !errors.Is(err, plugin.ErrUnavailable) {
			t.Errorf("the call under which it panics: %v", err)
		}
		mustAsk(t, h, badplugin.Good, badplugin.Order{})
	}},
	"hangs in a call": {mode: badplugin.Good, config: host.Config{Limits: host.Limits{Time: time.Second}}, look: func(t *testing.T, h *host.Host) {
		started(t, h, badplugin.Good)
		_, err := ask(t, h, badplugin.Good, badplugin.Order{Do: badplugin.DoHang})
		refusal(t, err, http.StatusGatewayTimeout, "stopped after 1s")
		mustAsk(t, h, badplugin.Good, badplugin.Order{})
	}},
	"floods stdout and stderr": {mode: badplugin.Flood, look: func(t *testing.T, h *host.Host) {
		for range 50 {
			mustAsk(t, h, badplugin.Flood, badplugin.Order{})
		}
	}},
	"answers 500 MB": {mode: badplugin.Good, look: func(t *testing.T, h *host.Host) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := ask(t, h, badplugin.Good, badplugin.Order{Do: badplugin.DoBig, Size: 500 << 20})
		runtime.ReadMemStats(&after)
		refusal(t, err, http.StatusRequestEntityTooLarge, "because the answer to a request may have 268435456")
		if grown := int64(after.HeapSys - before.HeapSys); grown > 64<<20 {
			t.Errorf("the host has grown by %d MB", grown>>20)
		}
	}},
	"drips an answer": {mode: badplugin.Chunked, config: host.Config{Limits: host.Limits{Time: time.Second}}, look: func(t *testing.T, h *host.Host) {
		started(t, h, badplugin.Chunked)
		err := h.QueryChunks(t.Context(), queryOf(badplugin.Chunked, badplugin.Order{Do: badplugin.DoDrip}), func(plugin.Chunk) error { return nil })
		refusal(t, err, http.StatusGatewayTimeout, "stopped after 1s")
	}},
	"ignores the shutdown": {mode: badplugin.Immortal, look: func(t *testing.T, h *host.Host) {
		pid := mustAsk(t, h, badplugin.Immortal, badplugin.Order{Do: badplugin.DoPID})
		if err := h.Stop(t.Context(), badplugin.Immortal); err != nil {
			t.Error(err)
		}
		if err := h.Start(t.Context(), badplugin.Immortal); err != nil {
			t.Error(err)
		}
		if again := mustAsk(t, h, badplugin.Immortal, badplugin.Order{Do: badplugin.DoPID}); again == pid {
			t.Errorf("process %s lives on", pid)
		}
	}},
}

// Whatever a plugin does, its host does what is to be done, and the calls to
// another plugin notice nothing.
func TestTroubleOfOnePlugin(t *testing.T) {
	for name, trouble := range troubles {
		t.Run(name, func(t *testing.T) {
			trouble.config.Bundled = []host.Bundled{
				bundled(trouble.mode),
				{Manifest: badplugin.Manifest(steady, badplugin.Good), Command: badplugin.Command(badplugin.Good)},
			}
			h := running(t, trouble.config)
			stop := load(t, h)
			trouble.look(t, h)
			if calls := stop(); calls == 0 {
				t.Error("the other plugin was not asked")
			}
		})
	}
}

// load asks the steady plugin, from two goroutines, until it is stopped; a call
// that fails is a failure of the test. It returns how many calls were made.
func load(t *testing.T, h *host.Host) (stop func() int64) {
	t.Helper()
	started(t, h, steady)
	var calls atomic.Int64
	var asking sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		asking.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(time.Millisecond):
				}
				if _, err := h.Query(context.Background(), queryOf(steady, badplugin.Order{Say: "x"})); err != nil {
					t.Errorf("the other plugin: %v", err)
				}
				calls.Add(1)
			}
		})
	}
	stop = sync.OnceValue(func() int64 {
		close(done)
		asking.Wait()
		return calls.Load()
	})
	t.Cleanup(func() { stop() })
	return stop
}
