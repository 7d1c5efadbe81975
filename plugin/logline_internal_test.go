package plugin

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/netip"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/hashicorp/go-hclog"
)

// TestLineAsHclog: the same line, byte for byte.
func TestLineAsHclog(t *testing.T) {
	at := time.Date(2026, 11, 22, 9, 20, 20, 32199000, time.FixedZone("", 3600))
	for _, test := range []struct {
		level slog.Level
		want  hclog.Level
	}{
		{slog.LevelDebug - 4, hclog.Trace}, {slog.LevelDebug, hclog.Debug}, {slog.LevelInfo, hclog.Info},
		{slog.LevelWarn, hclog.Warn}, {slog.LevelError + 4, hclog.Error},
	} {
		pairs := []any{
			"text", "<a> & \"b\"\n\xff", "int", -1, "uint", uint64(math.MaxUint64), "float", 1e21, "yes", true, "none", nil,
			"error", errors.New("no answer"), "address", netip.MustParseAddr("::1"), "took", time.Second, "at", at,
			"bytes", []byte("abc"), "list", []string{"a"}, "map", map[string]int{"b": 1, "a": 2}, "text", "again",
		}
		var theirs, ours bytes.Buffer
		hclog.New(&hclog.LoggerOptions{
			Output: &theirs, JSONFormat: true, Level: hclog.Trace, TimeFn: func() time.Time { return at },
		}).With("before", 1).Log(test.want, "said", pairs...)

		r := slog.NewRecord(at, test.level, "said", 0)
		r.Add(pairs...)
		h := newLineHandler(&ours, math.MinInt).WithAttrs([]slog.Attr{slog.Int("before", 1)})
		if err := h.Handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if ours.String() != theirs.String() {
			t.Errorf("got  %swant %s", ours.String(), theirs.String())
		}
	}
}

// TestLineOfAnything: a line is not lost for a value that JSON has no form for,
// nor can one take the place of what hosts read.
func TestLineOfAnything(t *testing.T) {
	var out bytes.Buffer
	slog.New(newLineHandler(&out, slog.LevelDebug)).Info("said",
		"nan", math.NaN(), "complex", complex(1, 2), "@message", "other", "@level", 7)
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"nan": "NaN", "complex": "(1+2i)", "@message": "said", "@level": "info"} {
		if line[key] != want {
			t.Errorf("%s is %v", key, line[key])
		}
	}
}

// TestLineHandler holds the handler to slog's rules, but that groups are
// prefixes of keys.
func TestLineHandler(t *testing.T) {
	var out bytes.Buffer
	err := slogtest.TestHandler(newLineHandler(&out, slog.LevelDebug), func() []map[string]any {
		var lines []map[string]any
		for line := range bytes.Lines(out.Bytes()) {
			var flat map[string]any
			if err := json.Unmarshal(line, &flat); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, grouped(flat))
		}
		return lines
	})
	if err != nil {
		t.Error(err)
	}
}

func grouped(flat map[string]any) map[string]any {
	names := map[string]string{lineLevel: slog.LevelKey, lineMessage: slog.MessageKey, lineTime: slog.TimeKey}
	tree := map[string]any{}
	for key, value := range flat {
		if name, ok := names[key]; ok {
			key = name
		}
		at, path := tree, strings.Split(key, ".")
		for _, group := range path[:len(path)-1] {
			if at[group] == nil {
				at[group] = map[string]any{}
			}
			at = at[group].(map[string]any)
		}
		at[path[len(path)-1]] = value
	}
	return tree
}

func TestLogLevel(t *testing.T) {
	for text, want := range map[string]slog.Level{
		"": slog.LevelDebug, "nonsense": slog.LevelDebug, " Trace ": math.MinInt, "debug": slog.LevelDebug,
		"info": slog.LevelInfo, "WARN": slog.LevelWarn, "error": slog.LevelError, "off": math.MaxInt,
	} {
		t.Setenv(levelVariable, text)
		if got := logLevel(); got != want {
			t.Errorf("%q is %d", text, got)
		}
	}
}
