//go:build unix

package bench

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/plugboard/plugboard/conformance/frames"
	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/transform"
)

// longSeries is rows points of series series that take turns, or in the
// shuffled variant come in any order, as databases return them.
func longSeries(rows, series int, shuffled bool) *frame.Frame {
	rng := rand.New(rand.NewPCG(1, 2))
	times, hosts, values := make([]time.Time, rows), make([]string, rows), make([]float64, rows)
	for i := range rows {
		turn := i % series
		if shuffled {
			turn = rng.IntN(series)
		}
		times[i] = time.UnixMilli(1704164645000 + int64(i/series)*1000)
		hosts[i], values[i] = fmt.Sprintf("host-%d.example", turn), rng.NormFloat64()
	}
	return frame.New("long", frame.NewField("time", nil, times), frame.NewField("host", nil, hosts), frame.NewField("value", nil, values))
}

func BenchmarkLongToWide(b *testing.B) {
	for _, variant := range []string{"", "-shuffled"} {
		b.Run("100000x50"+variant, func(b *testing.B) {
			long := longSeries(100_000, 50, variant != "")
			twin, err := frames.Twin(long)
			if err != nil {
				b.Fatal(err)
			}
			ours, err := transform.LongToWide(long, transform.Fill{})
			if err != nil {
				b.Fatal(err)
			}
			theirs, err := data.LongToWide(twin, nil)
			if err != nil {
				b.Fatal(err)
			}
			if a, b2 := sum(ours), officialSum(theirs); a != b2 || len(ours.Fields) != len(theirs.Fields) {
				b.Fatalf("ours adds up to %g in %d fields, theirs to %g in %d", a, len(ours.Fields), b2, len(theirs.Fields))
			}
			b.Run("ours", func(b *testing.B) {
				reportCPU(b, func() {
					for b.Loop() {
						if _, err := transform.LongToWide(long, transform.Fill{}); err != nil {
							b.Fatal(err)
						}
					}
				})
			})
			b.Run("official", func(b *testing.B) {
				reportCPU(b, func() {
					for b.Loop() {
						if _, err := data.LongToWide(twin, nil); err != nil {
							b.Fatal(err)
						}
					}
				})
			})
		})
	}
}
