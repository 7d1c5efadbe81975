package host

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/host/internal/gate"
	"github.com/plugboard/plugboard/plugin"
)

// Limits bound what calls may take. Zero values stand for the defaults,
// negative ones for no limit.
type Limits struct {
	// Time is how long a request for queries or a health check may take, until
	// its answer is there. The plugin learns of it as a deadline. Of a chunked
	// answer, it is how long the host may wait for the plugin, all in all; who
	// reads slowly does not use it up. Default: 5 minutes.
	Time time.Duration
	// Bytes is how large the answer of a plugin to one request for queries may
	// be. Of a larger one nothing is received, of a chunked one what comes
	// before; that is never in memory whole. Default: 256 MiB.
	Bytes int64
	// Rows is how many rows the answer to one query may have, in all its
	// frames. Default: no limit.
	Rows int64
	// Calls is how many requests for queries and resources a plugin is asked at
	// once, default 256; CallsPerDataSource how many of them for one data
	// source, default 128. The others wait, at most Waiting of them, default
	// 1000: those of one data source in turn with those of the others. More,
	// and those that have waited for Config.Wait, are refused with ErrBusy.
	Calls, CallsPerDataSource, Waiting int
}

func (l Limits) withDefaults() Limits {
	return Limits{
		Time:               cmp.Or(l.Time, 5*time.Minute),
		Bytes:              cmp.Or(l.Bytes, 256<<20),
		Rows:               cmp.Or(l.Rows, -1),
		Calls:              cmp.Or(l.Calls, 256),
		CallsPerDataSource: cmp.Or(l.CallsPerDataSource, 128),
		Waiting:            cmp.Or(l.Waiting, 1000),
	}
}

func (l Limits) gate(wait time.Duration) gate.Limits {
	return gate.Limits{
		All: orNone(l.Calls), PerKey: orNone(l.CallsPerDataSource), Waiting: orNone(l.Waiting),
		Wait: wait,
	}
}

func orNone(limit int) int {
	if limit < 0 {
		return math.MaxInt
	}
	return limit
}

// maxAnswer is how long a message may be: gRPC knows none longer than an int32.
func (l Limits) maxAnswer() int {
	if l.Bytes < 0 || l.Bytes > math.MaxInt32 {
		return math.MaxInt32
	}
	return int(l.Bytes)
}

// errTime is the cause of the end of a context that the limit has ended.
var errTime = errors.New("the limit of time")

func (l Limits) time(ctx context.Context) (context.Context, context.CancelFunc) {
	if l.Time < 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, l.Time, errTime)
}

// clockSkew is how far apart the same deadline may pass here and in a plugin.
const clockSkew = 100 * time.Millisecond

// explain says of a call that the limit of time has ended that it has, and of
// one that its own deadline has ended, the same: a plugin whose timer is a
// moment ahead of ours tells of it in its own words.
func (l Limits) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	late := strings.Contains(err.Error(), context.DeadlineExceeded.Error())
	if deadline, ok := ctx.Deadline(); ok && late && time.Until(deadline) < clockSkew {
		<-ctx.Done()
	}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errTime):
		return l.stopped(http.StatusGatewayTimeout, "stopped after %v, because a request may take no longer", l.Time)
	case cause != nil && late:
		return cause
	}
	return err
}

// stopped is an answer that is ended at a limit.
func (l Limits) stopped(status int, format string, args ...any) *plugin.Error {
	return &plugin.Error{Message: fmt.Sprintf(format, args...), Source: plugin.SourceDownstream, Status: status}
}

// clock is the limit of time of an answer in chunks: of the time that the host
// waits for the plugin.
type clock struct {
	cancel context.CancelCauseFunc
	timer  *time.Timer // nil if there is no limit
	left   time.Duration
	since  time.Time // it runs
}

// clock starts one. The context ends with the clock's time, or when it is ended.
func (l Limits) clock(ctx context.Context) (context.Context, *clock) {
	ctx, cancel := context.WithCancelCause(ctx)
	c := &clock{cancel: cancel, left: l.Time, since: time.Now()}
	if l.Time >= 0 {
		c.timer = time.AfterFunc(l.Time, func() { cancel(errTime) })
	}
	return ctx, c
}

func (c *clock) end() {
	if c.timer != nil {
		c.timer.Stop()
	}
	c.cancel(nil)
}

