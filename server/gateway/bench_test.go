package gateway

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

// table returns a frame of a time and further columns as an Arrow file.
func table(b *testing.B, rows, columns int) []byte {
	times := make([]time.Time, rows)
	for i := range times {
		times[i] = time.UnixMilli(1700000000000 + int64(i)*1000)
	}
	f := frame.New("bench", frame.NewField("time", nil, times))
	for c := 1; c < columns; c++ {
		values := make([]float64, rows)
		for i := range values {
			values[i] = math.Round(math.Sin(float64(i+c)/10)*10000) / 100
		}
		f.Fields = append(f.Fields, frame.NewField("v"+strconv.Itoa(c), frame.Labels{"col": strconv.Itoa(c)}, values))
	}
	raw, err := f.MarshalArrow()
	if err != nil {
		b.Fatal(err)
	}
	return raw
}

// discard is a client that reads nothing.
type discard struct {
	header http.Header
	bytes  int64
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(p []byte) (int, error) { d.bytes += int64(len(p)); return len(p), nil }

// BenchmarkQuery is a query's way through the gateway: the request read, the
// plugin's Arrow bytes written as JSON. Plugin and store cost nothing here.
func BenchmarkQuery(b *testing.B) {
	for _, size := range []struct{ rows, columns int }{{10, 2}, {1000, 6}, {100_000, 6}} {
		b.Run(strconv.Itoa(size.rows)+"x"+strconv.Itoa(size.columns), func(b *testing.B) {
			a := newAPI(b)
			answer := &plugin.QueryResponse{Responses: map[string]plugin.Response{
				"A": {Status: 200, Frames: [][]byte{table(b, size.rows, size.columns)}},
			}}
			a.host.query = func(*plugin.QueryRequest) (*plugin.QueryResponse, error) { return answer, nil }
			const body = `{"from":"1700000000000","to":"1700003600000","queries":[{"refId":"A","datasource":{"uid":"one"},"intervalMs":1000,"maxDataPoints":1000,"rows":3,"cols":2}]}`
			w := &discard{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				r, err := http.NewRequest("POST", "/api/ds/query", strings.NewReader(body))
				if err != nil {
					b.Fatal(err)
				}
				r.Header.Set("Authorization", "Bearer good")
				a.ServeHTTP(w, r)
			}
			b.SetBytes(w.bytes / int64(b.N))
		})
	}
}
