package host

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
)

func TestLogTailKeepsTheLastLines(t *testing.T) {
	var tail logTail
	for range keptLines + 5 {
		tail.add(LogLine{Message: "x"})
	}
	lines, _ := tail.since(0)
	if len(lines) != keptLines || lines[0].Number != 6 || lines[keptLines-1].Number != keptLines+5 {
		t.Errorf("%d lines from %d", len(lines), lines[0].Number)
	}
	for _, test := range []struct{ after, first, count int64 }{
		{keptLines + 4, keptLines + 5, 1}, {2, 6, keptLines}, {keptLines + 5, 0, 0}, {keptLines + 6, 6, keptLines}, {-1, 6, keptLines},
	} {
		lines, _ := tail.since(test.after)
		if int64(len(lines)) != test.count || test.count > 0 && lines[0].Number != test.first {
			t.Errorf("after %d: %d lines", test.after, len(lines))
		}
	}
}

func TestLogTailIsBounded(t *testing.T) {
	var tail logTail
	for range 200 {
		tail.add(LogLine{Message: strings.Repeat("é", keptLine), Attrs: strings.Repeat("a", 10*keptLine)})
	}
	lines, _ := tail.since(0)
	if tail.bytes > keptBytes || len(lines) == 0 {
		t.Errorf("%d lines of %d bytes", len(lines), tail.bytes)
	}
	if last := lines[len(lines)-1]; len(last.Message) > keptLine+len("…") || !strings.HasSuffix(last.Attrs, "a…") {
		t.Errorf("a line has %d and %d bytes", len(last.Message), len(last.Attrs))
	}
}

func TestLogTailTellsOfMore(t *testing.T) {
	var tail logTail
	_, more := tail.since(0)
	select {
	case <-more:
		t.Fatal("there is no more")
	default:
	}
	tail.add(LogLine{Message: "x"})
	<-more
	if lines, _ := tail.since(0); len(lines) != 1 {
		t.Errorf("%v", lines)
	}
}

// What the operator's logger leaves out is kept all the same.
func TestKeepingLogger(t *testing.T) {
	var tail logTail
	var seen strings.Builder
	logger := keeping(slog.New(slog.NewTextHandler(&seen, nil)), &tail).With(keyPlugin, "p", "stream", "stderr")
	logger.Debug("quiet")
	logger.WithGroup("g").Warn("two words", "error", errors.New("no disk"), "n", 1)
	lines, _ := tail.since(0)
	if len(lines) != 2 || lines[0].Message != "quiet" || lines[0].Attrs != "stream=stderr" ||
		lines[1].Level != slog.LevelWarn || lines[1].Attrs != `stream=stderr g.error="no disk" g.n=1` || lines[1].Time.IsZero() {
		t.Errorf("kept %+v", lines)
	}
	if strings.Contains(seen.String(), "quiet") || !strings.Contains(seen.String(), `plugin=p stream=stderr g.error="no disk"`) {
		t.Errorf("logged %s", seen.String())
	}
}

func BenchmarkKeptLine(b *testing.B) {
	logger := keeping(slog.New(slog.NewTextHandler(io.Discard, nil)), &logTail{}).With(keyPlugin, "p")
	b.ReportAllocs()
	for b.Loop() {
		logger.LogAttrs(context.Background(), slog.LevelDebug, "a line", slog.String("key", "value"))
	}
}
