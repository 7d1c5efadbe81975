package plugin

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/stats"
)

func TestHostGone(t *testing.T) {
	for name, test := range map[string]struct {
		events func(parent *atomic.Int64, w *hostWatch)
		want   time.Duration
	}{
		"parent died": {func(parent *atomic.Int64, w *hostWatch) {
			w.HandleConn(t.Context(), &stats.ConnBegin{})
			time.Sleep(time.Hour + time.Millisecond)
			parent.Store(1)
		}, time.Hour + parentTime},
		"parent died and its connection broke": {func(parent *atomic.Int64, w *hostWatch) {
			w.HandleConn(t.Context(), &stats.ConnBegin{})
			time.Sleep(time.Hour + time.Millisecond)
			parent.Store(1)
			w.HandleConn(t.Context(), &stats.ConnEnd{})
		}, time.Hour + time.Millisecond},
		"nobody ever connected": {func(*atomic.Int64, *hostWatch) {}, firstTime},
		"nobody connected again": {func(_ *atomic.Int64, w *hostWatch) {
			w.HandleConn(t.Context(), &stats.ConnBegin{})
			time.Sleep(time.Hour)
			w.HandleConn(t.Context(), &stats.ConnEnd{})
			time.Sleep(reconnectTime / 2)
			w.HandleConn(t.Context(), &stats.ConnBegin{})
			time.Sleep(time.Hour)
			w.HandleConn(t.Context(), &stats.ConnEnd{})
		}, 2*time.Hour + 3*reconnectTime/2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var parent atomic.Int64
				parent.Store(42)
				w := newHostWatch()
				w.parent = func() int { return int(parent.Load()) }
				start := time.Now()
				ended := make(chan error)
				go func() { ended <- w.run(t.Context()) }()
				synctest.Wait()
				go test.events(&parent, w)
				if err := <-ended; !errors.Is(err, errHostGone) {
					t.Errorf("got %v", err)
				}
				if took := time.Since(start).Round(time.Millisecond); took != test.want {
					t.Errorf("noticed after %v, want %v", took, test.want)
				}
				synctest.Wait()
			})
		})
	}
}

func TestDrain(t *testing.T) {
	for name, test := range map[string]struct {
		work   func(ctx context.Context)
		want   time.Duration
		closes int32
	}{
		"a call that ends":     {func(context.Context) { time.Sleep(3 * time.Second) }, 3 * time.Second, 1},
		"a call that obeys":    {func(ctx context.Context) { <-ctx.Done() }, drainTime, 1},
		"a call that does not": {func(context.Context) { time.Sleep(time.Minute) }, drainTime + noticeTime, 0},
		"no call":              {nil, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &opener{}
				s := newServer(Plugin{open: o.open}, slog.New(slog.DiscardHandler))
				var calls sync.WaitGroup
				defer calls.Wait()
				if test.work != nil {
					calls.Go(func() {
						_ = s.call(context.Background(), "queryData", call{}, func(ctx context.Context, _ *held) error {
							test.work(ctx)
							return nil
						})
					})
				}
				synctest.Wait()
				start := time.Now()
				s.drain()
				if took := time.Since(start); took != test.want {
					t.Errorf("took %v, want %v", took, test.want)
				}
				if test.work != nil && o.opened[0].closes.Load() != test.closes {
					t.Errorf("closed %d times, want %d", o.opened[0].closes.Load(), test.closes)
				}
				if err := s.call(t.Context(), "queryData", call{}, nil); !errors.Is(err, ErrUnavailable) {
					t.Errorf("a call after the drain: %v", err)
				}
			})
		})
	}
}
