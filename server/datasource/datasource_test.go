package datasource

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestSameJSON(t *testing.T) {
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{`{"a":1,"b":[true,null,"x"]}`, "{ \"b\": [true, null, \"x\"],\n\"a\": 1 }", true},
		{`{"a":1}`, `{"a":1.0}`, true},
		{`{"a":100}`, `{"a":1E+2}`, true},
		{`{"a":"\u0041"}`, `{"a":"A"}`, true},
		{`{"a":9007199254740993}`, `{"a":9007199254740992}`, false}, // the same float64
		{`{"a":0.1}`, `{"a":0.10000000000000000001}`, false},
		{`{"a":1e999999999}`, `{"a":10e999999998}`, false}, // too long to tell
		{`{"a":1e999999999}`, `{"a":1e999999999}`, true},
		{`{"a":1}`, `{"a":"1"}`, false},
		{`{"a":null}`, `{}`, false},
		{`{"a":false}`, `{"a":0}`, false},
		{`{"a":[1,2]}`, `{"a":[2,1]}`, false},
		{`{"a":[1]}`, `{"a":{"0":1}}`, false},
		{`{"a":1}`, `{"a":`, false},
	} {
		for _, pair := range [][2]string{{test.a, test.b}, {test.b, test.a}} {
			if same := sameJSON(json.RawMessage(pair[0]), json.RawMessage(pair[1])); same != test.same {
				t.Errorf("%s and %s: %v", pair[0], pair[1], same)
			}
		}
	}
}

func TestValidUID(t *testing.T) {
	for uid, want := range map[string]bool{
		"a": true, "Az_09-": true, strings.Repeat("x", 40): true,
		"": false, strings.Repeat("x", 41): false, "a b": false, "a/b": false, "ü": false, "a.b": false, "a@": false, "[": false, "`": false,
	} {
		if got := ValidUID(uid); got != want {
			t.Errorf("%q: %v", uid, got)
		}
	}
}

// However the JSON is written, storing it again changes nothing.
func FuzzRevise(f *testing.F) {
	for _, text := range []string{`{}`, `{"a":1.50}`, ` {"a":[1,{"b":"\u003c"}]} `, `{"a":1,"a":2}`, `{"a":-0.0e5}`, `null`, ``, `[`, `7`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		stored, err := DataSource{UID: "a", Name: "a", Type: "a", JSON: text}.Clean()
		if err != nil {
			return
		}
		again, changed, err := Revise(stored, DataSource{Name: "a", Type: "a", JSON: text, Access: "proxy"}, time.Now())
		if err != nil || changed {
			t.Errorf("%s stored as %s, then changed to %s: %v", text, stored.JSON, again.JSON, err)
		}
	})
}
