package ours

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/httpclient"
	"github.com/plugboard/plugboard/trace"
	"github.com/plugboard/plugboard/trace/otlp"
)

// role is the environment variable that makes the test binary the host that a
// test kills. It is also the plugin that the tests start: one that links both
// SDKs.
const role = "PLUGBOARD_TEST_ROLE"

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(role) == "batch":
		plugin.Main(plugin.DataSource(openShares))
	case os.Getenv("grafana_plugin_type") != "", os.Getenv("PLUGBOARD_STANDALONE") != "":
		plugin.Main(plugin.DataSource(open).Trace(otlp.FromEnv))
	case os.Getenv(role) == "host":
		hostUntilKilled()
	}
	os.Exit(m.Run())
}

// everything is a data source with every capability.
type everything struct {
	settings plugin.Settings[settings]
	client   *http.Client
	asked    prometheus.Counter
}

type settings struct {
	City   string `json:"city"`
	URL    string `json:"url"`
	APIKey string `secret:"apiKey"`
}

type model struct {
	Do   string `json:"do"`
	Unit string `json:"unit" enum:"mm,inch"`
	Mode string `json:"mode"` // what theirs calls it
	Rows int    `json:"rows"`
}

func open(_ context.Context, s plugin.Settings[settings]) (*everything, error) {
	if s.Values.City == "Atlantis" {
		return nil, errors.New("no such city")
	}
	asked := prometheus.NewCounter(prometheus.CounterOpts{Name: "everything_asked_total", Help: "Queries asked."})
	client, err := httpclient.New(s)
	return &everything{settings: s, client: client, asked: asked}, errors.Join(err, s.Metrics.Register(asked))
}

func (e *everything) Close() error {
	e.client.CloseIdleConnections()
	return nil
}

// fetch asks the data source's URL in a span of its own.
func (e *everything) fetch(ctx context.Context) (string, error) {
	ctx, span := trace.Start(ctx, "fetch")
	defer span.End()
	span.Set(slog.Int("tries", 1))
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, e.settings.Values.URL, nil)
	if err != nil {
		return "", err
	}
	response, err := e.client.Do(r)
	if err != nil {
		return "", httpclient.Fault(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), errors.Join(err, httpclient.Refusal(response))
}

func (e *everything) Query(ctx context.Context, q plugin.Query[model]) (frame.Frames, error) {
	e.asked.Inc()
	switch q.Model.Do {
	case "rows":
		return frame.Frames{rows(0, q.Model.Rows)}, nil
	case "who":
		call := plugin.ContextFrom(ctx)
		header := plugin.HTTPHeader(plugin.HeadersFrom(ctx))
		return texts(call.User.Login, call.PluginID, call.UserAgent, call.GrafanaConfig["GF_APP_URL"],
			header.Get("Authorization"), header.Get("X-Panel-Id"), plugin.HeadersFrom(ctx)["FromAlert"]), nil
	case "settings":
		s := e.settings
		return texts(s.Values.City, s.Values.URL, s.Values.APIKey, s.Name, s.UID, fmt.Sprint(s.ID, s.BasicAuth, s.Updated.UnixMilli())), nil
	case "query":
		return texts(q.RefID, q.QueryType, q.Interval.String(), fmt.Sprint(q.MaxDataPoints),
			q.TimeRange.From.Format(time.RFC3339Nano), q.TimeRange.To.Format(time.RFC3339Nano)), nil
	case "fetch":
		text, err := e.fetch(ctx)
		return texts(text), err
	case "log":
		e.settings.Logger.InfoContext(ctx, "as ordered")
		return texts("logged"), nil
	case "panic":
		panic("as ordered")
	case "downstream":
		return texts("partial"), plugin.Downstream(errors.New("no answer"))
	case "network":
		_, err := net.Dial("tcp", "127.0.0.1:1")
		return nil, fmt.Errorf("ask: %w", err)
	case "status":
		return nil, plugin.Errorf(q.Model.Rows, "as ordered")
	case "kill":
		os.Exit(7)
	}
	return nil, plugin.BadRequest("do %q", q.Model.Do)
}

func (e *everything) QueryChunks(_ context.Context, q plugin.Query[model], send func(*frame.Frame) error) error {
	if q.Model.Do == "panic" {
		panic("as ordered")
	}
	for i := range q.Model.Rows {
		if err := send(rows(i, 1)); err != nil {
			return err
		}
	}
	return nil
}

func (e *everything) CheckHealth(context.Context) (plugin.Health, error) {
	return plugin.Health{Message: "it rains in " + e.settings.Values.City, Details: []byte(`{"mm":3}`)}, nil
}

// goOn lets /wait go on.
var goOn = make(chan struct{})

func (e *everything) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/drip":
		w.WriteHeader(http.StatusAccepted)
		for i := range 3 {
			fmt.Fprintf(w, "drop %d", i)
			w.(http.Flusher).Flush()
		}
	case "/panic":
		panic("as ordered")
	case "/denied":
		plugin.WriteError(w, plugin.Errorf(http.StatusForbidden, "not for %s", plugin.ContextFrom(r.Context()).User.Login))
	case "/wait":
		fmt.Fprint(w, "first")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-goOn:
			fmt.Fprint(w, "second")
		case <-r.Context().Done():
		}
	case "/go":
		goOn <- struct{}{}
	case "/file":
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Connection", "close")
		http.ServeContent(w, r, "file.txt", time.Time{}, strings.NewReader("0123456789"))
	default:
		w.Header().Add("X-Two", "a")
		w.Header().Add("X-Two", "b")
		fmt.Fprintf(w, "%s %s %s %v", r.Method, r.URL, r.Header.Get("X-In"), r.ContentLength)
	}
}

func (e *everything) Subscribe(_ context.Context, c plugin.Channel) (plugin.StreamReply, error) {
	switch c.Path {
	case "count", "forever":
		return plugin.StreamReply{Data: c.Data}, nil
	case "stay":
		return plugin.StreamReply{}, nil
	case "private":
		return plugin.StreamReply{Status: plugin.StreamPermissionDenied}, nil
	}
	return plugin.StreamReply{Status: plugin.StreamNotFound}, nil
}

func (e *everything) Publish(_ context.Context, c plugin.Channel) (plugin.StreamReply, error) {
	return plugin.StreamReply{Data: c.Data}, nil
}

func (e *everything) RunStream(ctx context.Context, c plugin.Channel, to *plugin.Sender) error {
	switch c.Path {
	case "denied":
		return plugin.Errorf(http.StatusForbidden, "as ordered")
	case "panic":
		panic("as ordered")
	}
	if c.Path == "forever" {
		<-ctx.Done()
		return ctx.Err()
	}
	for i := range 3 {
		if err := to.SendFrame(rows(i, 1)); err != nil {
			return err
		}
	}
	if c.Path == "stay" {
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

func rows(first, n int) *frame.Frame {
	times, values, names := make([]time.Time, n), make([]float64, n), make([]string, n)
	for i := range n {
		times[i] = time.Unix(int64(first+i), 0)
		values[i] = float64(first+i) / 2
		names[i] = fmt.Sprint("row ", first+i)
	}
	return frame.New("rain",
		frame.NewField("time", nil, times),
		frame.NewField("mm", frame.Labels{"city": "Seattle"}, values),
		frame.NewField("name", nil, names))
}

func texts(values ...string) frame.Frames {
	return frame.Frames{frame.New("", frame.NewField("text", nil, values))}
}
