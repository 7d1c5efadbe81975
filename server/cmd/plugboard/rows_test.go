package main

import (
	"strings"
	"testing"
)

// TestRowsGrow: a packet may be a frame, the data of the frame before, or
// anything else.
func TestRowsGrow(t *testing.T) {
	const schema = `"schema":{"fields":[{"name":"n","type":"number","typeInfo":{"frame":"float64"}},{"name":"s","type":"string","typeInfo":{"frame":"string"}}]}`
	packets := []string{
		`{` + schema + `,"data":{"values":[[1],["a"]]}}`,
		`{"data":{"values":[[1000,2],["b","c"]]}}`,
		`{` + schema + `,"data":{"values":[[3],["d\u001b[0m"]]}}`,
		`{"other":true}`,
	}
	for kind, want := range map[output]string{
		"table": "n  s\n1  a\n1000  b\n   2  c\n   3  d\\x1b[0m\n\npacket\n{\"other\":true}\n",
		"csv":   "n,s\r\n1,a\r\n1000,b\r\n2,c\r\n3,\"d\x1b[0m\"\r\npacket\r\n\"{\"\"other\"\":true}\"\r\n",
		"json":  strings.Join(packets, "\n") + "\n",
	} {
		var got strings.Builder
		r := &rows{output: kind, w: &got}
		for _, packet := range packets {
			if err := r.packet([]byte(packet)); err != nil {
				t.Fatal(err)
			}
		}
		if got.String() != want {
			t.Errorf("%s: got\n%q\nwant\n%q", kind, got.String(), want)
		}
	}
}
