// gpx_bench is the plugin bench on our SDK: it answers what bench answers, as
// far as benchmarks ask.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

func main() { plugin.Main(plugin.DataSource(open)) }

type source struct{}

func open(context.Context, plugin.Settings[struct{}]) (*source, error) { return &source{}, nil }

type model struct {
	Rows  int  `json:"rows"`
	Cols  int  `json:"cols"`
	Round bool `json:"round"` // two-decimal values, as metrics are
}

var (
	cacheMu sync.Mutex
	cache   = map[model][]float64{}
)

// values returns a shared read-only column.
func values(rows, c int, round bool) []float64 {
	cacheMu.Lock()
	defer cacheMu.Unlock()
	key := model{rows, c, round}
	if v, ok := cache[key]; ok {
		return v
	}
	v := make([]float64, rows)
	for i := range v {
		v[i] = math.Sin(float64(i+c)/10) * 100
		if round {
			v[i] = math.Round(v[i]*100) / 100
		}
	}
	cache[key] = v
	return v
}

func (*source) Query(_ context.Context, q plugin.Query[model]) (frame.Frames, error) {
	times := make([]time.Time, q.Model.Rows)
	for i := range times {
		times[i] = q.TimeRange.From.Add(time.Duration(i) * time.Second)
	}
	f := frame.New("bench", frame.NewField("time", nil, times))
	for c := range q.Model.Cols {
		name := strconv.Itoa(c)
		f.Fields = append(f.Fields, frame.NewField("v"+name, frame.Labels{"col": name}, values(q.Model.Rows, c, q.Model.Round)))
	}
	return frame.Frames{f}, nil
}

// pieceRows are rows of a chunk.
const pieceRows = 8 << 10

func (s *source) QueryChunks(ctx context.Context, q plugin.Query[model], send func(*frame.Frame) error) error {
	frames, err := s.Query(ctx, q)
	if err != nil {
		return err
	}
	f := frames[0]
	for from := 0; from < f.Rows(); from += pieceRows {
		if err := send(f.SliceRows(from, min(from+pieceRows, f.Rows()))); err != nil {
			return err
		}
	}
	return nil
}

func (*source) CheckHealth(context.Context) (plugin.Health, error) {
	return plugin.Health{Status: plugin.HealthOK, Message: "bench ok", Details: fmt.Appendf(nil, `{"pid":%d}`, os.Getpid())}, nil
}

func (*source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.Trim(r.URL.Path, "/")
	switch path {
	case "echo":
		body, _ := io.ReadAll(r.Body) // of memory
		answer, _ := json.Marshal(map[string]any{"method": r.Method, "path": path, "url": strings.TrimPrefix(r.RequestURI, "/"), "body": string(body)})
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Bench", "1")
		_, _ = w.Write(answer)
	case "kilobyte":
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write(kilobyte)
	default:
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "no such resource")
	}
}

var kilobyte = []byte(strings.Repeat("0123456789abcdef", 64))

// packet is JSON of 200 bytes.
var packet = []byte(`{"packet":"` + strings.Repeat("x", 187) + `"}`)

func (*source) RunStream(_ context.Context, _ plugin.Channel, to *plugin.Sender) error {
	for {
		if err := to.SendJSON(packet); err != nil {
			return err
		}
	}
}
