package plugin

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/wire"
)

// slowHost takes a packet each time that it is told to.
type slowHost struct {
	take chan struct{}
	mu   sync.Mutex
	got  []string
	err  error
}

func (h *slowHost) send(m *wire.StreamPacket) error {
	if h.take != nil {
		<-h.take
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil {
		return h.err
	}
	h.got = append(h.got, string(m.Data))
	return nil
}

func (h *slowHost) sender() *Sender {
	return &Sender{send: h.send, dropped: prometheus.NewCounter(prometheus.CounterOpts{})}
}

func numbers(n ...int64) *frame.Frame { return frame.New("", frame.NewField("n", nil, n)) }
func words(w ...string) *frame.Frame  { return frame.New("", frame.NewField("w", nil, w)) }

const (
	numberSchema = `{"schema":{"fields":[{"name":"n","type":"number","typeInfo":{"frame":"int64"}}]},`
	wordSchema   = `{"schema":{"fields":[{"name":"w","type":"string","typeInfo":{"frame":"string"}}]},`
)

func values(v string) string { return `"data":{"values":[[` + v + `]]}}` }

func TestSchemaIsSentOnce(t *testing.T) {
	h := &slowHost{}
	s := h.sender()
	if s.latest() != nil {
		t.Error("there is a latest frame before the first")
	}
	type row struct {
		N int64 `frame:"n"`
	}
	for _, err := range []error{
		s.SendFrame(numbers(1)), SendRows(s, "", row{2}, row{3}), s.SendJSON([]byte(`"free"`)), s.SendFrame(words("a")), s.SendFrame(words("b")), s.SendFrame(numbers(4)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		numberSchema + values("1"), `{` + values("2,3"), `"free"`, wordSchema + values(`"a"`), `{` + values(`"b"`), numberSchema + values("4"),
	}
	if !slices.Equal(h.got, want) {
		t.Errorf("got %q", h.got)
	}
	if got := string(s.latest()); got != numberSchema+values("4") {
		t.Errorf("latest: %s", got)
	}
	for _, err := range []error{s.SendFrame(nil), s.SendJSON([]byte(`{`)), SendRows(s, "", 7)} {
		if err == nil {
			t.Error("what is no packet was sent")
		}
	}
}

// TestKeepLatest has a host that stops reading, and a schema that changes
// meanwhile.
func TestKeepLatest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &slowHost{take: make(chan struct{})}
		s := h.sender()
		s.KeepLatest(3)
		send := func(f *frame.Frame) {
			t.Helper()
			if err := s.SendFrame(f); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		send(numbers(1)) // is under way
		for n := range int64(10) {
			send(words(fmt.Sprint(n)))
		}
		send(numbers(2))
		if s.Dropped() != 8 {
			t.Errorf("%d were dropped", s.Dropped())
		}
		if s.latest() == nil || string(s.latest()) != numberSchema+values("1") {
			t.Errorf("what a late subscriber would get has not been sent yet: %s", s.latest())
		}
		close(h.take)
		if err := s.finish(); err != nil {
			t.Error(err)
		}
		want := []string{numberSchema + values("1"), wordSchema + values(`"8"`), `{` + values(`"9"`), numberSchema + values("2")}
		if !slices.Equal(h.got, want) {
			t.Errorf("got %q", h.got)
		}
		if err := s.SendFrame(numbers(3)); err == nil {
			t.Error("sent after the end")
		}
	})
}

func TestKeepLatestOfManySenders(t *testing.T) {
	h := &slowHost{}
	s := h.sender()
	s.KeepLatest(1)
	var sending sync.WaitGroup
	for range 8 {
		sending.Go(func() {
			for n := range int64(1000) {
				if err := s.SendFrame(numbers(n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	sending.Wait()
	if err := s.finish(); err != nil {
		t.Error(err)
	}
	if len(h.got)+s.Dropped() != 8000 {
		t.Errorf("%d sent, %d dropped", len(h.got), s.Dropped())
	}
}

func TestKeepLatestForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("nobody listens")
		h := &slowHost{err: gone}
		s := h.sender()
		s.KeepLatest(1)
		_ = s.SendJSON([]byte(`1`))
		synctest.Wait()
		if err := s.SendJSON([]byte(`2`)); !errors.Is(err, gone) {
			t.Errorf("got %v", err)
		}
		s.abandon()
		s.abandon()
	})
}

func TestSendFrameAllocatesNothing(t *testing.T) {
	s := &Sender{send: func(*wire.StreamPacket) error { return nil }}
	f := numbers(1)
	if n := testing.AllocsPerRun(100, func() { _ = s.SendFrame(f) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
