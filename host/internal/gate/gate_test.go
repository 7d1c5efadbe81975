package gate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func enter(t *testing.T, g *Gate, key string) {
	t.Helper()
	if err := g.Enter(t.Context(), key); err != nil {
		t.Fatal(err)
	}
}

// One data source that floods the gate makes another wait for one call only.
func TestLinesTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Limits{All: 1, PerKey: 1, Waiting: 100, Wait: time.Minute})
		enter(t, g, "first")
		var mu sync.Mutex
		var order []string
		var calls sync.WaitGroup
		call := func(key string) {
			calls.Go(func() {
				enter(t, g, key)
				mu.Lock()
				order = append(order, key)
				mu.Unlock()
				g.Leave(key)
			})
			synctest.Wait()
		}
		for range 4 {
			call("flood")
		}
		call("other")
		call("third")
		call("other")
		g.Leave("first")
		calls.Wait()
		want := []string{"flood", "other", "third", "flood", "other", "flood", "flood"}
		if !slices.Equal(order, want) {
			t.Errorf("order %v, want %v", order, want)
		}
	})
}

func TestOneKeyCannotTakeAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Limits{All: 3, PerKey: 2, Waiting: 10, Wait: time.Minute})
		enter(t, g, "a")
		enter(t, g, "a")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := g.Enter(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a third call of one key: %v", err)
		}
		enter(t, g, "b")
		for _, key := range []string{"a", "a", "b"} {
			g.Leave(key)
		}
		if inside, waiting := g.Load(); inside != 0 || waiting != 0 || len(g.lines) != 0 {
			t.Errorf("%d inside, %d waiting, %d lines", inside, waiting, len(g.lines))
		}
	})
}

func TestFullLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Limits{All: 1, PerKey: 1, Waiting: 1, Wait: time.Minute})
		enter(t, g, "a")
		go func() {
			enter(t, g, "b")
			g.Leave("b")
		}()
		synctest.Wait()
		if err := g.Enter(t.Context(), "c"); !errors.Is(err, ErrFull) {
			t.Errorf("error %v", err)
		}
		g.Leave("a")
		synctest.Wait()
		if inside, waiting := g.Load(); inside != 0 || waiting != 0 || len(g.lines) != 0 {
			t.Errorf("%d inside, %d waiting, %d lines", inside, waiting, len(g.lines))
		}
	})
}

func TestWaitingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Limits{All: 1, PerKey: 1, Waiting: 1, Wait: time.Minute})
		enter(t, g, "a")
		began := time.Now()
		if err := g.Enter(t.Context(), "b"); !errors.Is(err, ErrFull) || time.Since(began) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		g.Leave("a")
	})
}

// Thousands of calls, some of which give up: the limits hold, all others get
// in, and nothing is left.
func TestRandomCalls(t *testing.T) {
	limits := Limits{All: 7, PerKey: 3, Waiting: 5000, Wait: time.Minute}
	g := New(limits)
	var inside [10]atomic.Int32
	var all atomic.Int32
	var calls sync.WaitGroup
	for i := range 5000 {
		calls.Go(func() {
			key, name := i%len(inside), fmt.Sprint(i%len(inside))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if i%3 == 0 {
				time.AfterFunc(time.Duration(rand.IntN(3000))*time.Microsecond, cancel)
			}
			if g.Enter(ctx, name) != nil {
				return
			}
			if n := inside[key].Add(1); n > int32(limits.PerKey) {
				t.Errorf("%d calls of one key", n)
			}
			if n := all.Add(1); n > int32(limits.All) {
				t.Errorf("%d calls", n)
			}
			inside[key].Add(-1)
			all.Add(-1)
			g.Leave(name)
		})
	}
	calls.Wait()
	if in, waiting := g.Load(); in != 0 || waiting != 0 || len(g.lines) != 0 || g.turn.Len() != 0 {
		t.Errorf("%d inside, %d waiting, %d lines", in, waiting, len(g.lines))
	}
}

func TestLoneCallerAllocatesNothing(t *testing.T) {
	g := New(Limits{All: 2, PerKey: 2, Waiting: 1, Wait: time.Minute})
	if n := testing.AllocsPerRun(100, func() {
		_ = g.Enter(t.Context(), "a")
		g.Leave("a")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkEnter(b *testing.B) {
	g := New(Limits{All: 256, PerKey: 128, Waiting: 1000, Wait: time.Minute})
	for b.Loop() {
		_ = g.Enter(b.Context(), "a")
		g.Leave("a")
	}
}
