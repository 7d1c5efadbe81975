package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

// TestMain lets the test binary be the plugin that a test starts, or the host
// that a test kills.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv(role) == "flags":
		serveWithFlags()
	case os.Getenv("grafana_plugin_type") != "", os.Getenv(role) == "plugin":
		plugin.Main(plugin.DataSource(openEverything))
	case os.Getenv(role) == "host":
		hostUntilKilled()
	}
	os.Exit(m.Run())
}

// role is the environment variable that says what the test binary is to be.
const role = "PLUGBOARD_TEST_ROLE"

// everything has every capability, and does what its queries ask it to.
type everything struct {
	settings plugin.Settings[everythingSettings]
	asked    prometheus.Counter
}

type everythingSettings struct {
	Prefix string `json:"prefix"`
	URL    string `json:"url"`
	Key    string `secret:"key"`
	Fail   string `json:"fail"`
}

type everythingModel struct {
	Do   string `json:"do"`
	Text string `json:"text" plugboard:"text"`
	Rows int    `json:"rows"`
}

func openEverything(_ context.Context, s plugin.Settings[everythingSettings]) (*everything, error) {
	if s.Values.Fail != "" {
		return nil, errors.New(s.Values.Fail)
	}
	asked := prometheus.NewCounter(prometheus.CounterOpts{Name: "everything_asked_total", Help: "Queries asked."})
	if err := s.Metrics.Register(asked); err != nil {
		return nil, err
	}
	s.Logger.Info("opened", slog.Group("settings", "prefix", s.Values.Prefix, "error", errors.New("none")))
	fmt.Println("to stdout")
	return &everything{settings: s, asked: asked}, nil
}

var cached = frame.New("cached", frame.NewField("n", nil, []int64{1, 2, 3}))

func (e *everything) Query(ctx context.Context, q plugin.Query[everythingModel]) (frame.Frames, error) {
	e.asked.Inc()
	switch q.Model.Do {
	case "", "echo":
		return texts(e.settings.Values.Prefix + q.Model.Text), nil
	case "settings":
		return texts(e.settings.Values.URL, e.settings.Values.Key, e.settings.Name), nil
	case "call":
		c := plugin.ContextFrom(ctx)
		return texts(c.User.Login, plugin.HTTPHeader(plugin.HeadersFrom(ctx)).Get("X-Trace"), plugin.HeadersFrom(ctx)["FromAlert"]), nil
	case "print":
		fmt.Print(strings.Repeat(q.Model.Text, q.Model.Rows))
		fmt.Fprint(os.Stderr, strings.Repeat(q.Model.Text, q.Model.Rows))
		return nil, nil
	case "cached":
		return frame.Frames{cached}, nil
	case "panic":
		panic("as ordered")
	case "nil error":
		var missing *wrapped
		return nil, missing
	case "nil":
		return frame.Frames{nil}, nil
	case "downstream":
		return texts("partial"), fmt.Errorf("asking: %w", plugin.Downstream(errors.New("no answer")))
	case "wait":
		<-ctx.Done()
		return nil, ctx.Err()
	default:
		return nil, plugin.BadRequest("do %q", q.Model.Do)
	}
}

func (e *everything) QueryChunks(_ context.Context, q plugin.Query[everythingModel], send func(*frame.Frame) error) error {
	for i := range q.Model.Rows {
		if err := send(frame.New("rows", frame.NewField("n", nil, []int64{int64(i)}))); err != nil {
			return err
		}
	}
	if q.Model.Do == "panic" {
		panic("as ordered")
	}
	return nil
}

func (e *everything) CheckHealth(context.Context) (plugin.Health, error) {
	switch e.settings.Values.Prefix {
	case "panic":
		panic("as ordered")
	case "sick":
		return plugin.Health{Details: []byte(`{"since":"yesterday"}`)}, errors.New("not well")
	}
	return plugin.Health{Message: "fine"}, nil
}

