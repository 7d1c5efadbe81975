package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// event is one of server-sent events, or a comment between them. One with a name
// is not read: it is about the stream and not of it.
type event struct {
	id, data, comment []byte
	named             bool
}

// longestEvent bounds a line of server-sent events.
const longestEvent = 64 << 20

// readEvents reads server-sent events until they end or each returns an error.
// The event is each's only until it returns.
func readEvents(r io.Reader, each func(event) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestEvent)
	var e event
	for lines.Scan() {
		line := lines.Bytes()
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch {
		case len(line) == 0:
			if e.data != nil && !e.named {
				if err := each(e); err != nil {
					return err
				}
			}
			e = event{}
		case len(field) == 0:
			if err := each(event{comment: value}); err != nil {
				return err
			}
		case string(field) == "data":
			if e.data != nil {
				e.data = append(e.data, '\n')
			}
			e.data = append(e.data, value...)
			if e.data == nil {
				e.data = []byte{}
			}
		case string(field) == "event":
			e.named = true
		case string(field) == "id":
			e.id = bytes.Clone(value)
		}
	}
	return lines.Err()
}

const (
	// silence is how long a server may say nothing: it has a heartbeat of 15 s.
	silence = 50 * time.Second
	// firstRetry and lastRetry bound how long follow waits before it comes
	// back.
	firstRetry = 250 * time.Millisecond
	lastRetry  = 10 * time.Second
)

// errEnough ends a follow that has what it wanted.
var errEnough = errors.New("enough")

// follow hands each the data of server-sent events. When the connection breaks
// it comes back, as long as the server has answered once and refuses nothing.
// It ends without an error when ctx does, or each returns errEnough.
func (a *api) follow(ctx context.Context, path string, stderr io.Writer, each func(data []byte) error) error {
	l := listening{api: a, path: path, each: each}
	delay := firstRetry
	for {
		l.heard = false
		err := l.listen(ctx)
		switch {
		case ctx.Err() != nil, errors.Is(err, errEnough):
			return nil
		case !l.answered, l.failed, isMisuse(err):
			return err
		}
		if l.heard {
			delay = firstRetry
		}
		fmt.Fprintf(stderr, "plugboard: %v; trying again in %v\n", err, delay)
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return nil
		}
		delay = min(2*delay, lastRetry)
	}
}

func isMisuse(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && f.code == codeUsage
}

// listening is a follow and how it goes.
type listening struct {
	*api
	path string
	each func([]byte) error

	lastID   string
	answered bool // the server, once
	heard    bool // an event, on this connection
	failed   bool // each
}

// listen reads events until the connection ends, and says why.
func (l *listening) listen(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	quiet := time.AfterFunc(silence, func() { cancel(unavailable("%s has been silent for %v", l.base, silence)) })
	defer quiet.Stop()

	header := http.Header{"Accept": {"text/event-stream"}}
	if l.lastID != "" {
		header.Set("Last-Event-ID", l.lastID)
	}
	response, err := l.send(ctx, http.MethodGet, l.path, header, nil)
	if err != nil {
		return causeOr(ctx, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		answer, _ := io.ReadAll(io.LimitReader(response.Body, longestEvent)) // half an answer tells as much
		return refusal(response.StatusCode, answer)
	}
	l.answered = true
	reason := unavailable("the connection to %s has ended", l.base)
	err = readEvents(response.Body, func(e event) error {
		quiet.Reset(silence)
		if e.comment != nil {
			if why, ended := bytes.CutPrefix(e.comment, []byte("ended: ")); ended {
				reason = unavailable("the server has ended the stream: %s", printable(string(why)))
			}
			return nil
		}
		l.heard = true
		if err := l.each(e.data); err != nil {
			l.failed = true
			return err
		}
		if len(e.id) > 0 {
			l.lastID = string(e.id)
		}
		return nil
	})
	switch {
	case l.failed:
		return err
	case err != nil:
		return causeOr(ctx, unavailable("the connection to %s has broken: %w", l.base, err))
	}
	return reason
}

// causeOr returns why a context was cancelled, if it was, else err.
func causeOr(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
