package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plugboard/plugboard/plugin"
)

// fake runs streams as a test says.
type fake struct {
	run       func(ctx context.Context, run int, req *plugin.StreamRequest, send func([]byte) error) error
	subscribe func(req *plugin.StreamRequest) error

	mu    sync.Mutex
	calls []string
	runs  int
	open  int // streams that run now
}

func (f *fake) Subscribe(_ context.Context, req *plugin.StreamRequest) error {
	f.note("subscribe " + req.Context.Namespace)
	if f.subscribe == nil {
		return nil
	}
	return f.subscribe(req)
}

func (f *fake) RunStream(ctx context.Context, req *plugin.StreamRequest, send func([]byte) error) error {
	f.note("run " + req.Context.Namespace)
	f.mu.Lock()
	f.runs++
	f.open++
	run := f.runs
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.open--
		f.mu.Unlock()
	}()
	return f.run(ctx, run, req, send)
}

func (f *fake) note(call string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, call)
}

// noted returns the calls so far.
func (f *fake) noted() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// ticks sends a packet a second until it is stopped.
func ticks(ctx context.Context, run int, _ *plugin.StreamRequest, send func([]byte) error) error {
	for n := 0; ; n++ {
		if err := send(fmt.Append(nil, run, ".", n)); err != nil {
			return err
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func silent(ctx context.Context, _ int, _ *plugin.StreamRequest, _ func([]byte) error) error {
	<-ctx.Done()
	return ctx.Err()
}

// bubble gives a test a hub in fake time, and closes it at the end: synctest
// fails a test that leaves a goroutine.
func bubble(t *testing.T, f *fake, story func(t *testing.T, h *Hub)) {
	synctest.Test(t, func(t *testing.T) {
		h := New(f, slog.New(slog.DiscardHandler))
		story(t, h)
		h.Close()
		if f.open != 0 || len(h.streams) != 0 {
			t.Errorf("%d streams run and %d are known after Close", f.open, len(h.streams))
		}
	})
}

var key = Key{Plugin: "p", DataSource: "ds", Path: "a//B=="}

func join(h *Hub, namespace string) *Listener {
	request := &plugin.StreamRequest{Path: key.Path, Context: plugin.Context{Namespace: namespace}}
	return h.Join(key, request, func(context.Context) (plugin.Context, error) {
		return plugin.Context{Namespace: namespace + "+"}, nil
	}, nil)
}

func next(t *testing.T, l *Listener) string {
	t.Helper()
	packet, err := l.Next(t.Context())
	if err != nil {
		t.Fatalf("no packet: %v", err)
	}
	return string(packet)
}

func wantEnd(t *testing.T, l *Listener, want error) {
	t.Helper()
	if packet, err := l.Next(t.Context()); !errors.Is(err, want) {
		t.Errorf("next is %q, %v instead of %v", packet, err, want)
	}
}

func TestListenersShareARun(t *testing.T) {
	f := &fake{run: func(ctx context.Context, run int, req *plugin.StreamRequest, send func([]byte) error) error {
		<-time.After(time.Second) // until both are there
		return ticks(ctx, run, req, send)
	}}
	bubble(t, f, func(t *testing.T, h *Hub) {
		first, second := join(h, "first"), join(h, "second")
		for _, want := range []string{"1.0", "1.1"} {
			if a, b := next(t, first), next(t, second); a != want || b != want {
				t.Errorf("packets %q and %q", a, b)
			}
		}
		if calls := f.noted(); !slices.Equal(calls, []string{"run first"}) {
			t.Errorf("calls: %q", calls)
		}
	})
}

func TestStreamStopsAfterTheLastListener(t *testing.T) {
	f := &fake{run: ticks}
	bubble(t, f, func(t *testing.T, h *Hub) {
		first, second := join(h, "first"), join(h, "second")
		synctest.Wait()
		first.Close()
		first.Close()
		synctest.Wait()
		if f.open != 1 {
			t.Error("it stopped although somebody listens")
		}
		second.Close()
		synctest.Wait()
		if f.open != 0 || len(h.streams) != 0 {
			t.Error("it runs although nobody listens")
		}
		for _, want := range []string{"1.0"} { // what had come before is not lost
			if got := next(t, first); got != want {
				t.Errorf("packet %q", got)
			}
		}
		wantEnd(t, first, io.EOF)

		third := join(h, "third")
		if got := next(t, third); got != "2.0" {
			t.Errorf("the next listener gets %q", got)
		}
	})
}

// Plugins keep books by path: two runs of one path must not overlap.
func TestNewRunWaitsForTheOldOne(t *testing.T) {
	f := &fake{}
	f.run = func(ctx context.Context, _ int, _ *plugin.StreamRequest, _ func([]byte) error) error {
		f.mu.Lock()
		open := f.open
		f.mu.Unlock()
		if open > 1 {
			t.Error("two runs at once")
		}
		<-ctx.Done()
		<-time.After(time.Second)
		return ctx.Err()
	}
	bubble(t, f, func(t *testing.T, h *Hub) {
		for range 3 {
			l := join(h, "x")
			<-time.After(2 * time.Second)
			l.Close()
		}
		if f.runs != 3 {
			t.Errorf("%d runs", f.runs)
		}
	})
}

func TestFailureIsAPause(t *testing.T) {
	f := &fake{run: func(ctx context.Context, run int, req *plugin.StreamRequest, send func([]byte) error) error {
		if run <= 8 {
			return errors.New("connection lost")
		}
		return ticks(ctx, run, req, send)
	}}
	bubble(t, f, func(t *testing.T, h *Hub) {
		began := time.Now()
		if got := next(t, join(h, "x")); got != "9.0" {
			t.Errorf("packet %q", got)
		}
		// 100 ms, doubled seven times, but never more than 5 s.
		if took := time.Since(began); took != (100+200+400+800+1600+3200+5000+5000)*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		calls := f.noted()
		if !slices.Equal(calls[:3], []string{"run x", "subscribe x+", "run x+"}) {
			t.Errorf("calls: %q", calls)
		}
	})
}

func TestFailureAfterAGoodRunIsTheFirst(t *testing.T) {
	f := &fake{run: func(context.Context, int, *plugin.StreamRequest, func([]byte) error) error {
		<-time.After(goodRun)
		return errors.New("connection lost")
	}}
	bubble(t, f, func(t *testing.T, h *Hub) {
		join(h, "x")
		<-time.After(10 * (goodRun + firstDelay))
		synctest.Wait()
		if f.runs != 11 {
			t.Errorf("%d runs", f.runs)
		}
	})
}

func TestPluginEndsTheStream(t *testing.T) {
	f := &fake{run: func(_ context.Context, _ int, _ *plugin.StreamRequest, send func([]byte) error) error {
		return send([]byte("last words"))
	}}
	bubble(t, f, func(t *testing.T, h *Hub) {
		l := join(h, "x")
		if got := next(t, l); got != "last words" {
			t.Errorf("packet %q", got)
		}
		wantEnd(t, l, io.EOF)
		wantEnd(t, l, io.EOF)
		if got := next(t, join(h, "y")); got != "last words" || f.runs != 2 {
			t.Errorf("packet %q of run %d", got, f.runs)
		}
	})
}

func TestErrorsThatEndAStream(t *testing.T) {
	gone := errors.New("data source is gone")
	tests := map[string]struct {
		run       error
		subscribe error
		renew     error
		want      error
	}{
		"no capability":       {run: plugin.ErrNotImplemented, want: plugin.ErrNotImplemented},
		"refused in a rerun":  {run: errors.New("x"), subscribe: fmt.Errorf("%w: no", ErrRefused), want: ErrRefused},
		"no context to go on": {run: errors.New("x"), renew: gone, want: gone},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := &fake{
				run:       func(context.Context, int, *plugin.StreamRequest, func([]byte) error) error { return test.run },
				subscribe: func(*plugin.StreamRequest) error { return test.subscribe },
			}
			bubble(t, f, func(t *testing.T, h *Hub) {
				l := h.Join(key, &plugin.StreamRequest{}, func(context.Context) (plugin.Context, error) {
					return plugin.Context{}, test.renew
				}, nil)
				wantEnd(t, l, test.want)
			})
		})
	}
}

func TestRenewRunsAnewWithFreshContext(t *testing.T) {
	f := &fake{run: ticks}
	bubble(t, f, func(t *testing.T, h *Hub) {
		l := join(h, "x")
		next(t, l)
		h.Renew(key.Plugin, "another")
		h.Renew("another", key.DataSource)
		h.Renew(key.Plugin, "")
		h.Renew(key.Plugin, key.DataSource)
		began := time.Now()
		if got := next(t, l); got != "2.0" || time.Since(began) != 0 {
			t.Errorf("packet %q after %v", got, time.Since(began))
		}
		if calls := f.noted(); !slices.Equal(calls, []string{"run x", "subscribe x+", "run x+"}) {
			t.Errorf("calls: %q", calls)
		}
	})
}

func TestRenewEndsAPause(t *testing.T) {
	f := &fake{run: func(ctx context.Context, run int, req *plugin.StreamRequest, send func([]byte) error) error {
		if run < 8 {
			return errors.New("wrong password")
		}
		return ticks(ctx, run, req, send)
	}}
	bubble(t, f, func(t *testing.T, h *Hub) {
		l := join(h, "x")
		<-time.After(7 * time.Second) // the seventh run was at 6.3 s, the next would be at 11.3 s
		h.Renew(key.Plugin, key.DataSource)
		began := time.Now()
		if got := next(t, l); got != "8.0" || time.Since(began) != 0 {
			t.Errorf("packet %q after %v", got, time.Since(began))
		}
	})
}

func TestRerunIsForWhoStillListens(t *testing.T) {
	f := &fake{run: func(ctx context.Context, run int, req *plugin.StreamRequest, send func([]byte) error) error {
		if run == 1 {
			<-time.After(time.Minute)
			return errors.New("connection lost")
		}
		return silent(ctx, run, req, send)
	}}
	bubble(t, f, func(t *testing.T, h *Hub) {
		first := join(h, "first")
		synctest.Wait()
		join(h, "second")
		first.Close()
		<-time.After(2 * time.Minute)
		if calls := f.noted(); !slices.Equal(calls, []string{"run first", "subscribe second+", "run second+"}) {
			t.Errorf("calls: %q", calls)
		}
	})
}

func TestPublishedPacketsReachAllListeners(t *testing.T) {
	bubble(t, &fake{run: silent}, func(t *testing.T, h *Hub) {
		h.Publish(key, []byte("nobody listens"))
		first, second := join(h, "first"), join(h, "second")
		h.Publish(key, []byte("hello"))
		if a, b := next(t, first), next(t, second); a != "hello" || b != "hello" {
			t.Errorf("packets %q and %q", a, b)
		}
	})
}

func TestNextObeysItsContext(t *testing.T) {
	bubble(t, &fake{run: silent}, func(t *testing.T, h *Hub) {
		l := join(h, "x")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

func TestCloseEndsEveryStream(t *testing.T) {
	bubble(t, &fake{run: silent}, func(t *testing.T, h *Hub) {
		l := join(h, "x")
		h.Close()
		wantEnd(t, l, io.EOF)
		wantEnd(t, join(h, "late"), io.EOF)
	})
}

// Everything at once, for the race detector.
func TestManyListeners(t *testing.T) {
	f := &fake{run: func(ctx context.Context, run int, _ *plugin.StreamRequest, send func([]byte) error) error {
		for n := range 50 {
			if err := send(fmt.Append(nil, run, ".", n)); err != nil || ctx.Err() != nil {
				return ctx.Err()
			}
		}
		return errors.New("connection lost")
	}}
	bubble(t, f, func(t *testing.T, h *Hub) {
		var group sync.WaitGroup
		for i := range 50 {
			group.Go(func() {
				l := join(h, fmt.Sprint(i))
				defer l.Close()
				for range 20 + i {
					if _, err := l.Next(t.Context()); err != nil {
						t.Error(err)
					}
				}
				h.Renew(key.Plugin, key.DataSource)
			})
		}
		group.Wait()
	})
}
