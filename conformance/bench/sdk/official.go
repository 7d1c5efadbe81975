package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/useragent"
	"github.com/grafana/grafana-plugin-sdk-go/config"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/plugboard/plugboard/conformance/bench/measure"
	"github.com/plugboard/plugboard/conformance/official"
)

// theirs is the official SDK's client side with a plugin on the official SDK.
// It asks as Grafana does, and as our host does.
type theirs struct {
	*official.Client
	agent *useragent.UserAgent
}

func startOfficial(ctx context.Context, dir string) (*theirs, error) {
	binary, err := measure.BuildPlugin(ctx, "bench", dir)
	if err != nil {
		return nil, err
	}
	client, err := official.Launch(exec.Command(binary), false, io.Discard)
	if err != nil {
		client.Process.Kill()
		return nil, err
	}
	agent, err := useragent.New("12.4.0", "linux", "amd64")
	return &theirs{client, agent}, err
}

func (s *theirs) stop()                      { s.Process.Kill() }
func (s *theirs) pid() int                   { return pidOf(s.Process) }
func (s *theirs) streams() (streamer, error) { return stays{s}, nil }

// stays is a side that is stopped elsewhere.
type stays struct{ *theirs }

func (stays) stop() {}

func pidOf(p *goplugin.Client) int { return p.ReattachConfig().Pid }

// grafanaConfig is what Grafana and our host send along with every call.
var grafanaConfig = map[string]string{
	"GF_CONCURRENT_QUERY_COUNT":                "10",
	"GF_SQL_ROW_LIMIT":                         "1000000",
	"GF_SQL_MAX_OPEN_CONNS_DEFAULT":            "100",
	"GF_SQL_MAX_IDLE_CONNS_DEFAULT":            "100",
	"GF_SQL_MAX_CONN_LIFETIME_SECONDS_DEFAULT": "14400",
}

func (s *theirs) context() backend.PluginContext {
	return backend.PluginContext{
		//lint:ignore SA1019 Grafana still sends it
		OrgID:         1,
		PluginID:      pluginID,
		PluginVersion: "1.0.0",
		Namespace:     "default",
		UserAgent:     s.agent,
		GrafanaConfig: config.NewGrafanaCfg(grafanaConfig),
		User:          &backend.User{Login: "bench", Name: "bench", Email: "bench@localhost", Role: "Viewer"},
		DataSourceInstanceSettings: &backend.DataSourceInstanceSettings{
			ID: 1, UID: "bench", Name: "Bench", URL: "http://127.0.0.1:1", JSONData: []byte(`{"a":1}`),
			DecryptedSecureJSONData: map[string]string{"token": "secret"}, Updated: time.UnixMilli(1700000000000),
		},
	}
}

func (s *theirs) health(ctx context.Context) (string, error) {
	answer, err := s.Diagnostics.CheckHealth(ctx, &pluginv2.CheckHealthRequest{PluginContext: backend.ToProto().PluginContext(s.context())})
	if err != nil {
		return "", err
	}
	h := backend.FromProto().CheckHealthResponse(answer)
	return fmt.Sprint(h.Status, h.Message, len(h.JSONDetails) > 0), nil
}

func (s *theirs) query(ctx context.Context, rows, cols int) (any, error) {
	answer, err := s.Data.QueryData(ctx, backend.ToProto().QueryDataRequest(&backend.QueryDataRequest{
		PluginContext: s.context(),
		Queries: []backend.DataQuery{{
			RefID: "A", MaxDataPoints: 1000, Interval: time.Second, JSON: queryModel(rows, cols),
			TimeRange: backend.TimeRange{From: time.UnixMilli(1700000000000), To: time.UnixMilli(1700003600000)},
		}},
	}))
	if err != nil {
		return nil, err
	}
	decoded, err := backend.FromProto().QueryDataResponse(answer)
	if err != nil {
		return nil, err
	}
	if frames := decoded.Responses["A"].Frames; len(frames) == 1 {
		return frames[0], nil
	}
	return nil, fmt.Errorf("%d frames: %w", len(decoded.Responses["A"].Frames), decoded.Responses["A"].Error)
}

func (*theirs) text(f any) (string, error) {
	text, err := data.FrameToJSON(f.(*data.Frame), data.IncludeAll)
	return strings.TrimSpace(string(text)), err
}

func (s *theirs) resource(ctx context.Context) (body []byte, err error) {
	stream, err := s.Resource.CallResource(ctx, backend.ToProto().CallResourceRequest(&backend.CallResourceRequest{
		PluginContext: s.context(), Path: "kilobyte", URL: "kilobyte", Method: "GET",
	}))
	if err != nil {
		return nil, err
	}
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return body, nil
		}
		if err != nil {
			return nil, err
		}
		body = append(body, backend.FromProto().CallResourceResponse(message).Body...)
	}
}

func (s *theirs) stream(ctx context.Context, send func([]byte) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := s.Stream.RunStream(ctx, backend.ToProto().RunStreamRequest(&backend.RunStreamRequest{PluginContext: s.context(), Path: "packets"}))
	if err != nil {
		return err
	}
	for {
		packet, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := send(packet.Data); err != nil {
			return err
		}
	}
}
