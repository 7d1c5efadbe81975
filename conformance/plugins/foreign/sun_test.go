package main

import (
	"math"
	"testing"
	"time"
)

// TestSun compares with almanac values for Seattle.
func TestSun(t *testing.T) {
	seattle, _ := findCity("Seattle")
	for _, test := range []struct {
		what      string
		got, want float64
		within    float64
	}{
		{"hours on the longest day", daylight(time.Date(2026, 6, 21, 12, 0, 0, 0, time.UTC), seattle), 15.99, 0.05},
		{"hours on the shortest day", daylight(time.Date(2026, 12, 21, 12, 0, 0, 0, time.UTC), seattle), 8.42, 0.05},
		{"altitude at noon of the longest day", altitude(time.Date(2026, 6, 21, 20, 11, 0, 0, time.UTC), seattle), 65.83, 0.1},
		{"altitude at midnight of the longest day", altitude(time.Date(2026, 6, 21, 8, 11, 0, 0, time.UTC), seattle), -18.96, 0.1},
	} {
		if math.Abs(test.got-test.want) > test.within {
			t.Errorf("%s: %.2f, want %.2f", test.what, test.got, test.want)
		}
	}
}
