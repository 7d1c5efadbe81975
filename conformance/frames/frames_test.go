package frames

import (
	"encoding/json"
	"fmt"
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

func TestRandom(t *testing.T) {
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 0))
			ours := frametest.Random(rng, rng.IntN(40))
			theirs, err := Twin(ours)
			if err != nil {
				t.Fatal(err)
			}
			same(t, ours, theirs)
		})
	}
}
