package frames

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
)

// officialDiff returns how an official frame differs from the one that was
// written. (The SDK's own options for cmp panic at an empty JSON cell.)
func officialDiff(got, want *data.Frame) string {
	if g, w := jsonOf(got.Meta), jsonOf(want.Meta); g != w {
		return fmt.Sprintf("meta %s, want %s", g, w)
	}
	if got.Name != want.Name || got.RefID != want.RefID || len(got.Fields) != len(want.Fields) {
		return fmt.Sprintf("%q, %q, %d fields; want %q, %q, %d", got.Name, got.RefID, len(got.Fields), want.Name, want.RefID, len(want.Fields))
	}
	for i := range want.Fields {
		if diff := officialFieldDiff(got.Fields[i], want.Fields[i]); diff != "" {
			return fmt.Sprintf("field %d: %s", i, diff)
		}
	}
	return ""
}

func officialFieldDiff(got, want *data.Field) string {
	if got.Name != want.Name || got.Type() != want.Type() || got.Len() != want.Len() {
		return fmt.Sprintf("%q of %d %v; want %q of %d %v", got.Name, got.Len(), got.Type(), want.Name, want.Len(), want.Type())
	}
	if (got.Labels == nil) != (want.Labels == nil) || !maps.Equal(got.Labels, want.Labels) {
		return fmt.Sprintf("labels %v, want %v", got.Labels, want.Labels)
	}
	if g, w := jsonOf(got.Config), jsonOf(throughJSON(want.Config)); g != w {
		return fmt.Sprintf("config %s, want %s", g, w)
	}
	for row := range want.Len() {
		g, gotOne := got.ConcreteAt(row)
		w, wantOne := want.ConcreteAt(row)
		if gotOne != wantOne || !sameCell(g, w) {
			return fmt.Sprintf("row %d: %v (%v), want %v (%v)", row, g, gotOne, w, wantOne)
		}
	}
	return ""
}

func sameCell(a, b any) bool {
	switch a := a.(type) {
	case float64:
		b := b.(float64)
		return a == b || a != a && b != b
	case float32:
		b := b.(float32)
		return a == b || a != a && b != b
	case time.Time:
		return a.Equal(b.(time.Time))
	case json.RawMessage:
		return bytes.Equal(a, b.(json.RawMessage))
	}
	return a == b
}

// throughJSON returns what reading a config back makes of it: a limit that is
// NaN is lost.
func throughJSON(c *data.FieldConfig) *data.FieldConfig {
	var again *data.FieldConfig
	if err := hand(c, &again); err != nil {
		panic(err)
	}
	return again
}

func jsonOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
