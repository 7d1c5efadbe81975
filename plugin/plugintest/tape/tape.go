// Package tape records what a plugin under test says to a web API or a database,
// and answers from the recording afterwards, without either.
package tape

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Tape is a recording in a file: exchanges as JSON, in their order. It may be
// used from many goroutines.
type Tape struct {
	t      testing.TB
	path   string
	record bool
	hide   *strings.Replacer

	mu        sync.Mutex
	exchanges []*exchange
	played    map[*exchange]bool
}

// exchange is a question and its answer. A question is matched as text.
type exchange struct {
	Ask []string `json:"ask"` // lines
	// One of these is the answer.
	HTTP  *httpAnswer `json:"http,omitempty"`
	SQL   *sqlAnswer  `json:"sql,omitempty"`
	Error string      `json:"error,omitempty"`
}

// Open opens the recording at path to answer from it; or, if record is set, to
// be made anew and written when the test has ended. A test has a flag for that,
// such as -update.
//
// Request headers are not recorded. Of what is recorded, the values of headers,
// URL parameters and JSON keys that sound secret (password, token, key, cookie,
// …) are replaced by REDACTED, and so is each of the secrets wherever it occurs;
// questions are matched without them.
func Open(t testing.TB, path string, record bool, secrets ...string) *Tape {
	t.Helper()
	tape := &Tape{t: t, path: path, record: record, hide: hiding(secrets), played: map[*exchange]bool{}}
	if record {
		t.Cleanup(tape.write)
		return tape
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (record it first)", err)
	}
	if err := json.Unmarshal(text, &tape.exchanges); err != nil {
		t.Fatalf("recording %s: %v", path, err)
	}
	return tape
}

func hiding(secrets []string) *strings.Replacer {
	var pairs []string
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		quoted, _ := json.Marshal(secret) // a string always can be
		pairs = append(pairs, secret, redacted, strings.Trim(string(quoted), `"`), redacted)
	}
	return strings.NewReplacer(pairs...)
}

func (t *Tape) write() {
	t.mu.Lock()
	defer t.mu.Unlock()
	text, err := json.MarshalIndent(t.exchanges, "", "\t")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(t.path), 0o755)
	}
	if err == nil {
		err = os.WriteFile(t.path, append(text, '\n'), 0o644)
	}
	if err != nil {
		t.t.Errorf("write the recording: %v", err)
	}
}

func (t *Tape) add(e *exchange) *exchange {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, line := range e.Ask {
		e.Ask[i] = t.hide.Replace(line)
	}
	t.exchanges = append(t.exchanges, e)
	return e
}

// find returns the next exchange of this question, or the last one again when
// it is asked more often. A question that was never recorded fails the test.
func (t *Tape) find(ask []string) (*exchange, error) {
	for i, line := range ask {
		ask[i] = t.hide.Replace(line)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var found *exchange
	for _, e := range t.exchanges {
		if strings.Join(e.Ask, "\n") != strings.Join(ask, "\n") {
			continue
		}
		if found = e; !t.played[e] {
			t.played[e] = true
			break
		}
	}
	if found == nil {
		err := fmt.Errorf("recording %s has no answer to this; the nearest differs so (- recorded, + asked):\n%s", t.path, t.diff(ask))
		t.t.Error(err)
		return nil, err
	}
	return found, nil
}

// diff compares a question with the one that has most lines in common with it.
func (t *Tape) diff(ask []string) string {
	var nearest []string
	most := -1
	for _, e := range t.exchanges {
		if common := len(ask) - len(without(ask, e.Ask)); common > most {
			most, nearest = common, e.Ask
		}
	}
	var b strings.Builder
	gone, come := without(nearest, ask), without(ask, nearest)
	for _, line := range ask {
		if count(come, line) == 0 {
			fmt.Fprintf(&b, "  %s\n", line)
		}
	}
	for _, line := range gone {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	for _, line := range come {
		fmt.Fprintf(&b, "+ %s\n", line)
	}
	return b.String()
}

// without are the lines of a that b has fewer of.
func without(a, b []string) []string {
	var left []string
	for _, line := range a {
		if count(left, line) < count(a, line)-count(b, line) {
			left = append(left, line)
		}
	}
	return left
}

func count(lines []string, line string) int {
	n := 0
	for _, l := range lines {
		if l == line {
			n++
		}
	}
	return n
}
