package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"time"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/plugboard/plugboard/conformance/bench/measure"
	"github.com/plugboard/plugboard/conformance/official"
	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framejson"
	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
)

const pluginID = "bench-datasource"

// ours is our host with a plugin on our SDK.
type ours struct {
	host   *host.Host
	binary string
	end    func()
}

func startOurs(ctx context.Context, dir string) (*ours, error) {
	binary, err := measure.BuildPlugin(ctx, "benchtwin", dir)
	if err != nil {
		return nil, err
	}
	h, err := host.New(host.Config{PluginDirs: []string{dir}, AllowUnsigned: []string{"*"}})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		_ = h.Run(ctx) // its only error is a second Run
		close(ended)
	}()
	s := &ours{host: h, binary: binary, end: func() { cancel(); <-ended }}
	if _, err := s.health(ctx); err != nil { // waits for the process
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *ours) stop() { s.end() }

func (s *ours) pid() int {
	p, _ := s.host.Plugin(pluginID)
	return p.PID
}

func (s *ours) context() plugin.Context {
	return plugin.Context{
		PluginID: pluginID,
		OrgID:    1,
		User:     &plugin.User{Login: "bench", Name: "bench", Email: "bench@localhost", Role: "Viewer"},
		DataSource: &plugin.DataSourceSettings{
			ID: 1, UID: "bench", Name: "Bench", URL: "http://127.0.0.1:1", JSON: []byte(`{"a":1}`),
			Secrets: plugin.Secrets{"token": "secret"}, Updated: time.UnixMilli(1700000000000),
		},
	}
}

func (s *ours) health(ctx context.Context) (string, error) {
	h, err := s.host.CheckHealth(ctx, &plugin.HealthRequest{Context: s.context()})
	return fmt.Sprint(h.Status, h.Message, len(h.Details) > 0), err
}

func (s *ours) query(ctx context.Context, rows, cols int) (any, error) {
	answer, err := s.host.Query(ctx, &plugin.QueryRequest{Context: s.context(), Queries: []plugin.DataQuery{{
		RefID: "A", MaxDataPoints: 1000, Interval: time.Second, JSON: queryModel(rows, cols),
		TimeRange: plugin.TimeRange{From: time.UnixMilli(1700000000000), To: time.UnixMilli(1700003600000)},
	}}})
	if err != nil {
		return nil, err
	}
	frames, err := answer.Responses["A"].Decode()
	if err != nil || len(frames) != 1 {
		return nil, fmt.Errorf("%d frames: %w", len(frames), err)
	}
	return frames[0], nil
}

func queryModel(rows, cols int) []byte {
	return fmt.Appendf(nil, `{"refId":"A","rows":%d,"cols":%d}`, rows, cols)
}

func (*ours) text(f any) (string, error) {
	text, err := framejson.Append(nil, f.(*frame.Frame), framejson.IncludeAll)
	return string(text), err
}

func (s *ours) resource(ctx context.Context) (body []byte, err error) {
	err = s.host.CallResource(ctx, &plugin.ResourceRequest{Context: s.context(), Path: "kilobyte", URL: "kilobyte", Method: "GET"},
		func(m plugin.ResourceResponse) error {
			body = append(body, m.Body...)
			return nil
		})
	return body, err
}

// ourClient is our client with a plugin on our SDK, without a host: that would
// hand packets to subscribers.
type ourClient struct {
	process *goplugin.Client
	client  *plugin.Client
}

func (s *ours) streams() (streamer, error) {
	process, err := official.Launch(exec.Command(s.binary), false, io.Discard)
	if err != nil {
		process.Process.Kill()
		return nil, err
	}
	protocol, err := process.Process.Client()
	if err != nil {
		process.Process.Kill()
		return nil, err
	}
	return &ourClient{process.Process, plugin.NewClient(protocol.(*goplugin.GRPCClient).Conn)}, nil
}

func (s *ourClient) stop()    { s.process.Kill() }
func (s *ourClient) pid() int { return pidOf(s.process) }

func (s *ourClient) stream(ctx context.Context, send func([]byte) error) error {
	return s.client.RunStream(ctx, &plugin.StreamRequest{Context: new(ours).context(), Path: "packets"}, send)
}
