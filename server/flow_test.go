//go:build unix

package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/config"
)

// largeRows are 4 MB, and 9 MB as text: more than sockets hold.
const largeRows = 500_000

var large = sync.OnceValue(func() *frame.Frame {
	values := make([]float64, largeRows)
	for i := range values {
		values[i] = 1e6 + float64(i)/7
	}
	return frame.New("large", frame.NewField("v", nil, values))
})

// What the plugin tells of its endless answers: the bytes that it has handed
// over, and how many there are.
var sent, flowing atomic.Int64

// QueryChunks is Query, except for an answer that has no end.
func (s *source) QueryChunks(ctx context.Context, q plugin.Query[model], send func(*frame.Frame) error) error {
	if q.Model.Do == "flow" {
		return flow(send)
	}
	frames, err := s.Query(ctx, q)
	if err != nil {
		return err
	}
	for _, f := range frames {
		if err := send(f); err != nil {
			return err
		}
	}
	return nil
}

func flow(send func(*frame.Frame) error) error {
	flowing.Add(1)
	defer flowing.Add(-1)
	part := large().SliceRows(0, 8<<10)
	for {
		if err := send(part); err != nil {
			return err
		}
		sent.Add(8 * 8 << 10)
	}
}

// sources provisions "one" of the test plugin and "other" of another.
func sources(t *testing.T) (dir string) {
	dir = t.TempDir()
	write(t, filepath.Join(dir, "datasources", "sources.yaml"), `apiVersion: 1
datasources: [{name: one, uid: one, type: test-datasource}, {name: other, uid: other, type: other-datasource}]
`, 0o644)
	return dir
}

// unlimited are limits for answers without an end.
var unlimited = host.Limits{Bytes: -1, Time: -1}

// open asks a data source to do something, on a connection of its own whose
// socket holds little, and reads the status of the answer.
func (r *running) open(ctx context.Context, uid, do, accept string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", r.Addr())
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	if err := conn.(*net.TCPConn).SetReadBuffer(16 << 10); err != nil {
		return nil, err
	}
	body := fmt.Sprintf(`{"queries":[{"datasource":{"uid":%q},"do":%q}]}`, uid, do)
	_, err = fmt.Fprintf(conn, "POST /api/ds/query HTTP/1.1\r\nHost: %s\r\nAccept: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		r.Addr(), accept, len(body), body)
	if err != nil {
		return nil, err
	}
	status := make([]byte, len("HTTP/1.1 200"))
	if _, err := io.ReadFull(conn, status); err != nil || string(status) != "HTTP/1.1 200" {
		rest, _ := io.ReadAll(io.LimitReader(conn, 1000))
		return nil, fmt.Errorf("%s%s: %w", status, rest, err)
	}
	return conn, nil
}

// eventually waits for something that processes do.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not seen: %s", what)
		}
	}
}

// TestSlowClients: however many clients ask for large answers and do not read
// them, few answers are in memory; others are answered meanwhile.
func TestSlowClients(t *testing.T) {
	const (
		slow  = 128 << 20 / (8 * largeRows) // answers that there is room for beside the permits
		many  = 3 * slow
		slack = 64 << 20
	)
	permits := int64(max(4, runtime.GOMAXPROCS(0)))
	r := start(t, config.Config{Provisioning: sources(t), Anonymous: true})
	r.query(200, `"name":"pid"`, "one", "")
	before := heap()

	ctx, leave := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	defer asking.Wait()
	defer leave()
	var begun atomic.Int64
	stick := func(n int) {
		for range n {
			asking.Go(func() {
				_, err := r.open(ctx, "one", "large", "application/json")
				if err == nil {
					begun.Add(1)
				} else if ctx.Err() == nil {
					t.Error(err)
				}
			})
		}
	}
	stick(int(2 * permits))
	eventually(t, "more slow clients than permits", func() bool { return begun.Load() == 2*permits })
	r.query(200, `"name":"pid"`, "one", "")

	stick(many)
	eventually(t, "as many as there is room for", func() bool { return begun.Load() >= slow-2 })
	for last, still := int64(0), 0; still < 10; <-time.After(100 * time.Millisecond) { // places change hands in that time
		r.query(200, `"name":"pid"`, "other", "")
		if now := begun.Load(); now == last {
			still++
		} else {
			last, still = now, 0
		}
	}
	if got := begun.Load(); got > slow+permits {
		t.Errorf("%d answers are being written, and there is room for %d", got, slow+permits)
	}
	if grown := heap() - before; grown > 128<<20+permits*8*largeRows+slack {
		t.Errorf("%d clients take %d MB", many, grown>>20)
	}
	leave()
	r.query(200, `"name":"pid"`, "one", "")
}

