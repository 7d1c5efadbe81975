package host

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/plugboard/plugboard/host/internal/tail"
)

// LogLine is what a plugin has logged, or the host about it.
type LogLine struct {
	// Number counts a plugin's lines, from 1, for as long as the host runs.
	Number int64
	Time   time.Time
	Level  slog.Level
	// Message is what happened, Attrs the pairs beside it, as key=value. They
	// are a plugin's words: they may hold secrets that it was given, and
	// characters that move a terminal's cursor.
	Message, Attrs string
}

// What is kept of each plugin's log.
const (
	keptLines = 1000
	keptBytes = 256 << 10
	// keptLine is how much of one line.
	keptLine = 4 << 10
)

// Logs returns what is kept of a plugin's log, oldest first, after the line
// with the number after: 0 is all of it, and so is a number that is yet to
// come. The channel is closed when there is more. Of what plugins log for
// debugging, or once per request, there is nothing unless Config.Logger takes
// that.
func (h *Host) Logs(id string, after int64) ([]LogLine, <-chan struct{}, error) {
	m, err := h.member(id)
	if err != nil {
		return nil, nil, err
	}
	lines, more := m.kept.Since(after)
	return lines, more, nil
}

func newLog() *tail.Tail[LogLine] { return tail.New(keptLines, keptBytes, LogLine.size) }

func (l LogLine) size() int { return len(l.Message) + len(l.Attrs) }

// cutText copies the beginning: a string that is kept must not hold on to a
// longer one.
func cutText(text string) string {
	if len(text) <= keptLine {
		return text
	}
	return strings.ToValidUTF8(text[:keptLine], "") + "…"
}

// tee hands log records on, and keeps them.
type tee struct {
	next  slog.Handler
	tail  *tail.Tail[LogLine]
	attrs slog.Handler // writes the pairs of the record at hand
	text  *attrText
}

// keeping returns a logger that logs to next and to tail.
func keeping(next *slog.Logger, tail *tail.Tail[LogLine]) *slog.Logger {
	text := &attrText{}
	return slog.New(&tee{next: next.Handler(), tail: tail, text: text, attrs: text.handler()})
}

func (t *tee) Enabled(context.Context, slog.Level) bool { return true }

func (t *tee) Handle(ctx context.Context, r slog.Record) error {
	line := LogLine{Time: r.Time, Level: r.Level, Message: cutText(r.Message), Attrs: cutText(t.text.of(ctx, t.attrs, r))}
	t.tail.Add(func(number int64) LogLine {
		line.Number = number
		return line
	})
	if !t.next.Enabled(ctx, r.Level) {
		return nil
	}
	return t.next.Handle(ctx, r)
}

func (t *tee) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &tee{next: t.next.WithAttrs(attrs), tail: t.tail, text: t.text, attrs: t.attrs.WithAttrs(attrs)}
}

func (t *tee) WithGroup(name string) slog.Handler {
	return &tee{next: t.next.WithGroup(name), tail: t.tail, text: t.text, attrs: t.attrs.WithGroup(name)}
}

// attrText writes the pairs of a record as text.
type attrText struct {
	mu     sync.Mutex
	buffer strings.Builder
}

// handler writes pairs only, and not whose log it is.
func (a *attrText) handler() slog.Handler {
	return slog.NewTextHandler(&a.buffer, &slog.HandlerOptions{ReplaceAttr: func(groups []string, attr slog.Attr) slog.Attr {
		switch attr.Key {
		case slog.TimeKey, slog.LevelKey, slog.MessageKey, keyPlugin:
			if len(groups) == 0 {
				return slog.Attr{}
			}
		}
		return attr
	}})
}

func (a *attrText) of(ctx context.Context, h slog.Handler, r slog.Record) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.buffer.Reset()
	_ = h.Handle(ctx, r) // a strings.Builder takes everything
	return strings.TrimSpace(a.buffer.String())
}
