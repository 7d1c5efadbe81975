package hub

import (
	"context"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plugboard/plugboard/plugin"
)

func TestSlowListenerIsDropped(t *testing.T) {
	const packets = 200
	f := &fake{run: func(ctx context.Context, _ int, _ *plugin.StreamRequest, send func([]byte) error) error {
		for n := range packets {
			if err := send(fmt.Appendf(nil, "%-65536d", n)); err != nil {
				return err
			}
			<-time.After(time.Millisecond)
		}
		return nil
	}}
	bubble(t, f, func(t *testing.T, h *Hub) {
		quick, slow := join(h, "quick"), join(h, "slow")
		for range packets {
			next(t, quick)
		}
		wantEnd(t, quick, io.EOF)
		if slow.size > longestQueue+65536+packetCost {
			t.Errorf("%d bytes are kept for the slow one", slow.size)
		}
		wantEnd(t, slow, ErrSlow)
	})
}

func TestSinglePacketOfAnySizeFits(t *testing.T) {
	f := &fake{run: func(_ context.Context, _ int, _ *plugin.StreamRequest, send func([]byte) error) error {
		return send(make([]byte, 2*longestQueue))
	}}
	bubble(t, f, func(t *testing.T, h *Hub) {
		if got := next(t, join(h, "x")); len(got) != 2*longestQueue {
			t.Errorf("a packet of %d bytes", len(got))
		}
	})
}

func TestStreamWithoutListenersButSlowOnesStops(t *testing.T) {
	f := &fake{run: func(ctx context.Context, _ int, _ *plugin.StreamRequest, send func([]byte) error) error {
		for ctx.Err() == nil {
			if err := send(make([]byte, 1<<20)); err != nil {
				return err
			}
		}
		return ctx.Err()
	}}
	bubble(t, f, func(t *testing.T, h *Hub) {
		join(h, "slow")
		synctest.Wait()
		if f.open != 0 {
			t.Error("it runs for nobody")
		}
	})
}
