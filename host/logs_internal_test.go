package host

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
)

func TestLogIsBounded(t *testing.T) {
	kept := newLog()
	logger := keeping(slog.New(slog.DiscardHandler), kept)
	for range 200 {
		logger.Info(strings.Repeat("é", keptLine), "a", strings.Repeat("a", 10*keptLine))
	}
	lines, _ := kept.Since(0)
	bytes := 0
	for _, line := range lines {
		bytes += line.size()
	}
	if bytes > keptBytes || len(lines) == 0 {
		t.Errorf("%d lines of %d bytes", len(lines), bytes)
	}
	if last := lines[len(lines)-1]; last.Number != 200 || len(last.Message) > keptLine+len("…") || !strings.HasSuffix(last.Attrs, "a…") {
		t.Errorf("line %d has %d and %d bytes", last.Number, len(last.Message), len(last.Attrs))
	}
}

// What the operator's logger leaves out is kept all the same.
func TestKeepingLogger(t *testing.T) {
	kept := newLog()
	var seen strings.Builder
	logger := keeping(slog.New(slog.NewTextHandler(&seen, nil)), kept).With(keyPlugin, "p", "stream", "stderr")
	logger.Debug("quiet")
	logger.WithGroup("g").Warn("two words", "error", errors.New("no disk"), "n", 1)
	lines, _ := kept.Since(0)
	if len(lines) != 2 || lines[0].Message != "quiet" || lines[0].Attrs != "stream=stderr" ||
		lines[1].Level != slog.LevelWarn || lines[1].Attrs != `stream=stderr g.error="no disk" g.n=1` || lines[1].Time.IsZero() {
		t.Errorf("kept %+v", lines)
	}
	if strings.Contains(seen.String(), "quiet") || !strings.Contains(seen.String(), `plugin=p stream=stderr g.error="no disk"`) {
		t.Errorf("logged %s", seen.String())
	}
}

func BenchmarkKeptLine(b *testing.B) {
	logger := keeping(slog.New(slog.NewTextHandler(io.Discard, nil)), newLog()).With(keyPlugin, "p")
	b.ReportAllocs()
	for b.Loop() {
		logger.LogAttrs(context.Background(), slog.LevelDebug, "a line", slog.String("key", "value"))
	}
}