func (e *everything) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/echo":
		w.Header().Set("X-Method", r.Method)
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s %s", r.URL.RawQuery, plugin.HTTPHeader(plugin.HeadersFrom(r.Context())).Get("X-Trace"), plugin.ContextFrom(r.Context()).User.Login)
	case "/drip":
		for i := range 3 {
			fmt.Fprintf(w, "drop %d\n", i)
			w.(http.Flusher).Flush()
		}
	case "/large":
		_, _ = w.Write([]byte(strings.Repeat("x", 1<<20)))
	case "/nothing":
	case "/panic":
		panic("as ordered")
	default:
		http.NotFound(w, r)
	}
}

func (e *everything) Subscribe(_ context.Context, c plugin.Channel) (plugin.StreamReply, error) {
	switch c.Path {
	case "secret":
		return plugin.StreamReply{Status: plugin.StreamPermissionDenied}, nil
	case "panic":
		panic("as ordered")
	}
	return plugin.StreamReply{Data: c.Data}, nil
}

func (e *everything) Publish(_ context.Context, c plugin.Channel) (plugin.StreamReply, error) {
	return plugin.StreamReply{Data: c.Data}, nil
}

// beat is a row of a stream.
type beat struct {
	N int `frame:"n"`
}

func (e *everything) RunStream(ctx context.Context, c plugin.Channel, to *plugin.Sender) error {
	switch c.Path {
	case "count/":
		for i := range 3 {
			if err := to.SendFrame(frame.New("count", frame.NewField("n", nil, []int64{int64(i)}))); err != nil {
				return err
			}
		}
		return to.SendFrame(frame.New("count", frame.NewField("n", nil, []string{"done"})))
	case "latest":
		to.KeepLatest(10)
		for i := range 3 {
			if err := plugin.SendRows(to, "count", beat{i}); err != nil {
				return err
			}
		}
		<-ctx.Done()
		return ctx.Err()
	case "timeout":
		ctx, cancel := context.WithTimeout(ctx, 0)
		defer cancel()
		return fmt.Errorf("asking: %w", ctx.Err())
	case "json":
		return to.SendJSON([]byte(`{"free":true}`))
	case "panic":
		panic("as ordered")
	case "forever":
		if err := to.SendJSON([]byte(`"started"`)); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	}
	return fmt.Errorf("no channel %q", c.Path)
}

// Close says that it was called, to a test that handed over a file for it.
func (e *everything) Close() error {
	e.settings.Logger.Info("closing")
	if os.Getenv(role) != "host" {
		return nil
	}
	_, err := os.NewFile(3, "held").WriteString("closed")
	return err
}

func texts(values ...string) frame.Frames {
	return frame.Frames{frame.New("", frame.NewField("text", nil, values))}
}

// wrapped panics if it is nil.
type wrapped struct{ err error }

func (w *wrapped) Error() string { return w.err.Error() }
func (w *wrapped) Unwrap() error { return w.err }

// source is the data source that tests call.
func source(settings string) plugin.Context {
	return plugin.Context{
		PluginID: "everything",
		User:     &plugin.User{Login: "ada"},
		DataSource: &plugin.DataSourceSettings{
			ID: 1, UID: "one", Name: "One", URL: "http://one",
			JSON:    []byte(settings),
			Secrets: plugin.Secrets{"key": "sesame"},
			Updated: time.UnixMilli(1),
		},
	}
}

func query(refID, model string) plugin.DataQuery {
	return plugin.DataQuery{RefID: refID, JSON: []byte(model)}
}

// cells returns the values of the first field of the first frame.
func cells(t *testing.T, r plugin.Response) string {
	t.Helper()
	frames, err := r.Decode()
	if err != nil {
		t.Fatal(err)
	}
	if len(frames) == 0 {
		t.Fatalf("no frames, but %q", r.Error)
	}
	field := frames[0].Fields[0]
	var values []string
	for i := range field.Len() {
		values = append(values, fmt.Sprint(field.At(i)))
	}
	return strings.Join(values, ",")
}
