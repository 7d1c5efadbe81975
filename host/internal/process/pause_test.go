package process

import (
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// chatter is a pipe that a line comes through every millisecond, for a while.
type chatter struct {
	began time.Time
	sent  int
	reads int
}

const chatterLines = 200

func (c *chatter) Read(p []byte) (int, error) {
	c.reads++
	if c.sent == chatterLines {
		return 0, io.EOF
	}
	time.Sleep(time.Until(c.began.Add(time.Duration(c.sent+1) * time.Millisecond))) // until there is something
	n := 0
	for ; c.sent < min(chatterLines, int(time.Since(c.began)/time.Millisecond)); c.sent++ {
		n += copy(p[n:], `{"@level":"info","@message":"Plugin Request Completed"}`+"\n")
	}
	return n, nil
}

// TestPause: lines that nobody wants are read several at a time.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &chatter{began: time.Now()}
		newLog(slog.New(slog.DiscardHandler), "chatty", false).read(c)
		if c.sent != chatterLines || c.reads > chatterLines/4 {
			t.Errorf("%d lines in %d reads", c.sent, c.reads)
		}
	})
}

// TestPauseBetween: what comes after such lines is passed on, and in order.
func TestPauseBetween(t *testing.T) {
	var out strings.Builder
	logger := slog.New(slog.NewTextHandler(&out, nil))
	lines := `{"@level":"debug","@message":"nobody wants this"}
{"@level":"error","@message":"first"}
{"@level":"info","@message":"Plugin Request Completed"}
panic: second
`
	newLog(logger, "chatty", false).read(strings.NewReader(lines))
	first, second := strings.Index(out.String(), "first"), strings.Index(out.String(), "second")
	if first < 0 || second < first || strings.Contains(out.String(), "nobody") {
		t.Errorf("the log is\n%s", out.String())
	}
}
