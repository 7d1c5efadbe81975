package frames

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framejson"
	"github.com/plugboard/plugboard/frame/frametest"
)

// same checks that both libraries make the same of the same frame: each reads
// what the other wrote in Arrow, and both write the same JSON and read it.
func same(t *testing.T, ours *frame.Frame, theirs *data.Frame) {
	t.Helper()
	ourArrow, err := ours.MarshalArrow()
	if err != nil {
		t.Fatal(err)
	}
	theirArrow, err := theirs.MarshalArrow()
	if err != nil {
		t.Fatal(err)
	}
	ourJSON, err := framejson.Append(nil, ours, framejson.IncludeAll)
	if err != nil {
		t.Fatal(err)
	}
	theirJSON, err := data.FrameToJSON(theirs, data.IncludeAll)
	if err != nil {
		t.Fatal(err)
	}

	if string(ourJSON) != string(theirJSON) {
		t.Errorf("JSON:\n  ours %s\ntheirs %s", ourJSON, theirJSON)
	}
	if diff := fileDiff(ourArrow, theirArrow); diff != "" {
		t.Errorf("Arrow: %s", diff)
	}
	if decoded, err := data.UnmarshalArrowFrame(ourArrow); err != nil {
		t.Errorf("the official SDK does not read our Arrow: %v", err)
	} else if diff := officialDiff(decoded, theirs); diff != "" {
		t.Errorf("the official SDK reads our Arrow otherwise: %s", diff)
	}
	if decoded, err := frame.UnmarshalArrow(theirArrow); err != nil {
		t.Errorf("we do not read the official Arrow: %v", err)
	} else {
		equal(t, decoded, ours)
	}
	sameFromJSON(t, ours, ourJSON)
}

// sameFromJSON checks that both libraries read the JSON as they read each
// other's Arrow. It is the same JSON whoever wrote it.
func sameFromJSON(t *testing.T, ours *frame.Frame, b []byte) {
	t.Helper()
	decoded, err := framejson.Unmarshal(b)
	if err != nil {
		t.Errorf("we do not read the official JSON: %v", err)
		return
	}
	again, err := framejson.Append(nil, decoded, framejson.IncludeAll)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.NewReplacer(`,"max":null`, "", `\ufffd`, "\ufffd").Replace(string(b)); string(again) != want {
		t.Errorf("JSON, read and written:\n got %s\nwant %s", again, want)
	}
}

// equal compares what we decoded with what was encoded. A limit of null is no
// limit for either side, and nil is how a null JSON cell comes back.
func equal(t *testing.T, got, want *frame.Frame) {
	t.Helper()
	decoded := *want
	decoded.Fields = nil
	for _, f := range want.Fields {
		if c := f.Config; c != nil {
			again := new(frame.Config)
			if err := hand(c, again); err != nil {
				t.Fatal(err)
			}
			copied := *f
			copied.Config = again
			f = &copied
		}
		decoded.Fields = append(decoded.Fields, f)
	}
	frametest.Equal(t, got, &decoded)
}

// pair is one frame built through both libraries.
type pair struct {
	ours   *frame.Frame
	theirs *data.Frame
}

var zone = time.FixedZone("somewhere", 5*3600)

