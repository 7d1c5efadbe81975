package plugin_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

// tallied counts its own life.
type tallied struct {
	version string
	tally   *tally
	closed  atomic.Int32
}

type tally struct{ opened, closed, twice, late atomic.Int64 }

func (t *tallied) Query(context.Context, plugin.Query[struct{}]) (frame.Frames, error) {
	if t.closed.Load() > 0 {
		t.tally.late.Add(1)
	}
	return texts(t.version), nil
}

func (t *tallied) Close() error {
	t.tally.closed.Add(1)
	if t.closed.Add(1) > 1 {
		t.tally.twice.Add(1)
	}
	return nil
}

func TestThousandsOfCallsWhileSettingsChange(t *testing.T) {
	var count tally
	t.Run("calls", func(t *testing.T) {
		client := plugintest.Start(t, plugin.DataSource(func(_ context.Context, s plugin.Settings[struct {
			Version string `json:"version"`
		}]) (*tallied, error) {
			count.opened.Add(1)
			return &tallied{version: s.Values.Version, tally: &count}, nil
		}))
		var version atomic.Int64
		var callers sync.WaitGroup
		for range 32 {
			callers.Go(func() {
				for range 100 {
					if rand.IntN(100) == 0 {
						version.Add(1)
					}
					want := fmt.Sprint(version.Load())
					response, err := client.Query(t.Context(), &plugin.QueryRequest{
						Context: source(`{"version":"` + want + `"}`),
						Queries: []plugin.DataQuery{query("A", `{}`), query("B", `{}`), query("C", `{}`)},
					})
					if err != nil {
						t.Error(err)
						return
					}
					for _, refID := range []string{"A", "B", "C"} {
						if got := cells(t, response.Responses[refID]); got != want {
							t.Errorf("settings %s were answered by %s", want, got)
						}
					}
				}
			})
		}
		callers.Wait()
	})
	if opened, closed := count.opened.Load(), count.closed.Load(); opened != closed || opened < 2 {
		t.Errorf("%d opened, %d closed", opened, closed)
	}
	if twice, late := count.twice.Load(), count.late.Load(); twice != 0 || late != 0 {
		t.Errorf("%d closed twice, %d queries after a close", twice, late)
	}
}
