package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/access"
	"github.com/plugboard/plugboard/server/datasource"
)

// channel names a stream: "ds/<uid>/<path>" or "plugin/<id>/<path>". The path
// is the plugin's own affair: it may hold empty segments, dots and base64, and
// is never cleaned or decoded.
type channel struct {
	source   datasource.Key
	pluginID string
	path     string
}

// maxChannel is the longest channel there may be, as in Grafana.
const maxChannel = 160

func parseChannel(text string) (channel, error) {
	scope, rest, _ := strings.Cut(text, "/")
	name, path, _ := strings.Cut(rest, "/")
	switch {
	case len(text) > maxChannel:
		return channel{}, badRequest("invalid channel ID: %d characters are over the %d there may be", len(text), maxChannel)
	case !utf8.ValidString(text):
		return channel{}, badRequest("invalid channel ID: %q is not UTF-8", text)
	case name == "" || path == "":
	case scope == "ds":
		return channel{source: datasource.ByUID(name), path: path}, nil
	case scope == "plugin":
		return channel{pluginID: name, path: path}, nil
	}
	return channel{}, badRequest("invalid channel ID: %q: a channel is ds/<uid>/<path> or plugin/<id>/<path>", text)
}

// allowed reports whether a user may listen and publish to the channel, as far
// as this server is concerned.
func (c channel) allowed(u access.User) bool {
	if c.pluginID != "" {
		return u.MayAskPlugins()
	}
	return u.MayAsk(c.source.UID)
}

// channelTarget returns what a channel is of.
func (g *Gateway) channelTarget(r *http.Request, c channel) (target, error) {
	if c.pluginID != "" {
		return g.pluginTarget(r, c.pluginID)
	}
	return g.sourceTarget(r, c.source)
}

// subscription is one listener's view of a stream, a *host.Subscription.
type subscription interface {
	Initial() json.RawMessage
	Next(context.Context) ([]byte, error)
	Close()
}

const (
	// heartbeat keeps proxies from closing a quiet stream.
	heartbeat = 15 * time.Second
	// writeTimeout is how long a listener may take for one packet.
	writeTimeout = 30 * time.Second
)

// stream answers GET /api/live/sse with the packets of a channel as server-sent
// events, one data line each. It ends when the stream, the client or the server
// does.
func (g *Gateway) stream(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet {
		return notFound("Not found") // HEAD would wait for an end that nobody sees
	}
	params, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return badRequest("bad request data: the query string: %w", err)
	}
	c, err := parseChannel(params.Get("channel"))
	if err != nil {
		return err
	}
	data := json.RawMessage(params.Get("data"))
	if len(data) > 0 && !json.Valid(data) {
		return badRequest("bad request data: the parameter data is not JSON")
	}
	t, err := g.channelTarget(r, c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(g.streaming, cancel)()

	start := time.Now()
	packets, err := g.subscribe(ctx, &plugin.StreamRequest{
		Context: t.Context, Path: c.path, Data: data, Headers: callHeaders(r, t),
	}, g.renewer(r, c))
	g.observe(callSubscribe, t, start, err)
	if err != nil {
		return t.failed(callSubscribe, err)
	}
	defer packets.Close()
	g.relay(ctx, w, t, packets, func() error { return g.stillAllowed(r, c) })
	return nil
}

// stillAllowed asks again who made a request that goes on, and whether they may
// listen to the channel: a stream outlives the token that it was opened with.
// That the door is closed for now to all who come from there is no reason.
func (g *Gateway) stillAllowed(r *http.Request, c channel) error {
	user, err := g.guard.Identify(r)
	if unknown(err) {
		return err
	}
	if err == nil && !c.allowed(user) {
		return errors.New("access denied")
	}
	return nil
}

// renewer returns the function by which a stream that is started again gets
// settings of that moment.
func (g *Gateway) renewer(r *http.Request, c channel) func(context.Context) (plugin.Context, error) {
	return func(ctx context.Context) (plugin.Context, error) {
		t, err := g.channelTarget(r.WithContext(withUser(ctx, userOf(r))), c)
		return t.Context, err
	}
}

// relay writes packets until there are no more or the client is gone, or is not
// allowed to have them any longer, which it asks with every heartbeat.
func (g *Gateway) relay(ctx context.Context, w http.ResponseWriter, t target, packets subscription, allowed func() error) {
	events := startEvents(w)
	defer events.end()
	err := events.comment("subscribed")
	if initial := packets.Initial(); err == nil && len(initial) > 0 {
		err = events.packet(initial)
	}
	for err == nil {
		if err = g.relayUntilHeartbeat(ctx, events, t, packets); err == nil {
			err = allowed()
		}
	}
	if ctx.Err() == nil {
		events.last(t, err)
	}
}

