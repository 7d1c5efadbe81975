package gateway

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

func respondWith(w http.ResponseWriter, make func(*answer) error) error {
	out := &answer{w: w, contentType: "text/plain", status: 200, place: &place{}}
	return out.write(make)
}

func TestAnswerSmall(t *testing.T) {
	w := httptest.NewRecorder()
	err := respondWith(w, func(out *answer) error { out.add("hello"); return nil })
	if err != nil || w.Body.String() != "hello" || w.Header().Get("Content-Length") != "5" {
		t.Errorf("%v, %q, %v", err, w.Body, w.Header())
	}
}

// TestAnswerFails: before anything is sent an error is an answer of its own,
// after that the connection's end.
func TestAnswerFails(t *testing.T) {
	failed := errors.New("failed")
	for size, want := range map[int]bool{10: false, 3 * blockSize: true} {
		w := httptest.NewRecorder()
		err := respondWith(w, func(out *answer) error {
			_, _ = out.Write([]byte(strings.Repeat("x", size)))
			return failed
		})
		if !errors.Is(err, failed) && !want || errors.As(err, new(broken)) != want || w.Body.Len() > 0 != want {
			t.Errorf("%d bytes: %v, %d sent", size, err, w.Body.Len())
		}
	}
}

// stuck is a client that reads nothing until released is closed.
type stuck struct {
	http.ResponseWriter
	released chan struct{}
}

func (s stuck) Write(p []byte) (int, error) {
	<-s.released
	return s.ResponseWriter.Write(p)
}

// TestAnswerSlow: a client that does not read gives up its place, once there is
// room for its answer elsewhere.
func TestAnswerSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := stuck{httptest.NewRecorder(), make(chan struct{})}
		full := newHeld(10)
		out := &answer{w: w, status: 200, place: &place{held: full, size: 3, release: func() { close(w.released) }}}
		if err := full.take(t.Context(), target{}, 8); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Minute, func() { full.give(8) })
		began := time.Now()
		err := out.write(func(out *answer) error {
			_, err := out.Write(make([]byte, 2*blockSize))
			return err
		})
		if took := time.Since(began); err != nil || took < time.Minute || took > time.Minute+2*patience {
			t.Errorf("after %v: %v", took, err)
		}
		if out.place.end(); !full.room.TryAcquire(10) {
			t.Error("the room is not given back")
		}
	})
}

// TestRespondAllocates: a large answer takes no more memory than blocks.
func TestRespondAllocates(t *testing.T) {
	raw, err := frame.New("large", frame.NewField("v", nil, make([]float64, 200_000))).MarshalArrow()
	if err != nil {
		t.Fatal(err)
	}
	result := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			results := []result{target{}.result("A", plugin.Response{Status: 200, Frames: [][]byte{raw}})}
			if err := respond(&discard{header: http.Header{}}, formats[0], results, &place{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	if got := result.AllocedBytesPerOp(); got > 64<<10 {
		t.Errorf("%d bytes allocated for an answer of 400 kB", got)
	}
}
