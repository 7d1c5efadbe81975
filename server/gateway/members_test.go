package gateway

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
)

func TestMembers(t *testing.T) {
	got := maps.Collect(members([]byte(` { "a" : 1 ,"b\n":"x,}\"]", "c":[{"d":[]} , "]"] ,"e":{},"":null}  `)))
	for key, want := range map[string]string{"a": "1", "b\n": `"x,}\"]"`, "c": `[{"d":[]} , "]"]`, "e": "{}", "": "null"} {
		if string(got[key]) != want {
			t.Errorf("member %q is %s, want %s", key, got[key], want)
		}
	}
	if len(got) != 5 {
		t.Errorf("%d members: %v", len(got), got)
	}
	for _, text := range []string{"", "[1]", `"a"`, "{}", "null"} {
		for key := range members([]byte(text)) {
			t.Errorf("%s has a member %q", text, key)
		}
	}
}

func TestElements(t *testing.T) {
	var got []string
	for e := range elements([]byte(` [ 1 ,"a,b" , [2,3],{"x":[4]},null ] `)) {
		got = append(got, string(e))
	}
	if want := []string{"1", `"a,b"`, "[2,3]", `{"x":[4]}`, "null"}; !slices.Equal(got, want) {
		t.Errorf("elements are %q, want %q", got, want)
	}
}

// FuzzMembers holds the walk to what Go's decoder reads.
func FuzzMembers(f *testing.F) {
	f.Add([]byte(`{"queries":[{"refId":"A","datasource":{"uid":"x"}}],"from":"now-1h"}`))
	f.Add([]byte(`[1, "\\\"", {"a":{}}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) {
			return
		}
		var object map[string]json.RawMessage
		if json.Unmarshal(text, &object) == nil && object != nil {
			got := maps.Collect(members(text))
			if !maps.EqualFunc(got, object, func(a []byte, b json.RawMessage) bool { return string(a) == string(b) }) {
				t.Errorf("members of %s: %s, want %s", text, got, object)
			}
		}
		var array []json.RawMessage
		if json.Unmarshal(text, &array) == nil && array != nil {
			got := slices.Collect(elements(text))
			if !slices.EqualFunc(got, array, func(a []byte, b json.RawMessage) bool { return string(a) == string(b) }) {
				t.Errorf("elements of %s: %s, want %s", text, got, array)
			}
		}
	})
}