// relayUntilHeartbeat writes packets until the next heartbeat is due, and it.
func (g *Gateway) relayUntilHeartbeat(ctx context.Context, events *events, t target, packets subscription) error {
	beat, cancel := context.WithTimeout(ctx, heartbeat)
	defer cancel()
	for {
		packet, err := packets.Next(beat)
		switch {
		case err == nil:
			if err := events.packet(packet); errors.Is(err, errNotJSON) {
				g.log.Warn("packet dropped", keyPlugin, t.PluginID, keySource, t.sourceUID(), keyError, err)
			} else if err != nil {
				return err
			}
			if beat.Err() != nil { // packets arrive faster than they are written
				return ctx.Err()
			}
		case ctx.Err() == nil && beat.Err() != nil:
			return events.comment("alive")
		default:
			return err
		}
	}
}

// last says that a stream has ended, and why if it did not do so by itself: in
// a comment for people and in an event for programs that do not see those. Whom
// it does not reach learns of it by the end of the answer.
func (e *events) last(t target, err error) {
	end := struct {
		Error string `json:"error,omitempty"`
	}{}
	if !errors.Is(err, io.EOF) {
		end.Error = t.redact(strings.ReplaceAll(err.Error(), "\n", " "))
		_ = e.comment("ended: " + end.Error)
	}
	e.buffer.Reset()
	e.buffer.WriteString("event: end\ndata: ")
	_ = json.NewEncoder(&e.buffer).Encode(end) // of a string, with a newline at its end
	e.buffer.WriteString("\n")
	_ = e.flush()
}

// events writes server-sent events, each at once.
type events struct {
	w       http.ResponseWriter
	control *http.ResponseController
	buffer  bytes.Buffer
}

// startEvents begins an answer of events. It needs an end.
func startEvents(w http.ResponseWriter) *events {
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	return &events{w: w, control: http.NewResponseController(w)}
}

// end makes the connection fit for other requests.
func (e *events) end() { _ = e.control.SetWriteDeadline(time.Time{}) }

var errNotJSON = errors.New("the packet is not JSON")

// packet writes one packet as one line.
func (e *events) packet(packet []byte) error {
	e.buffer.Reset()
	e.buffer.WriteString("data: ")
	if bytes.ContainsAny(packet, "\n\r") {
		if err := json.Compact(&e.buffer, packet); err != nil {
			return errNotJSON
		}
	} else {
		if !json.Valid(packet) {
			return errNotJSON
		}
		e.buffer.Write(packet)
	}
	e.buffer.WriteString("\n\n")
	return e.flush()
}

// numbered writes JSON of one line with a number that the client gives back
// when it returns.
func (e *events) numbered(id int64, text []byte) error {
	e.buffer.Reset()
	fmt.Fprintf(&e.buffer, "id: %d\ndata: %s\n\n", id, text)
	return e.flush()
}

// comment writes a line that listeners skip.
func (e *events) comment(text string) error {
	e.buffer.Reset()
	e.buffer.WriteString(": " + text + "\n\n")
	return e.flush()
}

func (e *events) flush() error {
	_ = e.control.SetWriteDeadline(time.Now().Add(writeTimeout)) // not every writer has deadlines
	if _, err := e.w.Write(e.buffer.Bytes()); err != nil {
		return err
	}
	return e.control.Flush()
}

// publish answers POST /api/live/publish.
func (g *Gateway) publish(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Channel string          `json:"channel"`
		Data    json.RawMessage `json:"data"`
	}
	if err := g.readJSON(w, r, &body); err != nil {
		return err
	}
	c, err := parseChannel(body.Channel)
	if err != nil {
		return err
	}
	t, err := g.channelTarget(r, c)
	if err != nil {
		return err
	}
	start := time.Now()
	reply, err := g.host.Publish(r.Context(), &plugin.StreamRequest{
		Context: t.Context, Path: c.path, Data: body.Data, Headers: callHeaders(r, t),
	})
	g.observe(callPublish, t, start, err)
	if err == nil {
		err = replyError(reply)
	}
	if err != nil {
		return t.failed(callPublish, err)
	}
	return writeJSON(w, http.StatusOK, struct{}{})
}

func replyError(reply plugin.StreamReply) error {
	switch reply.Status {
	case plugin.StreamOK:
		return nil
	case plugin.StreamNotFound:
		return host.ErrStreamNotFound
	default:
		return host.ErrStreamDenied
	}
}
