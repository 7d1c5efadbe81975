package gateway

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/datasource"
)

const askTwo = `{"queries":[{"refId":"A","datasource":{"uid":"one"}},{"refId":"B","datasource":{"uid":"two"}}]}`

// answersOf makes the host answer each query with so many rows.
func answersOf(t testing.TB, rows int) (answer func(*plugin.QueryRequest) (*plugin.QueryResponse, error), size int64) {
	raw, err := frame.New("f", frame.NewField("v", nil, make([]float64, rows))).MarshalArrow()
	if err != nil {
		t.Fatal(err)
	}
	return func(req *plugin.QueryRequest) (*plugin.QueryResponse, error) {
		return &plugin.QueryResponse{Responses: map[string]plugin.Response{req.Queries[0].RefID: {Status: 200, Frames: [][]byte{bytes.Clone(raw)}}}}, nil
	}, int64(len(raw))
}

// TestHeldIsKept: an answer that waits for another is still itself when it is
// written, whatever its memory is used for by then.
func TestHeldIsKept(t *testing.T) {
	a := newAPI(t)
	a.host.reuses = true
	a.host.query = func(req *plugin.QueryRequest) (*plugin.QueryResponse, error) {
		raw, err := frame.New("f", frame.NewField("v", nil, []float64{1.5, 2.5})).MarshalArrow()
		return &plugin.QueryResponse{Responses: map[string]plugin.Response{req.Queries[0].RefID: {Status: 200, Frames: [][]byte{raw}}}}, err
	}
	w := a.call("POST", "/api/ds/query", askTwo)
	if body := w.Body.String(); w.Code != 200 || strings.Count(body, `"values":[[1.5,2.5]]`) != 2 {
		t.Errorf("%d %s", w.Code, body)
	}
}

// TestHeldTooLarge: an answer that there is no room for is an error of its
// queries, which says what to do; the others are answered.
func TestHeldTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		answer, size := answersOf(t, 1000)
		a.host.query = answer
		a.held = newHeld(2*size - 1)
		w := a.call("POST", "/api/ds/query", askTwo)
		want := fmt.Sprintf(`(plugin p-datasource) answered %d bytes, and the answers that requests over several data sources hold until the last is in are bounded to %d bytes: ask it in a request of its own`, size, 2*size-1)
		if body := w.Body.String(); w.Code != 400 || strings.Count(body, `"status":503`) != 1 || strings.Count(body, `"status":200`) != 1 || !strings.Contains(body, want) {
			t.Errorf("%d %s", w.Code, body)
		}
		if !a.held.room.TryAcquire(2*size - 1) {
			t.Error("not all is given back")
		}
		a.held.give(2*size - 1)

		a.held = newHeld(size - 1)
		if w := a.call("POST", "/api/ds/query", askTwo, "Accept", "text/csv"); w.Code != 400 || !strings.Contains(w.Body.String(), "Answer too large: ") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if w := a.call("POST", "/api/ds/query", askOne); w.Code != 200 {
			t.Errorf("one data source alone: %d %s", w.Code, w.Body)
		}
	})
}

// TestHeldWaits: an answer waits for room that another request gives back.
func TestHeldWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		answer, size := answersOf(t, 1000)
		a.host.query = answer
		a.held = newHeld(2 * size)
		if err := a.held.take(t.Context(), target{}, size); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(heldPatience/2, func() { a.held.give(size) })
		if w := a.call("POST", "/api/ds/query", askTwo); w.Code != 200 || strings.Count(w.Body.String(), `"status":200`) != 2 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

// TestHeldBoundsMemory: however many requests over many data sources there are
// at once, what they hold is bounded, and it is all given back.
func TestHeldBoundsMemory(t *testing.T) {
	const clients, sources, limit = 20, 8, 8 << 20
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		var queries []string
		for i := range sources {
			uid := fmt.Sprint("source-", i)
			if _, err := a.store.Create(t.Context(), datasource.DataSource{UID: uid, Name: uid, Type: "p-datasource"}); err != nil {
				t.Fatal(err)
			}
			queries = append(queries, fmt.Sprintf(`{"refId":"%d","datasource":{"uid":"%s"}}`, i, uid))
		}
		answer, size := answersOf(t, 100_000)
		before, peak, measuring := heap(), uint64(0), sync.Mutex{}
		a.host.permits = make(chan struct{}, 4) // as package plugin bounds what is received
		a.host.wait = func(req *plugin.QueryRequest) {
			if req.Queries[0].RefID == "0" {
				<-time.After(heldPatience / 2) // all others have answered
			}
		}
		a.host.query = func(req *plugin.QueryRequest) (*plugin.QueryResponse, error) {
			measuring.Lock()
			defer measuring.Unlock()
			peak = max(peak, heap())
			return answer(req)
		}
		a.held = newHeld(limit)
		var asking sync.WaitGroup
		for range clients {
			r := httptest.NewRequest("POST", "/api/ds/query", strings.NewReader(`{"queries":[`+strings.Join(queries, ",")+`]}`))
			r.Header.Set("Authorization", "Bearer good")
			asking.Go(func() { a.ServeHTTP(&discard{header: http.Header{}}, r) })
		}
		asking.Wait()
		if bound := before + limit + 4*uint64(size) + 8<<20; peak > bound {
			t.Errorf("%d MB held of %d, at most %d expected", peak>>20, clients*sources*size>>20, bound>>20)
		}
		if !a.held.room.TryAcquire(limit) {
			t.Error("not all is given back")
		}
	})
}

// heap returns how many bytes are in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
