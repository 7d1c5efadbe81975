package framejson_test

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framejson"
	"github.com/plugboard/plugboard/frame/frametest"
)

// oneField is a frame with a field of that typeInfo and data.
func oneField(typeInfo, data string) string {
	return `{"schema":{"fields":[{"name":"x","typeInfo":` + typeInfo + `}]},"data":` + data + `}`
}

func TestUnmarshal(t *testing.T) {
	for _, c := range []struct{ name, typeInfo, data, want string }{
		{"null where none may be is zero", `{"frame":"int8"}`, `{"values":[[1,null]]}`, "1 0"},
		{"null in a nullable field", `{"frame":"int8","nullable":true}`, `{"values":[[1,null]]}`, "1 null"},
		{"a type spelled as pointer", `{"frame":"*float64"}`, `{"values":[[null]]}`, "null"},
		{"other spellings: int", `{"frame":"int"}`, `{"values":[[-9223372036854775808]]}`, "-9223372036854775808"},
		{"double", `{"frame":"double"}`, `{"values":[[0.1, -0, 1E+2, 0.1e-5]]}`, "0.1 -0 100 1e-06"},
		{"boolean", `{"frame":"boolean"}`, `{"values":[[true , false,null]]}`, "true false false"},
		{"time", `{"frame":"time"}`, `{"values":[[-1]]}`, "1969-12-31T23:59:59.999Z"},
		{"json", `{"frame":"json"}`, `{"values":[[{"a": [1]},null," \"x"]]}`, `json {"a": [1]} json null json " \"x"`},
		{"quoted integers", `{"frame":"uint64"}`, `{"values":[["18446744073709551615"]]}`, "18446744073709551615"},
		{"whole numbers with exponent or fraction", `{"frame":"int16"}`, `{"values":[[1e3,-2.0]]}`, "1000 -2"},
		{"nanos before values", `{"frame":"time.Time"}`, `{"nanos":[[5,6]],"values":[[0,1]]}`, "1970-01-01T00:00:00.000000005Z 1970-01-01T00:00:00.001000006Z"},
		{"nanos of fewer rows", `{"frame":"time.Time"}`, `{"values":[[0,1]],"nanos":[[5]]}`, "1970-01-01T00:00:00.000000005Z 1970-01-01T00:00:00.001Z"},
		{"entities", `{"frame":"float32","nullable":true}`, `{"values":[[null,null,null,null]],"entities":[{"NaN":[0],"Inf":[1],"NegInf":[2]}]}`, "NaN +Inf -Inf null"},
		{"escapes", `{"frame":"string"}`, `{"values":[["\u003c\/\b\f\n\r\t\\\"\u00e9","\ud83c\udf1f","\ud83c","\ud83cx"]]}`, "\"</\\b\\f\\n\\r\\t\\\\\\\"é\" \"🌟\" \"\ufffd\" \"\ufffdx\""},
		{"bad UTF-8", `{"frame":"string"}`, "{\"values\":[[\"a\xffb\"]]}", "\"a\ufffdb\""},
		{"white space", ` { "frame" : "int8" } `, " {\n\t\"values\" : [ [ 1 ,\r 2 ] ] } ", "1 2"},
		{"a key with escapes", `{"frame":"float64"}`, `{"values":[[null]],"\u0065ntities":[{"Inf":[0]}]}`, "+Inf"},
		{"no values", `{"frame":"int8"}`, `{}`, ""},
		{"no columns", `{"frame":"int8"}`, `{"values":[]}`, ""},
	} {
		f, err := framejson.Unmarshal([]byte(oneField(c.typeInfo, c.data)))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		lines := strings.Split(strings.TrimSpace(frametest.Text(f)), "\n")
		if got := strings.Join(lines[2:], " "); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	for input, want := range map[string]string{
		``:                                   "unexpected end",
		`null`:                               `'n' where '{' is expected`,
		`{}`:                                 "no schema",
		`{"schema":{}} x`:                    "'x' after the end",
		`{"schema":{"fields":[]}`:            "unexpected end",
		`{"schema":{},"schema":{}}`:          `unexpected key "schema"`,
		`{"schema":[]}`:                      "schema: json: cannot unmarshal array",
		`{"data":{}}`:                        "data without a schema before it",
		`{"schema":{},"frames":1}`:           `unexpected key "frames"`,
		`{"schema":{"fields":[{}]}}`:         `typeInfo.frame "" is no type`,
		oneField(`{"frame":"int9"}`, `{}`):   `field "x": typeInfo.frame "int9" is no type`,
		`{"schema":{},"data":{"factors":1}}`: `data: unexpected key "factors"`,

		oneField(`{"frame":"int8"}`, `{"values":[[1]],"values":[[1]]}`):                                                     `key "values" twice`,
		oneField(`{"frame":"int8"}`, `{"values":[[1],[2]]}`):                                                                "more columns than the schema's 1 fields",
		oneField(`{"frame":"int8"}`, `{"values":[[1,-129]]}`):                                                               `field "x": row 1: "-129" is out of range`,
		oneField(`{"frame":"uint64"}`, `{"values":[[-1]]}`):                                                                 `field "x": row 0: "-1" is not such a number`,
		oneField(`{"frame":"int8"}`, `{"values":[[1.5]]}`):                                                                  `"1.5" is not an integer`,
		oneField(`{"frame":"int64"}`, `{"values":[[1e300]]}`):                                                               `"1e300" is not an integer`,
		oneField(`{"frame":"int64"}`, `{"values":[["x"]]}`):                                                                 `"x" is not such a number`,
		oneField(`{"frame":"int64"}`, `{"values":[[01]]}`):                                                                  `'1' where ',' is expected`,
		oneField(`{"frame":"float64"}`, `{"values":[[1e999]]}`):                                                             `"1e999" is out of range`,
		oneField(`{"frame":"float32"}`, `{"values":[[1e39]]}`):                                                              `"1e39" is out of range`,
		oneField(`{"frame":"float64"}`, `{"values":[[.5]]}`):                                                                `"." where a number is expected`,
		oneField(`{"frame":"float64"}`, `{"values":[[1.]]}`):                                                                `"1.]" where a number is expected`,
		oneField(`{"frame":"float64"}`, `{"values":[[+1]]}`):                                                                `"+" where a number is expected`,
		oneField(`{"frame":"float64"}`, `{"values":[["1"]]}`):                                                               `"\"" where a number is expected`,
		oneField(`{"frame":"bool"}`, `{"values":[[1]]}`):                                                                    `field "x": row 0: neither true nor false`,
		oneField(`{"frame":"string"}`, `{"values":[[1]]}`):                                                                  `'1' where '"' is expected`,
		oneField(`{"frame":"string"}`, `{"values":[["\x"]]}`):                                                               "bad escape",
		oneField(`{"frame":"string"}`, "{\"values\":[[\"a\nb\"]]}"):                                                         `control character '\n'`,
		oneField(`{"frame":"json"}`, `{"values":[[{"a"}]]}`):                                                                "not valid JSON",
		oneField(`{"frame":"time"}`, `{"values":[[32503680000000]]}`):                                                       `field "x": row 0: time 3000-01-01T00:00:00Z is outside`,
		oneField(`{"frame":"time"}`, `{"values":[[0]],"nanos":[[1,2]]}`):                                                    "2 nanos for 1 rows",
		oneField(`{"frame":"int8"}`, `{"values":[[0]],"nanos":[[1]]}`):                                                      "nanos in a field of int8",
		oneField(`{"frame":"int8"}`, `{"values":[[0]],"entities":[{"NaN":[0]}]}`):                                           "entities in a field of int8",
		oneField(`{"frame":"float64"}`, `{"values":[[1]],"entities":[{"NaN":[0]}]}`):                                        "an entity where there is a number",
		oneField(`{"frame":"float64"}`, `{"values":[[1]],"entities":[{"NaN":[-1]}]}`):                                       "an entity in row -1",
		oneField(`{"frame":"float64"}`, `{"values":[[1]],"entities":[{"NaN":[1]}]}`):                                        "an entity in row 1, behind the last",
		oneField(`{"frame":"float64"}`, `{"values":[[1]],"entities":[null,null]}`):                                          "entities of 2 fields",
		`{"schema":{"fields":[{"typeInfo":{"frame":"int8"}},{"typeInfo":{"frame":"int8"}}]},"data":{"values":[[1]]}}`:       "1 columns for the schema's 2 fields",
		`{"schema":{"fields":[{"typeInfo":{"frame":"int8"}},{"typeInfo":{"frame":"int8"}}]},"data":{"values":[[1],[1,2]]}}`: `field "" has 2 rows, the first field 1`,
	} {
		f, err := framejson.Unmarshal([]byte(input))
		if err == nil || f != nil || !strings.HasPrefix(err.Error(), "frame in JSON: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n got %v\nwant %s", input, err, want)
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	f := frame.New("f", frame.NewField("a", nil, []int8{1}), frame.NewField("b", nil, []int8{}))
	before := []byte("before")
	got, err := framejson.Append(before, f, framejson.IncludeAll)
	if err == nil || string(got) != "before" || !strings.Contains(err.Error(), `field "b" has 0 rows`) {
		t.Errorf("got %s, %v", got, err)
	}
	f = frame.New("f")
	f.Meta = &frame.Meta{Custom: func() {}}
	if _, err := framejson.Append(nil, f, framejson.IncludeAll); err == nil || !strings.Contains(err.Error(), `frame "f": meta: json: unsupported type`) {
		t.Errorf("got %v", err)
	}
}

// TestAppendAllocates holds Append to two allocations for any number of rows:
// what it notes about columns. (Configs and labels cost more. The check of JSON
// cells draws on a pool, which the race detector empties.)
func TestAppendAllocates(t *testing.T) {
	f := bare(1000)
	f.Fields = slices.DeleteFunc(f.Fields, func(f *frame.Field) bool { return f.Type() == frame.JSON })
	out, err := framejson.Append(nil, f, framejson.IncludeAll)
	if err != nil {
		t.Fatal(err)
	}
	allocs := testing.AllocsPerRun(20, func() {
		out, err = framejson.Append(out[:0], f, framejson.IncludeAll)
	})
	if allocs > 2 || err != nil {
		t.Errorf("%v allocations, %v", allocs, err)
	}
}

// bare returns a random frame without what is marshalled by encoding/json.
func bare(rows int) *frame.Frame {
	f := frametest.Random(rand.New(rand.NewPCG(1, 8)), rows)
	f.Meta = nil
	for _, field := range f.Fields {
		field.Labels, field.Config = nil, nil
	}
	return f
}

// FuzzUnmarshal changes JSON. What is read can be written, and reads the same
// again; and memory stays in proportion.
func FuzzUnmarshal(f *testing.F) {
	for _, c := range written {
		f.Add([]byte(c.json))
	}
	for seed := range uint64(3) {
		b, err := framejson.Append(nil, frametest.Random(rand.New(rand.NewPCG(seed, 9)), int(seed)*3), framejson.IncludeAll)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got, err := framejson.Unmarshal(b)
		if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > uint64(500*len(b)+1<<20) {
			t.Errorf("%d bytes allocated to read %d", after.TotalAlloc-before.TotalAlloc, len(b))
		}
		if err != nil {
			return
		}
		out, err := framejson.Append(nil, got, framejson.IncludeAll)
		if err != nil {
			t.Fatalf("%s\nis read and not written: %v", b, err)
		}
		again, err := framejson.Unmarshal(out)
		if err != nil {
			t.Fatalf("%s\nis written and not read: %v", out, err)
		}
		frametest.Equal(t, again, got)
	})
}

func BenchmarkAppend(b *testing.B) {
	f := bare(1000)
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if out, err = framejson.Append(out[:0], f, framejson.IncludeAll); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(out)))
}

func BenchmarkUnmarshal(b *testing.B) {
	text, err := framejson.Append(nil, bare(1000), framejson.IncludeAll)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := framejson.Unmarshal(text); err != nil {
			b.Fatal(err)
		}
	}
}
