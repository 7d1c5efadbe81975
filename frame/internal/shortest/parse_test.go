package shortest

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

// checkParse compares what is read of a number with strconv, and returns
// whether it was read at all.
func checkParse(t *testing.T, text []byte) bool {
	t.Helper()
	got, end, ok := Parse64(append(text, ','), 0)
	want, err := strconv.ParseFloat(string(text), 64)
	if ok && (err != nil || end != len(text) || math.Float64bits(got) != math.Float64bits(want)) {
		t.Fatalf("%s: %x up to %d, strconv %x, %v", text, math.Float64bits(got), end, math.Float64bits(want), err)
	}
	if got, end, ok := Parse32(text, 0); ok {
		want, err := strconv.ParseFloat(string(text), 32)
		if err != nil || end != len(text) || math.Float32bits(got) != math.Float32bits(float32(want)) {
			t.Fatalf("%s: %v, strconv %v as float32", text, got, want)
		}
	}
	if got, end, ok := ParseInt(text, 0); ok {
		want, err := strconv.ParseInt(string(text), 10, 64)
		if err != nil || end != len(text) || got != want {
			t.Fatalf("%s: %v, strconv %v as integer", text, got, want)
		}
	}
	return ok
}

func TestParseWhatIsPrinted(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 5))
	read := 0
	for range rounds() {
		v := math.Float64frombits(rng.Uint64())
		if v-v != 0 {
			continue
		}
		checkParse(t, strconv.AppendFloat(nil, v, 'f', -1, 64))
		checkParse(t, strconv.AppendFloat(nil, v, 'g', -1, 64))
		if checkParse(t, Append64(nil, rng.NormFloat64()*100)) {
			read++
		}
	}
	if read < rounds()*9/10 {
		t.Errorf("only %d usual numbers of %d are not left to strconv", read, rounds())
	}
}

// TestParseDigits tries any digits with a point at any place: many of them lie
// next to the middle of two floats.
func TestParseDigits(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 6))
	for range rounds() {
		text := strconv.AppendUint(nil, rng.Uint64()>>rng.IntN(64), 10)
		if rng.IntN(3) == 0 {
			// The middle of a float and the next.
			v := math.Float64frombits(rng.Uint64()>>12 | uint64(1000+rng.IntN(60))<<52)
			text = strconv.AppendFloat(nil, v, 'f', rng.IntN(20), 64)
		} else if at := rng.IntN(len(text)); at > 0 {
			text = append(text[:at], append([]byte("."), text[at:]...)...)
		} else {
			text = append([]byte("0."+"00000000000000000000000000000000"[:rng.IntN(30)]), text...)
		}
		checkParse(t, text)
		checkParse(t, append([]byte("-"), text...))
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", "-", ".", "1.", ".5", "-.5", "01", "-01.5", "x", "1e", "1e5", "1.5E-7", "NaN", "+1", "1.e3", "12345678901234567890"} {
		if v, _, ok := Parse64([]byte(text), 0); ok {
			t.Errorf("%q: %v", text, v)
		}
		if v, _, ok := ParseInt([]byte(text), 0); ok {
			t.Errorf("%q: integer %v", text, v)
		}
	}
	if _, end, ok := ParseInt([]byte("[1.5,-12]"), 5); !ok || end != 8 {
		t.Error(end, ok)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("-12.75"))
	f.Add([]byte("0.000012345678901234567"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, end, ok := Parse64(b, 0); ok {
			checkParse(t, b[:end:end])
		}
	})
}

func BenchmarkParse(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 7))
	for _, c := range []struct {
		name string
		next func() float64
	}{
		{"random", func() float64 { return rng.NormFloat64() * 100 }},
		{"decimal", func() float64 { return float64(rng.IntN(1_000_000)) / 100 }},
	} {
		texts := make([][]byte, 1024)
		for i := range texts {
			texts[i] = Append64(nil, c.next())
		}
		b.Run(c.name+"/ours", func(b *testing.B) {
			for b.Loop() {
				for _, text := range texts {
					if _, _, ok := Parse64(text, 0); !ok {
						b.Fatal(string(text))
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(texts)), "ns/value")
		})
		b.Run(c.name+"/strconv", func(b *testing.B) {
			for b.Loop() {
				for _, text := range texts {
					if _, err := strconv.ParseFloat(string(text), 64); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(texts)), "ns/value")
		})
	}
}
