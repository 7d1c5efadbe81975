package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/server/access"
)

// This file is about plugins' processes, of which Grafana's API says nothing.

// logLineJSON is a line of a plugin's log.
type logLineJSON struct {
	Number  int64     `json:"number"`
	Time    time.Time `json:"time"`
	Level   string    `json:"level"`
	Message string    `json:"message"`
	Attrs   string    `json:"attrs"`
}

// defaultLines is how much of a log is shown to who does not say.
const defaultLines = 100

// pluginLogs answers GET /api/plugins/:id/logs with the last lines of the
// plugin's log, as many as the parameter lines says. With follow=1 the answer
// goes on with those to come, as server-sent events: a line each, its number as
// the id, so that a client that comes back misses none.
func (g *Gateway) pluginLogs(w http.ResponseWriter, r *http.Request) error {
	params := r.URL.Query()
	count := defaultLines
	if text := params.Get("lines"); text != "" {
		var err error
		if count, err = strconv.Atoi(text); err != nil || count < 0 {
			return badRequest("bad request data: lines is the number of lines, not %q", text)
		}
	}
	t, err := g.pluginTarget(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	follow := params.Get("follow") == "1"
	if follow && r.Method != http.MethodGet {
		return notFound("Not found") // HEAD would wait for an end that nobody sees
	}
	after, _ := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64) // a made-up one is none
	lines, more, err := g.host.Logs(t.PluginID, after)
	if err != nil {
		return t.failed(call{endpoint: "logs"}, err)
	}
	if follow {
		return g.followLogs(w, r, t, logPage{lines, count, after}, more)
	}
	lines = logPage{lines, count, after}.shown()
	answer, err := g.logJSON(r.Context(), t, lines)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, answer)
}

// logPage is the beginning of a log that somebody reads.
type logPage struct {
	lines []host.LogLine
	// count is how many of them are shown to who begins to read, which is who
	// has read up to line 0.
	count int
	after int64
}

func (p logPage) shown() []host.LogLine {
	if p.after != 0 {
		return p.lines
	}
	return p.lines[max(0, len(p.lines)-p.count):]
}

// last is the number of the last line, shown or not.
func (p logPage) last() int64 {
	if len(p.lines) == 0 {
		return p.after
	}
	return p.lines[len(p.lines)-1].Number
}

// followLogs writes lines as they come until the client or the server ends it,
// or the client is not allowed to read them any longer.
func (g *Gateway) followLogs(w http.ResponseWriter, r *http.Request, t target, page logPage, more <-chan struct{}) error {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(g.streaming, cancel)()
	events := startEvents(w)
	defer events.end()
	err := events.comment("following")
	lines, last := page.shown(), page.last()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for err == nil {
		if len(lines) > 0 {
			last = logPage{lines: lines}.last()
			if g.sendLines(ctx, events, t, lines) != nil {
				return nil // the client has gone away, or has been told
			}
		}
		select {
		case <-more:
			lines, more, err = g.host.Logs(t.PluginID, last)
		case <-beat.C:
			if lines, err = nil, g.stillAdmin(r); err != nil {
				_ = events.comment("ended: " + err.Error()) // the last word, heard or not
				return nil
			}
			err = events.comment("alive")
		case <-ctx.Done():
			return nil
		}
	}
	return nil // the client has gone away, or we have nothing more to tell
}

// stillAdmin asks again who made a request that goes on.
func (g *Gateway) stillAdmin(r *http.Request) error {
	user, err := g.guard.Identify(r)
	if unknown(err) {
		return err
	}
	if err == nil && !user.Role.Includes(access.Admin) {
		return errors.New("access denied")
	}
	return nil
}

func (g *Gateway) sendLines(ctx context.Context, events *events, t target, lines []host.LogLine) error {
	answer, err := g.logJSON(ctx, t, lines)
	if err != nil {
		return errors.Join(err, events.comment("ended: "+t.redact(err.Error())))
	}
	for _, line := range answer {
		text, err := json.Marshal(line)
		if err != nil {
			return err
		}
		if err := events.numbered(line.Number, text); err != nil {
			return err
		}
	}
	return nil
}

// logJSON is what the API tells of log lines: without the secrets of the plugin
// and of its data sources, which it may have logged.
func (g *Gateway) logJSON(ctx context.Context, t target, lines []host.LogLine) ([]logLineJSON, error) {
	secrets, err := g.pluginSecrets(ctx, t)
	if err != nil {
		return nil, err
	}
	answer := make([]logLineJSON, len(lines))
	for i, line := range lines {
		answer[i] = logLineJSON{
			Number: line.Number, Time: line.Time, Level: strings.ToLower(line.Level.String()),
			Message: redact(line.Message, secrets), Attrs: redact(line.Attrs, secrets),
		}
	}
	return answer, nil
}

// pluginSecrets returns the secrets that a plugin has been given.
func (g *Gateway) pluginSecrets(ctx context.Context, t target) ([]string, error) {
	secrets := t.secrets()
	sources, err := g.store.DataSources(ctx)
	if err != nil {
		return nil, storeFailure(err)
	}
	own, _ := g.host.Plugin(t.PluginID) // either id may be an alias
	for _, d := range sources {
		if p, ok := g.host.Plugin(d.Type); ok && p.Manifest.ID == own.Manifest.ID {
			for _, secret := range d.Secrets {
				secrets = append(secrets, secret)
			}
		}
	}
	return longestFirst(secrets), nil
}
