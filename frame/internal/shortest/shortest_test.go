package shortest

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

// simple is what the package prints, by strconv.
func simple(b []byte, v float64, bits int) []byte {
	format := byte('f')
	if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	if bits == 32 {
		if abs := float32(math.Abs(v)); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
			format = 'e'
		} else {
			format = 'f'
		}
	}
	return strconv.AppendFloat(b, v, format, -1, bits)
}

var ours, theirs []byte

// check compares all that can print v with strconv.
func check(t *testing.T, v float64) {
	if v-v != 0 {
		return
	}
	theirs = simple(theirs[:0], v, 64)
	if ours = Append64(ours[:0], v); string(ours) != string(theirs) {
		t.Fatalf("%x: %s, strconv %s", math.Float64bits(v), ours, theirs)
	}
	for _, d := range []Decimals{-1, 0, 2, 4} {
		if ours = d.Append(ours[:0], v); string(ours) != string(theirs) {
			t.Fatalf("%x with %d decimals: %s, strconv %s", math.Float64bits(v), d, ours, theirs)
		}
	}
}

func check32(t *testing.T, v float32) {
	if v-v != 0 {
		return
	}
	theirs = simple(theirs[:0], float64(v), 32)
	if ours = Append32(ours[:0], v); string(ours) != string(theirs) {
		t.Fatalf("%x: %s, strconv %s", math.Float32bits(v), ours, theirs)
	}
}

// rounds is how many values each test below looks at.
func rounds() int {
	if testing.Short() || raceDetector {
		return 50_000
	}
	return 500_000
}

func TestRandomBits(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range rounds() {
		check(t, math.Float64frombits(rng.Uint64()))
		check32(t, math.Float32frombits(rng.Uint32()))
	}
}

// TestDecimals tries short decimals of every size, and the floats beside them.
func TestDecimals(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range rounds() / 2 {
		v := float64(rng.Uint64()>>rng.IntN(64)) / math.Pow10(rng.IntN(12))
		if rng.IntN(2) == 0 {
			v = -v
		}
		check(t, v)
		check(t, math.Nextafter(v, math.Inf(1)))
		check32(t, float32(v))
		check32(t, math.Nextafter32(float32(v), 0))
	}
}

func TestUsualValues(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	for range rounds() / 2 {
		check(t, rng.NormFloat64()*math.Pow10(rng.IntN(40)-20))
		check(t, float64(rng.Int64()))
		check(t, math.Round(rng.NormFloat64()*1e6)/100)
	}
}

// TestLimits tries every power of two and ten, with its neighbours: where the
// distance between floats changes, and where the form does.
// TestPoints: numbers of any length, with the point in any place.
func TestPoints(t *testing.T) {
	for range rounds() / 200 {
		for n := 1; n <= 17; n++ {
			digits := strconv.FormatUint(1e17+rand.Uint64N(9e17), 10)[:n]
			for point := range n {
				v, err := strconv.ParseFloat(digits[:point]+"."+digits[point:], 64)
				if err != nil {
					t.Fatal(err)
				}
				check(t, v)
			}
		}
	}
}

func TestLimits(t *testing.T) {
	around := func(v float64) {
		for _, v := range []float64{v, math.Nextafter(v, 0), math.Nextafter(v, math.Inf(1))} {
			check(t, v)
			check(t, -v)
		}
		for _, v := range []float32{float32(v), math.Nextafter32(float32(v), 0), math.Nextafter32(float32(v), math.MaxFloat32)} {
			check32(t, v)
			check32(t, -v)
		}
	}
	for e := -1074; e <= 1023; e++ {
		around(math.Ldexp(1, e))
	}
	for e := -323; e <= 308; e++ {
		around(math.Pow10(e))
		around(5 * math.Pow10(e))
	}
	for _, v := range []float64{0, 5e-324, math.MaxFloat64, math.MaxFloat32, math.SmallestNonzeroFloat32, 9007199254740993, 1e15, 999999999999999, 1e13, 1e11,
		0.1, 0.01, 0.001, 0.0001, 0.00001, 0.29, 0.3, 1.005, 100, 1e20, 123456789012345680000, 9.5367431640625e-07, 0.00011, 1.0001, 1.01, 1.10} {
		around(v)
	}
}

func TestDecimalsOf(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   Decimals
	}{
		{nil, 0},
		{[]float64{1, 2, -3e9}, 0},
		{[]float64{1, 2.5}, 2},
		{[]float64{1, 2.5, 0.0001}, 4},
		{[]float64{1, math.Pi}, -1},
		{[]float64{math.NaN()}, -1},
	} {
		if got := DecimalsOf(c.values); got != c.want {
			t.Errorf("%v: %d, want %d", c.values, got, c.want)
		}
	}
}

// TestAppendHundredths: a run is what its values are one by one, and ends before
// the first that is too large, too exact, negative zero or no number.
func TestAppendHundredths(t *testing.T) {
	var run []float64
	var want []byte
	rng := rand.New(rand.NewPCG(1, 4))
	for n := -10_100; n <= 10_100; n++ {
		for _, v := range []float64{float64(n) / 100, float64(rng.Int64N(1e10)>>rng.IntN(34)) / 100} {
			run, want = append(run, v), simple(append(want, ','), v, 64)
		}
	}
	for _, end := range []float64{math.Copysign(0, -1), 1e8, -1e8, 0.001, math.Pi, 99.995, math.NaN(), math.Inf(1), math.Inf(-1), 1e300, 5e-324} {
		got, n := AppendHundredths(nil, append(run, end, 1))
		if n != len(run) || string(got) != string(want) {
			t.Errorf("before %v: %d of %d values, the last %q", end, n, len(run), got[max(0, len(got)-20):])
		}
	}
}

func FuzzAppend(f *testing.F) {
	f.Add(1.5)
	f.Add(5e-324)
	f.Fuzz(func(t *testing.T, v float64) {
		check(t, v)
		check32(t, float32(v))
	})
}

func BenchmarkAppend(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 4))
	random, decimal := make([]float64, 1024), make([]float64, 1024)
	for i := range random {
		random[i], decimal[i] = rng.NormFloat64()*100, float64(rng.IntN(1_000_000))/100
	}
	for _, c := range []struct {
		name   string
		values []float64
	}{{"random", random}, {"decimal", decimal}} {
		run := func(name string, print func([]byte, float64) []byte) {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				out := make([]byte, 0, 64*1024)
				for b.Loop() {
					out = out[:0]
					for _, v := range c.values {
						out = print(out, v)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(c.values)), "ns/value")
			})
		}
		run("ours", Append64)
		run("decimals", DecimalsOf(c.values).Append)
		run("strconv", func(b []byte, v float64) []byte { return simple(b, v, 64) })
	}
}
