package main

import "testing"

func TestLastWords(t *testing.T) {
	for _, test := range []struct {
		name, want string
		stderr     []string
	}{
		{"nothing", "", nil},
		{"plain text", "good bye", []string{"hello", "good bye"}},
		{"what follows a panic is its stack", "panic: boom", []string{"panic: boom", "goroutine 1 [running]:"}},
		{"hclog, which is read", `cannot listen port=80 reason="it is taken"`,
			[]string{`{"@level":"error","@message":"cannot listen","@timestamp":"2026-11-22T00:00:00Z","reason":"it is taken","port":80}`, `{"@level":"debug","@message":"cleaning up"}`, `{"@level":"info","@message":"Plugin Request Completed"}`}},
		{"other JSON", `{"msg":"x"}`, []string{`{"msg":"x"}`}},
		{"half a line of JSON", `{"@message":"x`, []string{`{"@message":"x`}},
	} {
		if got := lastWords(test.stderr); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}