var pairs = map[string]pair{
	"nothing":   {&frame.Frame{}, &data.Frame{}},
	"no fields": {frame.New("<n>"), data.NewFrame("<n>")},
	"no rows": {
		frame.New("z", frame.NewField("s", nil, []string{}), frame.NewNullableField("b", nil, []*bool{})),
		data.NewFrame("z", data.NewField("s", nil, []string{}), data.NewField("b", nil, []*bool{})),
	},
	"times": {
		frame.New("", frame.NewField("t", nil, []time.Time{
			time.Unix(0, 1704164645678901234), time.Unix(0, -1), time.Unix(-2, 1), time.Unix(0, math.MinInt64), time.Unix(0, math.MaxInt64),
			time.Date(2024, 2, 29, 1, 2, 3, 4, zone),
		})),
		data.NewFrame("", data.NewField("t", nil, []time.Time{
			time.Unix(0, 1704164645678901234), time.Unix(0, -1), time.Unix(-2, 1), time.Unix(0, math.MinInt64), time.Unix(0, math.MaxInt64),
			time.Date(2024, 2, 29, 1, 2, 3, 4, zone),
		})),
	},
	"floats": {
		frame.New("",
			frame.NewField("d", nil, []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e21, 1e-7, -1e-6, 999999999999999900000, 5e-324, math.MaxFloat64, math.Copysign(0, -1)}),
			frame.NewNullableField("f", nil, []*float32{nil, new(float32(math.NaN())), new(float32(1.1)), new(float32(1e-6)), new(float32(1e21)), new(float32(3e38)), nil, nil, nil, new(float32(math.Inf(-1)))}),
		),
		data.NewFrame("",
			data.NewField("d", nil, []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e21, 1e-7, -1e-6, 999999999999999900000, 5e-324, math.MaxFloat64, math.Copysign(0, -1)}),
			data.NewField("f", nil, []*float32{nil, new(float32(math.NaN())), new(float32(1.1)), new(float32(1e-6)), new(float32(1e21)), new(float32(3e38)), nil, nil, nil, new(float32(math.Inf(-1)))}),
		),
	},
	"integers": {
		frame.New("", frame.NewField("i", nil, []int64{math.MinInt64, math.MaxInt64}), frame.NewNullableField("u", nil, []*uint64{nil, new(uint64(math.MaxUint64))})),
		data.NewFrame("", data.NewField("i", nil, []int64{math.MinInt64, math.MaxInt64}), data.NewField("u", nil, []*uint64{nil, new(uint64(math.MaxUint64))})),
	},
	"text": {
		frame.New("\"<é>\u2028\n\x01", frame.NewField("<&>", frame.Labels{"<b>": "\u2029", "a": "\"\t"}, []string{"<a&b>", "\u2028\u2029é🌟", "q\"\\\n\r\t\b\f\x00\x1f\x7f", "\xff\xc0 bad", ""})),
		data.NewFrame("\"<é>\u2028\n\x01", data.NewField("<&>", data.Labels{"<b>": "\u2029", "a": "\"\t"}, []string{"<a&b>", "\u2028\u2029é🌟", "q\"\\\n\r\t\b\f\x00\x1f\x7f", "\xff\xc0 bad", ""})),
	},
	"labels": {
		frame.New("", frame.NewField("a", frame.Labels{}, []int8{1}), frame.NewField("b", frame.Labels{"z": "1", "a": "2"}, []int8{1})),
		data.NewFrame("", data.NewField("a", data.Labels{}, []int8{1}), data.NewField("b", data.Labels{"z": "1", "a": "2"}, []int8{1})),
	},
	"JSON": {
		frame.New("", frame.NewField("j", nil, []json.RawMessage{json.RawMessage(`{"a": [1, 2]}`), nil, json.RawMessage(`"<x>"`), json.RawMessage(``), json.RawMessage("[1,\n2]"), json.RawMessage("{bad"), json.RawMessage(`null`)})),
		data.NewFrame("", data.NewField("j", nil, []json.RawMessage{json.RawMessage(`{"a": [1, 2]}`), nil, json.RawMessage(`"<x>"`), json.RawMessage(``), json.RawMessage("[1,\n2]"), json.RawMessage("{bad"), json.RawMessage(`null`)})),
	},
	"meta": {
		&frame.Frame{Name: "m", RefID: "A", Meta: ourMeta},
		&data.Frame{Name: "m", RefID: "A", Meta: theirMeta},
	},
	"config": {
		frame.New("c", with(frame.NewField("e", nil, []frame.Enum{1, 0}), ourConfig)),
		data.NewFrame("c", data.NewField("e", nil, []data.EnumItemIndex{1, 0}).SetConfig(theirConfig)),
	},
}

func with(f *frame.Field, c *frame.Config) *frame.Field {
	f.Config = c
	return f
}

func TestPairs(t *testing.T) {
	for name, p := range pairs {
		t.Run(name, func(t *testing.T) { same(t, p.ours, p.theirs) })
	}
}

var (
	cases = flag.Uint64("cases", 3000, "how many random frames TestRandom compares")
	first = flag.Uint64("first", 0, "the seed of the first of them")
)

