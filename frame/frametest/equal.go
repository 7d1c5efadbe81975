// Package frametest helps tests that have frames: equality that says what
// differs, golden files, and random frames.
package frametest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/plugboard/plugboard/frame"
)

// maxDiffs is how many differences Equal tells before it only counts.
const maxDiffs = 10

// Equal fails the test, with what differs, unless the frames hold the same:
// names, meta, fields, labels, configs and cells. NaN equals NaN; meta and
// configs are compared as JSON; an empty JSON cell equals null written out.
func Equal(t testing.TB, got, want *frame.Frame) {
	t.Helper()
	if diffs := Diff(got, want); len(diffs) > maxDiffs {
		t.Errorf("frames differ:\n\t%s\n\t… and %d more", strings.Join(diffs[:maxDiffs], "\n\t"), len(diffs)-maxDiffs)
	} else if len(diffs) > 0 {
		t.Errorf("frames differ:\n\t%s", strings.Join(diffs, "\n\t"))
	}
}

// Diff returns a line for each difference between the frames, none if they are
// equal.
func Diff(got, want *frame.Frame) []string {
	if got == nil || want == nil {
		if got == want {
			return nil
		}
		return []string{fmt.Sprintf("frame: got %v, want %v", got != nil, want != nil)}
	}
	var d diffs
	d.compare("name", fmt.Sprintf("%q", got.Name), fmt.Sprintf("%q", want.Name))
	d.compare("ref id", fmt.Sprintf("%q", got.RefID), fmt.Sprintf("%q", want.RefID))
	d.compare("meta", jsonOf(got.Meta), jsonOf(want.Meta))
	if len(got.Fields) != len(want.Fields) {
		return append(d, fmt.Sprintf("got %d fields, want %d", len(got.Fields), len(want.Fields)))
	}
	for i := range want.Fields {
		d.field(i, got.Fields[i], want.Fields[i])
	}
	return d
}

// diffs are the differences found so far.
type diffs []string

func (d *diffs) compare(what, got, want string) {
	if got != want {
		*d = append(*d, fmt.Sprintf("%s: got %s, want %s", what, got, want))
	}
}

func (d *diffs) field(i int, got, want *frame.Field) {
	what := fmt.Sprintf("field %d %q: ", i, want.Name)
	d.compare(what+"name", fmt.Sprintf("%q", got.Name), fmt.Sprintf("%q", want.Name))
	d.compare(what+"labels", jsonOf(got.Labels), jsonOf(want.Labels))
	d.compare(what+"config", jsonOf(got.Config), jsonOf(want.Config))
	d.compare(what+"error", fmt.Sprint(got.Err()), fmt.Sprint(want.Err()))
	if kindOf(got) != kindOf(want) || got.Len() != want.Len() {
		d.compare(what+"type", kindOf(got), kindOf(want))
		d.compare(what+"rows", fmt.Sprint(got.Len()), fmt.Sprint(want.Len()))
		return
	}
	d.compare(what+"nulls", fmt.Sprint(got.Nulls()), fmt.Sprint(want.Nulls()))
	for row := range want.Len() {
		if g, w := got.At(row), want.At(row); !sameCell(g, w) {
			d.compare(fmt.Sprintf("%srow %d", what, row), cellText(g), cellText(w))
		}
	}
}

// kindOf spells type and nullability: float64, or float64? if it is nullable.
func kindOf(f *frame.Field) string {
	if f.Nullable() {
		return f.Type().String() + "?"
	}
	return f.Type().String()
}

func sameCell(a, b any) bool {
	switch a := a.(type) {
	case float64:
		b, ok := b.(float64)
		return ok && (a == b || math.IsNaN(a) && math.IsNaN(b))
	case float32:
		b, ok := b.(float32)
		return ok && (a == b || a != a && b != b)
	case json.RawMessage:
		b, ok := b.(json.RawMessage)
		return ok && bytes.Equal(orNull(a), orNull(b))
	}
	return a == b
}

// orNull returns the JSON that an empty cell stands for.
func orNull(cell json.RawMessage) json.RawMessage {
	if len(cell) == 0 {
		return json.RawMessage("null")
	}
	return cell
}

func jsonOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
