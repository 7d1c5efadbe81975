package host_test

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plugboard/plugboard/internal/badplugin"
	"github.com/plugboard/plugboard/plugin"
)

func kill(t *testing.T, pid string) {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	process, err := os.FindProcess(n)
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
}

// A killed plugin costs the calls in flight and no other.
func TestKilledPluginAnswersAgain(t *testing.T) {
	const kills, callers = 5, 2
	h := withModes(t, badplugin.Good)
	mustAsk(t, h, badplugin.Good, badplugin.Order{})

	var failures atomic.Int32
	stop := make(chan struct{})
	ended := make(chan struct{}, callers)
	for range callers {
		go func() {
			defer func() { ended <- struct{}{} }()
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := h.Query(t.Context(), queryOf(badplugin.Good, badplugin.Order{Say: "x"})); err != nil {
					failures.Add(1)
					t.Log(err)
				}
			}
		}()
	}
	for range kills {
		pid := mustAsk(t, h, badplugin.Good, badplugin.Order{Do: badplugin.DoPID})
		kill(t, pid)
		killed := time.Now()
		for {
			answer, err := ask(t, h, badplugin.Good, badplugin.Order{Do: badplugin.DoPID})
			if err == nil && answer != pid {
				break
			}
		}
		t.Logf("it answers again after %v", time.Since(killed))
	}
	close(stop)
	for range callers {
		<-ended
	}
	if n := failures.Load(); n > kills*callers {
		t.Errorf("%d kills under %d callers made %d calls fail", kills, callers, n)
	}
}

// A query that comes right after the kill is answered by the next process,
// even where the connection to the dying one still took it.
func TestQueryRightAfterTheKill(t *testing.T) {
	for range 5 {
		h := withModes(t, badplugin.Good)
		kill(t, mustAsk(t, h, badplugin.Good, badplugin.Order{Do: badplugin.DoPID}))
		mustAsk(t, h, badplugin.Good, badplugin.Order{Do: badplugin.DoPID})
	}
}

func TestCallUnderWhichThePluginDies(t *testing.T) {
	for order, how := range map[string]string{
		badplugin.DoCrash: "exit status 7",
		badplugin.DoPanic: "exit status 2",
		badplugin.DoKill:  "killed",
	} {
		t.Run(order, func(t *testing.T) {
			h := withModes(t, badplugin.Good, badplugin.Chunked)
			_, err := ask(t, h, badplugin.Good, badplugin.Order{Do: order})
			if !errors.Is(err, plugin.ErrUnavailable) || !strings.Contains(err.Error(), how) || !strings.Contains(err.Error(), "good") {
				t.Errorf("error %v", err)
			}
			mustAsk(t, h, badplugin.Chunked, badplugin.Order{})
			mustAsk(t, h, badplugin.Good, badplugin.Order{})
			p, _ := h.Plugin(badplugin.Good)
			most := 1
			if order == badplugin.DoKill {
				most = 2 // it looks as if somebody else had killed it: asked again, if it was quick
			}
			if p.Restarts < 1 || p.Restarts > most || !strings.Contains(p.LastError, how) {
				t.Errorf("%d restarts, last error %q", p.Restarts, p.LastError)
			}
		})
	}
}

// A process that lives but no longer listens is no use to anybody.
func TestPluginThatStopsListening(t *testing.T) {
	h := withModes(t, badplugin.Zombie)
	pid := mustAsk(t, h, badplugin.Zombie, badplugin.Order{Do: badplugin.DoPID})
	_, err := ask(t, h, badplugin.Zombie, badplugin.Order{Do: badplugin.DoDeafen})
	if !errors.Is(err, plugin.ErrUnavailable) {
		t.Errorf("the call under which it stops: %v", err)
	}
	if again := mustAsk(t, h, badplugin.Zombie, badplugin.Order{Do: badplugin.DoPID}); again == pid {
		t.Errorf("process %s answers again", pid)
	}
}
