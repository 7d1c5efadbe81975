package plugin_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

// gated answers "slow" when it is let, and all else at once.
type gated struct{ asked, let chan struct{} }

type gatedModel struct{ Slow bool }

func (g *gated) Query(ctx context.Context, q plugin.Query[gatedModel]) (frame.Frames, error) {
	if q.Model.Slow {
		g.asked <- struct{}{}
		select {
		case <-g.let:
		case <-ctx.Done():
		}
	}
	return frame.Frames{frame.New("answer", frame.NewField("v", nil, make([]float64, 100_000)))}, nil
}

// TestAnswersInMemory: few answers are in memory at once, and queries that are
// still being worked on are not in their way.
func TestAnswersInMemory(t *testing.T) {
	g := &gated{asked: make(chan struct{}), let: make(chan struct{})}
	client := plugintest.Start(t, plugin.DataSource(func(context.Context, plugin.Settings[struct{}]) (*gated, error) { return g, nil }))
	ask := func(model string) *plugin.QueryRequest {
		return &plugin.QueryRequest{
			Context: plugin.Context{PluginID: "gated", DataSource: &plugin.DataSourceSettings{ID: 1, UID: "one"}},
			Queries: []plugin.DataQuery{{RefID: "A", JSON: []byte(model)}},
		}
	}
	most := max(4, runtime.GOMAXPROCS(0))

	var slow, fast sync.WaitGroup
	for range most + 1 {
		slow.Go(func() {
			if _, err := client.Query(t.Context(), ask(`{"slow":true}`)); err != nil {
				t.Error(err)
			}
		})
		<-g.asked
	}
	var held, highest, used atomic.Int64
	for range 5 * most {
		fast.Go(func() {
			err := client.QueryFunc(t.Context(), ask(`{}`), func(answer *plugin.QueryResponse, release func()) error {
				now := held.Add(1)
				for old := highest.Load(); now > old && !highest.CompareAndSwap(old, now); old = highest.Load() {
				}
				if len(answer.Responses["A"].Frames) == 1 {
					used.Add(1)
				}
				runtime.Gosched()
				held.Add(-1)
				release()
				release()
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	fast.Wait()
	close(g.let)
	slow.Wait()
	if highest.Load() > int64(most) || used.Load() != int64(5*most) {
		t.Errorf("%d answers used, %d at once, want %d at most", used.Load(), highest.Load(), most)
	}
}

// TestAnswersInMemoryGivenUp: who waits for a place may give up.
func TestAnswersInMemoryGivenUp(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(func(context.Context, plugin.Settings[struct{}]) (*gated, error) { return &gated{}, nil }))
	request := &plugin.QueryRequest{
		Context: plugin.Context{PluginID: "gated", DataSource: &plugin.DataSourceSettings{ID: 1, UID: "one"}},
		Queries: []plugin.DataQuery{{RefID: "A"}},
	}
	var all func(left int) error
	all = func(left int) error {
		return client.QueryFunc(t.Context(), request, func(*plugin.QueryResponse, func()) error {
			if left > 1 {
				return all(left - 1)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := client.Query(ctx, request); err == nil {
				t.Error("an answer after the caller gave up")
			}
			return nil
		})
	}
	if err := all(max(4, runtime.GOMAXPROCS(0))); err != nil {
		t.Fatal(err)
	}
}

type numbered struct{}

type numberModel struct{ Number float64 }

func (numbered) Query(_ context.Context, q plugin.Query[numberModel]) (frame.Frames, error) {
	values := make([]float64, 1+int(q.Model.Number)*10)
	for i := range values {
		values[i] = q.Model.Number
	}
	return frame.Frames{frame.New("", frame.NewField("v", nil, values))}, nil
}

// TestAnswersShareNoMemory: as long as it is used, an answer is its caller's,
// though its memory is used again afterwards; what Query returns is so for ever.
func TestAnswersShareNoMemory(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(func(context.Context, plugin.Settings[struct{}]) (numbered, error) { return numbered{}, nil }))
	ask := func(n int) *plugin.QueryRequest {
		return &plugin.QueryRequest{
			Context: plugin.Context{PluginID: "numbered", DataSource: &plugin.DataSourceSettings{ID: 1, UID: "one"}},
			Queries: []plugin.DataQuery{{RefID: "A", JSON: fmt.Appendf(nil, `{"number":%d}`, n)}},
		}
	}
	check := func(n int, answer *plugin.QueryResponse) error {
		frames, err := answer.Responses["A"].Decode()
		if err != nil {
			return err
		}
		for _, v := range frame.Slice[float64](frames[0].Fields[0]) {
			if v != float64(n) {
				return fmt.Errorf("%v in the answer to %d", v, n)
			}
		}
		return nil
	}
	kept, err := client.Query(t.Context(), ask(500))
	if err != nil {
		t.Fatal(err)
	}
	var asking sync.WaitGroup
	for n := range 16 {
		asking.Go(func() {
			for range 20 {
				if err := client.QueryFunc(t.Context(), ask(n*31), func(answer *plugin.QueryResponse, release func()) error {
					release()
					runtime.Gosched()
					return check(n*31, answer)
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	asking.Wait()
	if err := check(500, kept); err != nil {
		t.Error(err)
	}
}
