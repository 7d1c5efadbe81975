package prometheus

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// matrix is the answer of so many series of so many points.
func matrix(series, points int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"status":"success","data":{"resultType":"matrix","result":[`)
	for s := range series {
		if s > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"metric":{"__name__":"http_requests_total","instance":"host-%d:9090","job":"api"},"values":[`, s)
		for p := range points {
			if p > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `[%d,"%v"]`, 1700000000+15*p, float64(s)+float64(p)/3)
		}
		b.WriteString("]}")
	}
	b.WriteString("]}}")
	return b.Bytes()
}

// simple is the answer of a matrix as encoding/json reads it: what the decoder
// is compared with.
type simple struct {
	Data struct {
		Result []struct {
			Metric map[string]string   `json:"metric"`
			Values [][]json.RawMessage `json:"values"`
		} `json:"result"`
	} `json:"data"`
}

func (m simple) columns(i int) (times []int64, values []float64, err error) {
	for _, pair := range m.Data.Result[i].Values {
		at, err := strconv.ParseFloat(string(pair[0]), 64)
		if err != nil {
			return nil, nil, err
		}
		value, err := strconv.ParseFloat(strings.Trim(string(pair[1]), `"`), 64)
		if err != nil {
			return nil, nil, err
		}
		times, values = append(times, int64(math.Round(at*1e3))), append(values, value)
	}
	return times, values, nil
}

func TestAgainstEncodingJSON(t *testing.T) {
	text := matrix(3, 1000)
	a, err := readAnswer(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var want simple
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	for i := range want.Data.Result {
		times, values, err := want.columns(i)
		if err != nil {
			t.Fatal(err)
		}
		got := a.series[i]
		if fmt.Sprint(got.labels, got.times, got.values) != fmt.Sprint(want.Data.Result[i].Metric, times, values) {
			t.Errorf("series %d differs", i)
		}
	}
}

func TestDecimalMillis(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1700000000": 1700000000000, "1700000000.123": 1700000000123, "1.1": 1100, "1699999999.9999": 1699999999999,
	} {
		if got, ok := decimalMillis([]byte(text)); !ok || got != want {
			t.Errorf("%s is %d, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "-1", "1e9", "12345678901", ".5"} {
		if got, ok := decimalMillis([]byte(text)); ok {
			t.Errorf("%s is %d", text, got)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := readAnswer(bytes.NewReader(text))
		if err != nil {
			return
		}
		for _, format := range []string{"", "table"} {
			q := &question{model: model{Format: format}, expr: "x", step: 1e9}
			for _, frame := range q.frames(t.Context(), a) {
				if err := frame.Validate(); err != nil && !strings.Contains(err.Error(), "out of range") {
					t.Errorf("%s: %v", text, err)
				}
			}
			sample(a.exemplars, q)
		}
	})
}

func BenchmarkMatrix(b *testing.B) {
	text := matrix(100, 1000)
	b.Run("decoder", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := readAnswer(bytes.NewReader(text)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			var m simple
			if err := json.Unmarshal(text, &m); err != nil {
				b.Fatal(err)
			}
			for i := range m.Data.Result {
				if _, _, err := m.columns(i); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
