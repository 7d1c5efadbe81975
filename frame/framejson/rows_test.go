package framejson_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framejson"
	"github.com/plugboard/plugboard/frame/frametest"
)

// TestWriteRows reads each line of random frames, and compares it with the row.
func TestWriteRows(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 11))
		f := frametest.Random(rng, rng.IntN(70))
		var out bytes.Buffer
		if err := framejson.WriteRows(&out, f); err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(out.String(), "\n")
		if len(lines) != f.Rows()+1 || lines[f.Rows()] != "" {
			t.Fatalf("%d lines for %d rows", len(lines)-1, f.Rows())
		}
		for row, line := range lines[:f.Rows()] {
			var got map[string]json.RawMessage
			if err := json.Unmarshal([]byte(line), &got); err != nil || len(got) != len(f.Fields) {
				t.Fatalf("%s: %d keys, %v", line, len(got), err)
			}
			for i, heading := range f.Headings() {
				if got, want := canonical(t, got[heading]), canonical(t, rowJSON(t, f.Fields[i], row)); got != want {
					t.Fatalf("%v: %s, want %s", f.Fields[i].Type(), got, want)
				}
			}
		}
	}
}

// TestUnmarshalData sends a frame in chunks, the schema only with the first, and
// joins them.
func TestUnmarshalData(t *testing.T) {
	f := frametest.Random(rand.New(rand.NewPCG(1, 12)), 50)
	encode := func(f *frame.Frame, include framejson.Include) []byte {
		b, err := framejson.Append(nil, f, include)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	all, err := framejson.Unmarshal(encode(f.SliceRows(0, 20), framejson.IncludeAll))
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []int{20, 43, 50} {
		more, err := framejson.UnmarshalData(encode(f.SliceRows(all.Rows(), to), framejson.IncludeDataOnly), all)
		if err == nil {
			err = all.AppendRows(more)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if got, want := encode(all, framejson.IncludeDataOnly), encode(f, framejson.IncludeDataOnly); !bytes.Equal(got, want) {
		t.Errorf(" got %s\nwant %s", got, want)
	}
	for input, want := range map[string]string{
		`{"schema":{}}`:         `unexpected key "schema"`,
		`{"data":{},"data":{}}`: `unexpected key "data"`,
		`{} x`:                  "'x' after the end",
	} {
		if _, err := framejson.UnmarshalData([]byte(input), all); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", input, err)
		}
	}
}

// FuzzUnmarshalData changes chunks of JSON that come after a schema: of every
// type, or of few. What is read can be written, and reads the same again.
func FuzzUnmarshalData(f *testing.F) {
	all := frametest.Random(rand.New(rand.NewPCG(1, 13)), 3)
	few := frame.New("", frame.NewNullableField("t", nil, []*time.Time{new(time.Unix(1, 5)), nil}), frame.NewField("v", nil, []float64{1.5, math.NaN()}))
	for _, like := range []*frame.Frame{all, few} {
		b, err := framejson.Append(nil, like, framejson.IncludeDataOnly)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(like == all, b)
	}
	f.Fuzz(func(t *testing.T, every bool, b []byte) {
		like := few
		if every {
			like = all
		}
		got, err := framejson.UnmarshalData(b, like)
		if err != nil {
			return
		}
		out, err := framejson.Append(nil, got, framejson.IncludeDataOnly)
		if err != nil {
			t.Fatalf("%s\nis read and not written: %v", b, err)
		}
		again, err := framejson.UnmarshalData(out, like)
		if err != nil {
			t.Fatalf("%s\nis written and not read: %v", out, err)
		}
		frametest.Equal(t, again, got)
	})
}

// rowJSON is what a cell should read as.
func rowJSON(t *testing.T, f *frame.Field, row int) []byte {
	v := f.At(row)
	switch c := v.(type) {
	case float64:
		if c-c != 0 {
			v = nil
		}
	case float32:
		if c-c != 0 {
			v = nil
		}
	case json.RawMessage:
		if len(c) == 0 {
			v = nil
		}
	case frame.Enum:
		if f.Config != nil && f.Config.Type != nil && f.Config.Type.Enum != nil && int(c) < len(f.Config.Type.Enum.Text) {
			v = f.Config.Type.Enum.Text[c]
		}
	case time.Time:
		v = c.Format(time.RFC3339Nano)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func canonical(t *testing.T, b []byte) string {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%q: %v", b, err)
	}
	if n, ok := v.(json.Number); ok {
		return strings.Replace(strings.Replace(n.String(), "e-0", "e-", 1), "e+0", "e+", 1)
	}
	out, _ := json.Marshal(v)
	return string(out)
}

func ExampleWriteRows() {
	noon := time.Date(2024, 6, 1, 12, 0, 0, 0, time.UTC)
	f := frame.New("weather",
		frame.NewField("time", nil, []time.Time{noon, noon.Add(1500 * time.Millisecond)}),
		frame.NewField("temperature", frame.Labels{"city": "Oslo"}, []float64{17.5, math.NaN()}),
		frame.NewNullableField("sky", nil, []*string{new("clear"), nil}),
	)
	if err := framejson.WriteRows(os.Stdout, f); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {"time":"2024-06-01T12:00:00Z","temperature{city=\"Oslo\"}":17.5,"sky":"clear"}
	// {"time":"2024-06-01T12:00:01.5Z","temperature{city=\"Oslo\"}":null,"sky":null}
}