// TestStuckClients: a client that reads nothing is let go, one that reads a
// little is not.
func TestStuckClients(t *testing.T) {
	r := startWith(t, config.Config{Provisioning: sources(t), Anonymous: true}, 2*time.Second)
	for _, accept := range []string{"application/json", "text/csv"} {
		do := map[string]string{"application/json": "large", "text/csv": "flow"}[accept]
		if _, err := r.open(t.Context(), "one", do, accept); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the end of the endless answer", func() bool { s := r.state(); return s.sent > 0 && s.flowing == 0 })

	slow, err := r.open(t.Context(), "one", "large", "application/json")
	if err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); time.Since(began) < 5*time.Second; <-time.After(100 * time.Millisecond) {
		if _, err := io.ReadFull(slow, make([]byte, 64<<10)); err != nil {
			t.Fatal(err)
		}
	}
}

// state is what the plugin tells of its endless answers.
type state struct{ sent, flowing int64 }

func (r *running) state() state {
	r.t.Helper()
	var answer struct {
		Results map[string]struct {
			Frames []struct{ Data struct{ Values [][]int64 } }
		}
	}
	if err := json.Unmarshal([]byte(r.query(200, "sent", "one", "sent")), &answer); err != nil {
		r.t.Fatal(err)
	}
	values := answer.Results["A"].Frames[0].Data.Values
	return state{values[0][0], values[1][0]}
}

// TestEndlessAnswer: an answer that has no end passes through, in any format, in
// constant memory of server and plugin; it stands still while nobody reads, and
// ends with its reader.
func TestEndlessAnswer(t *testing.T) {
	const amount, slack = 64 << 20, 48 << 20
	r := start(t, config.Config{Provisioning: sources(t), Anonymous: true, Limits: unlimited})
	for _, accept := range []string{"text/csv", "application/x-ndjson", "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"} {
		t.Run(accept, func(t *testing.T) {
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			conn, err := r.open(ctx, "one", "flow", accept)
			if err != nil {
				t.Fatal(err)
			}
			read(t, conn, amount/4)
			here, there := heap(), resident(t, r.pid())
			read(t, conn, amount)
			if grown := heap() - here; grown > slack {
				t.Errorf("the server has grown by %d MB", grown>>20)
			}
			if grown := resident(t, r.pid()) - there; grown > slack {
				t.Errorf("the plugin has grown by %d MB", grown>>20)
			}
			last := r.state()
			eventually(t, "the plugin waiting", func() bool {
				<-time.After(100 * time.Millisecond)
				now := r.state()
				still := now == last
				last = now
				return still
			})
			if last.flowing != 1 {
				t.Errorf("%d answers", last.flowing)
			}
			leave()
			eventually(t, "the end of the plugin's work", func() bool { return r.state().flowing == 0 })
		})
	}
}

func read(t *testing.T, conn net.Conn, amount int64) {
	t.Helper()
	if _, err := io.CopyN(io.Discard, conn, amount); err != nil {
		t.Fatal(err)
	}
}

// heap returns how many bytes of this process, which is the server, are in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// resident returns the memory of a process, 0 where there is no /proc.
func resident(t *testing.T, pid int) (kilobytes int64) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

// TestChunkLimit: an endless answer is stopped where the limit is, with an error
// if nothing has been sent.
func TestChunkLimit(t *testing.T) {
	limits := unlimited
	limits.Rows = 10_000
	r := start(t, config.Config{Provisioning: sources(t), Anonymous: true, Limits: limits})
	request, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+r.Addr()+"/api/ds/query", strings.NewReader(`{"queries":[{"datasource":{"uid":"one"},"do":"flow"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/csv")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(string(text), "stopped at 16384 rows, because the answer to a query may have 10000") {
		t.Errorf("%d %s, %v", response.StatusCode, text, err)
	}
}
