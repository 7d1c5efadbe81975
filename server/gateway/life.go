package gateway

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/plugboard/plugboard/host"
)

// order is what an operator tells a plugin's process to do.
type order struct {
	call
	done string
	give func(Host, context.Context, string) error
}

var (
	startPlugin   = order{call{"start", "Failed to start the plugin", ""}, "Plugin started", Host.Start}
	stopPlugin    = order{call{"stop", "Failed to stop the plugin", ""}, "Plugin stopped", Host.Stop}
	restartPlugin = order{call{"restart", "Failed to restart the plugin", ""}, "Plugin restarted", Host.Restart}
)

// order answers POST /api/plugins/:id/start, stop and restart when that is
// done, with how the process is then, or with why it does not start.
func (g *Gateway) order(o order) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		t, err := g.pluginTarget(r, r.PathValue("id"))
		if err != nil {
			return err
		}
		start := time.Now()
		err = o.give(g.host, r.Context(), t.PluginID)
		g.observe(o.call, t, start, err)
		if err != nil {
			return t.failed(o.call, err)
		}
		p, err := g.plugin(t.PluginID)
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, struct {
			Message string      `json:"message"`
			Process processJSON `json:"process"`
		}{o.done, processOf(p)})
	}
}

// processOf tells how a plugin's process is.
func processOf(p host.Plugin) processJSON {
	process := processJSON{
		State: p.State, PID: p.PID, Since: orNil(p.Since), NextStart: orNil(p.NextStart),
		Restarts: p.Restarts, LastError: p.LastError, Calls: p.Calls, Waiting: p.Waiting, Streams: p.Streams, Address: p.Address,
	}
	for _, tier := range p.Sandbox {
		process.Level = cmp.Or(p.Policy.Level, "default")
		process.Sandbox = append(process.Sandbox, tierJSON(tier))
	}
	return process
}

func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// eventJSON is an event of a plugin's life.
type eventJSON struct {
	Number int64      `json:"number"`
	Time   time.Time  `json:"time"`
	State  host.State `json:"state"`
	PID    int        `json:"pid,omitempty"`
	Reason string     `json:"reason"`
	Exit   *exitJSON  `json:"exit,omitempty"`
}

// exitJSON says how a process has ended.
type exitJSON struct {
	Code        int      `json:"code"`
	Signal      string   `json:"signal,omitempty"`
	OutOfMemory bool     `json:"outOfMemory"`
	PeakRSS     int64    `json:"peakRssBytes,omitempty"`
	Stderr      []string `json:"stderr"`
}

// pluginEvents answers GET /api/plugins/:id/events with the plugin's life, as
// far as it is kept; with after=N, with what came after event N.
func (g *Gateway) pluginEvents(w http.ResponseWriter, r *http.Request) error {
	var after int64
	if text := r.URL.Query().Get("after"); text != "" {
		var err error
		if after, err = strconv.ParseInt(text, 10, 64); err != nil {
			return badRequest("bad request data: after is the number of an event, not %q", text)
		}
	}
	t, err := g.pluginTarget(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	events, _, err := g.host.Events(t.PluginID, after)
	if err != nil {
		return t.failed(call{endpoint: "events"}, err)
	}
	secrets, err := g.pluginSecrets(r.Context(), t)
	if err != nil {
		return err
	}
	answer := make([]eventJSON, len(events))
	for i, e := range events {
		answer[i] = eventJSON{Number: e.Number, Time: e.Time, State: e.State, PID: e.PID, Reason: redact(e.Reason, secrets)}
		if e.Exit != nil {
			answer[i].Exit = exitOf(*e.Exit, secrets)
		}
	}
	return writeJSON(w, http.StatusOK, answer)
}

func exitOf(e host.Exit, secrets []string) *exitJSON {
	exit := &exitJSON{Code: e.Code, Signal: e.Signal, OutOfMemory: e.OutOfMemory, PeakRSS: e.PeakRSS, Stderr: make([]string, len(e.Stderr))}
	for i, line := range e.Stderr {
		exit.Stderr[i] = redact(line, secrets)
	}
	return exit
}