// pausing returns a send during which the clock stands still.
func (c *clock) pausing(send func(plugin.Chunk) error) func(plugin.Chunk) error {
	if c.timer == nil {
		return send
	}
	return func(chunk plugin.Chunk) error {
		c.timer.Stop()
		c.left -= time.Since(c.since)
		defer func() {
			c.since = time.Now()
			c.timer.Reset(max(0, c.left))
		}()
		return send(chunk)
	}
}

// check puts an error in the place of answers that have too many rows.
func (l Limits) check(answer *plugin.QueryResponse) {
	if l.Rows < 0 {
		return
	}
	for refID, r := range answer.Responses {
		var rows int64
		for _, f := range r.Frames {
			rows += rowsOf(f, r.Format)
		}
		if rows > l.Rows {
			e := l.tooManyRows(rows)
			answer.Responses[refID] = plugin.Response{Error: e.Message, ErrorSource: e.Source, Status: e.Status, Format: r.Format}
		}
	}
}

func (l Limits) tooManyRows(rows int64) *plugin.Error {
	return l.stopped(http.StatusRequestEntityTooLarge, "stopped at %d rows, because the answer to a query may have %d: ask for a shorter time or fewer series", rows, l.Rows)
}

// rowsOf counts the rows of a frame as it came. What cannot be read has none:
// whoever reads it will say so.
func rowsOf(encoded []byte, format plugin.Format) (rows int64) {
	if format == plugin.FormatJSON {
		return rowsOfJSON(encoded)
	}
	batches, err := frame.UnmarshalBatches(encoded)
	if err != nil {
		return 0
	}
	for _, batch := range batches {
		rows += int64(batch.Rows())
	}
	return rows
}

// rowsOfJSON does without the schema, which chunks but the first lack.
func rowsOfJSON(encoded []byte) int64 {
	var f struct {
		Data struct{ Values []json.RawMessage }
	}
	var first []json.RawMessage
	if json.Unmarshal(encoded, &f) != nil || len(f.Data.Values) == 0 || json.Unmarshal(f.Data.Values[0], &first) != nil {
		return 0
	}
	return int64(len(first))
}

// counting returns a send that fails when the chunks of an answer have become
// too many.
func (l Limits) counting(send func(plugin.Chunk) error) func(plugin.Chunk) error {
	var bytes int64
	rows := map[string]int64{}
	return func(c plugin.Chunk) error {
		bytes += int64(len(c.Frame))
		if l.Bytes >= 0 && bytes > l.Bytes {
			return l.stopped(http.StatusRequestEntityTooLarge, "stopped at %d bytes, because the answer to a request may have %d: ask for less", bytes, l.Bytes)
		}
		if l.Rows >= 0 {
			rows[c.RefID] += rowsOf(c.Frame, c.Format)
			if rows[c.RefID] > l.Rows {
				return l.tooManyRows(rows[c.RefID])
			}
		}
		return send(c)
	}
}

// turn is a call's time inside the plugin's gate and within the limit of time.
type turn struct {
	m      *member
	key    string
	cancel context.CancelFunc
	inside bool
}

// enter waits for a call's turn. Its context ends with the limit of time, or
// when the turn is left for the last time.
func (h *Host) enter(ctx context.Context, m *member, c plugin.Context) (context.Context, *turn, error) {
	t, err := h.takeTurn(ctx, m, c)
	if err != nil {
		return nil, nil, err
	}
	ctx, t.cancel = h.config.Limits.time(ctx)
	return ctx, t, nil
}

// takeTurn is enter without the limit of time.
func (h *Host) takeTurn(ctx context.Context, m *member, c plugin.Context) (*turn, error) {
	t := &turn{m: m, key: uidOf(c), inside: true, cancel: func() {}}
	if err := m.gate.Enter(ctx, t.key); err != nil {
		return nil, m.busy(err)
	}
	return t, nil
}

// answered lets the next call in: what follows concerns the host only.
func (t *turn) answered() {
	if t.inside {
		t.inside = false
		t.m.gate.Leave(t.key)
	}
}

func (t *turn) leave() {
	t.answered()
	t.cancel()
}

// uidOf is what calls take turns by.
func uidOf(c plugin.Context) string {
	if c.DataSource == nil {
		return ""
	}
	return c.DataSource.UID
}

// busy says why a call was not let in.
func (m *member) busy(err error) error {
	if errors.Is(err, gate.ErrFull) {
		return fmt.Errorf("%w: %s: %w: try again later, or raise its limits", ErrBusy, m.id, err)
	}
	return err
}
