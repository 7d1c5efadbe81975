package framejson_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framejson"
)

// written is the JSON of frames whose form the official SDK has shown.
var written = []struct {
	name  string
	frame *frame.Frame
	json  string
}{{
	"nanos, entities, labels, nulls and meta",
	&frame.Frame{
		Name: "n", RefID: "A",
		Meta: &frame.Meta{Type: frame.TypeTimeSeriesMulti, TypeVersion: [2]uint{0, 1}, ExecutedQueryString: "select <1>"},
		Fields: []*frame.Field{
			frame.NewField("t", nil, []time.Time{time.Unix(0, 1704164645678901234), time.UnixMilli(1704164645678)}),
			frame.NewField("f", frame.Labels{"b": "2", "a": "1"}, []float64{math.NaN(), math.Inf(-1)}),
			frame.NewNullableField("g", nil, []*float32{nil, new(float32(1.1))}),
		},
	},
	`{"schema":{"name":"n","refId":"A","meta":{"type":"timeseries-multi","typeVersion":[0,1],"executedQueryString":"select \u003c1\u003e"},"fields":[{"name":"t","type":"time","typeInfo":{"frame":"time.Time"}},{"name":"f","type":"number","typeInfo":{"frame":"float64"},"labels":{"a":"1","b":"2"}},{"name":"g","type":"number","typeInfo":{"frame":"float32","nullable":true}}]},"data":{"values":[[1704164645678,1704164645678],[null,null],[null,1.1]],"entities":[null,{"NaN":[0],"NegInf":[1]},null],"nanos":[[901234,0],null,null]}}`,
}, {
	"integers, JSON, enums",
	frame.New("",
		frame.NewField("i", nil, []int64{math.MaxInt64, -1}),
		frame.NewField("u", nil, []uint64{math.MaxUint64, 0}),
		frame.NewField("j", nil, []json.RawMessage{json.RawMessage(`{"a": [1, 2]}`), nil}),
		with(frame.NewField("e", nil, []frame.Enum{1, 0}),
			frame.Config{Type: &frame.TypeConfig{Enum: &frame.EnumConfig{Text: []string{"off", "on"}}}}),
		frame.NewField("x", nil, []uint8{1, 255}),
	),
	`{"schema":{"fields":[{"name":"i","type":"number","typeInfo":{"frame":"int64"}},{"name":"u","type":"number","typeInfo":{"frame":"uint64"}},{"name":"j","type":"other","typeInfo":{"frame":"json.RawMessage"}},{"name":"e","type":"enum","typeInfo":{"frame":"enum"},"config":{"type":{"enum":{"text":["off","on"]}}}},{"name":"x","type":"number","typeInfo":{"frame":"uint8"}}]},"data":{"values":[[9223372036854775807,-1],[18446744073709551615,0],[{"a": [1, 2]},null],[1,0],[1,255]]}}`,
}, {
	"no fields",
	&frame.Frame{},
	`{"schema":{"fields":[]},"data":{"values":[]}}`,
}, {
	"no rows",
	frame.New("z", frame.NewFieldOf("s", nil, frame.String, false), frame.NewFieldOf("b", nil, frame.Bool, true)),
	`{"schema":{"name":"z","fields":[{"name":"s","type":"string","typeInfo":{"frame":"string"}},{"name":"b","type":"boolean","typeInfo":{"frame":"bool","nullable":true}}]},"data":{"values":[[],[]]}}`,
}, {
	"config and meta",
	&frame.Frame{
		Name: "c",
		Meta: &frame.Meta{
			Custom:        map[string]int{"k": 1},
			Stats:         []frame.Stat{{Config: frame.Config{DisplayName: "rows"}, Value: 3}},
			Notices:       []frame.Notice{{Severity: frame.Warning, Text: "w"}},
			Visualization: "logs",
		},
		Fields: []*frame.Field{with(frame.NewField("v", nil, []float64{1e21, 1e-7, 0.1, 100}), frame.Config{
			DisplayName: "D", Filterable: new(false), Unit: "s", Decimals: new(uint16(2)),
			Min: new(frame.Float(1.5)), Max: new(frame.Float(math.Inf(1))), Interval: 15000,
			Mappings: frame.ValueMappings{frame.ValueMap{"1": {Text: "one"}}},
			Thresholds: &frame.Thresholds{Mode: frame.Absolute, Steps: []frame.Threshold{
				{Value: frame.Float(math.Inf(-1)), Color: "green"}, {Value: 80, Color: "red"},
			}},
			Links: []frame.DataLink{{Title: "x", URL: "http://a"}},
		}), frame.NewField("s", nil, []string{"<a&b>", "\u2028é", "q\"\\\n", "\xff"})},
	},
	`{"schema":{"name":"c","meta":{"typeVersion":[0,0],"custom":{"k":1},"stats":[{"displayName":"rows","value":3}],"notices":[{"severity":"warning","text":"w"}],"preferredVisualisationType":"logs"},"fields":[{"name":"v","type":"number","typeInfo":{"frame":"float64"},"config":{"displayName":"D","filterable":false,"unit":"s","decimals":2,"min":1.5,"max":null,"interval":15000,"mappings":[{"type":"value","options":{"1":{"text":"one"}}}],"thresholds":{"mode":"absolute","steps":[{"value":null,"color":"green"},{"value":80,"color":"red"}]},"links":[{"title":"x","url":"http://a"}]}},{"name":"s","type":"string","typeInfo":{"frame":"string"}}]},"data":{"values":[[1e+21,1e-07,0.1,100],["\u003ca\u0026b\u003e","\u2028é","q\"\\\n","\ufffd"]]}}`,
}, {
	"before 1970",
	frame.New("",
		frame.NewField("t", nil, []time.Time{time.Unix(0, -1), time.Unix(-2, 1)}),
		frame.NewNullableField("u", nil, []*uint64{nil, new(uint64(1 << 63))}),
	),
	`{"schema":{"fields":[{"name":"t","type":"time","typeInfo":{"frame":"time.Time"}},{"name":"u","type":"number","typeInfo":{"frame":"uint64","nullable":true}}]},"data":{"values":[[-1,-2000],[null,9223372036854775808]],"nanos":[[999999,1],null]}}`,
}}

// with gives the field a config.
func with(f *frame.Field, c frame.Config) *frame.Field {
	f.Config = &c
	return f
}

func TestAppend(t *testing.T) {
	for _, c := range written {
		got, err := framejson.Append([]byte("before "), c.frame, framejson.IncludeAll)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if string(got) != "before "+c.json {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.json)
		}
		schema, _ := framejson.Append(nil, c.frame, framejson.IncludeSchemaOnly)
		data, _ := framejson.Append(nil, c.frame, framejson.IncludeDataOnly)
		if joined := strings.TrimSuffix(string(schema), "}") + "," + strings.TrimPrefix(string(data), "{"); joined != c.json {
			t.Errorf("%s: the parts are\n%s\n%s", c.name, schema, data)
		}
	}
}

func TestUnmarshalWhatWasWritten(t *testing.T) {
	for _, c := range written {
		f, err := framejson.Unmarshal([]byte(c.json))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got, err := framejson.Append(nil, f, framejson.IncludeAll)
		// A null max is no max, and what replaced bad UTF-8 is a character.
		want := strings.NewReplacer(`,"max":null`, "", `\ufffd`, "\ufffd").Replace(c.json)
		if err != nil || string(got) != want {
			t.Errorf("%s: %v\n got %s\nwant %s", c.name, err, got, want)
		}
	}
}