// TestRandom compares random frames of every type. Each subtest is named after
// its seed: -run 'TestRandom/1234$' makes one again, and -first goes on where
// nobody has looked yet.
func TestRandom(t *testing.T) {
	for seed := *first; seed < *first+*cases; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 0))
			ours := frametest.Random(rng, rng.IntN(40))
			theirs, err := Twin(ours)
			if err != nil {
				t.Fatal(err)
			}
			same(t, ours, theirs)
			sameStream(t, rng, ours, theirs)
			theyReadJSON(t, ours)
		})
	}
}

// sameStream checks that each side reads the stream of record batches that the
// other wrote. (The official SDK has no streams; arrow-go has.)
func sameStream(t *testing.T, rng *rand.Rand, ours *frame.Frame, theirs *data.Frame) {
	t.Helper()
	var stream bytes.Buffer
	w := frame.NewStreamWriter(&stream)
	for from := 0; from == 0 || from < ours.Rows(); {
		to := min(from+1+rng.IntN(20), ours.Rows())
		if err := w.Write(ours.SliceRows(from, to)); err != nil {
			t.Fatal(err)
		}
		if from = to; from == 0 {
			break
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	file, again, err := throughArrowGo(stream.Bytes())
	if err != nil {
		t.Errorf("arrow-go does not read our stream: %v", err)
		return
	}
	if decoded, err := data.UnmarshalArrowFrame(file); err != nil {
		t.Errorf("the official SDK does not read the file of our stream: %v", err)
	} else if diff := officialDiff(decoded, theirs); diff != "" {
		t.Errorf("the official SDK reads our stream otherwise: %s", diff)
	}
	decoded, err := frame.UnmarshalArrow(file)
	if err != nil {
		t.Errorf("we do not read the record batches of arrow-go's file: %v", err)
		return
	}
	equal(t, decoded, ours)
	r, err := frame.NewStreamReader(bytes.NewReader(again))
	if err != nil {
		t.Errorf("we do not read arrow-go's stream: %v", err)
		return
	}
	whole := r.Schema().SliceRows(0, 0)
	for part, err := r.Next(); err != io.EOF; part, err = r.Next() {
		if err == nil {
			err = whole.AppendRows(part)
		}
		if err != nil {
			t.Errorf("we do not read arrow-go's stream: %v", err)
			return
		}
	}
	equal(t, whole, ours)
}

// theyReadJSON checks what the official SDK makes of our JSON. Its reader takes
// the first column through float64, so that is one of small numbers here; and
// what is null in a JSON cell is a null like any other for both readers.
func theyReadJSON(t *testing.T, ours *frame.Frame) {
	t.Helper()
	rows := make([]int64, ours.Rows())
	for i := range rows {
		rows[i] = int64(i)
	}
	numbered := *ours
	numbered.Fields = []*frame.Field{frame.NewField("row", nil, rows)}
	for _, f := range ours.Fields {
		if f.Type() == frame.JSON {
			f = withNulls(f)
		}
		numbered.Fields = append(numbered.Fields, f)
	}
	want, err := Twin(&numbered)
	if err != nil {
		t.Fatal(err)
	}
	text, err := framejson.Append(nil, &numbered, framejson.IncludeAll)
	if err != nil {
		t.Fatal(err)
	}
	got := new(data.Frame)
	if err := json.Unmarshal(text, got); err != nil {
		t.Errorf("the official SDK does not read our JSON: %v\n%s", err, text)
	} else if diff := officialDiff(got, want); diff != "" {
		t.Errorf("the official SDK reads our JSON otherwise: %s", diff)
	}
}

// withNulls returns a field of JSON in which nothing, and null, are nulls, or
// nothing if there are none.
func withNulls(f *frame.Field) *frame.Field {
	out := frame.NewFieldOf(f.Name, f.Labels, frame.JSON, f.Nullable())
	out.Config = f.Config
	for i := range f.Len() {
		switch cell, _ := frame.Value[json.RawMessage](f, i); {
		case len(cell) > 0 && string(cell) != "null":
			frame.Append(out, cell)
		case f.Nullable():
			out.AppendNull()
		default:
			frame.Append(out, json.RawMessage(nil))
		}
	}
	return out
}
