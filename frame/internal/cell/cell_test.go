package cell

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// TestClock compares times with what package time prints.
func TestClock(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	c := clock{day: math.MinInt64}
	check := func(ns int64) {
		if got, want := string(c.append(nil, ns)), time.Unix(0, ns).UTC().Format(time.RFC3339Nano); got != want {
			t.Fatalf("%d: %s, want %s", ns, got, want)
		}
	}
	for _, ns := range []int64{0, -1, 1, math.MinInt64, math.MaxInt64, 86400e9, 86400e9 - 1, -86400e9, -86400e9 - 1} {
		check(ns)
	}
	for range 100_000 {
		check(int64(rng.Uint64()))
		check(1704164645e9 + rng.Int64N(1e9)*int64(math.Pow10(rng.IntN(9))))
	}
}
