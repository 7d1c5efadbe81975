package ours

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/grpcplugin"
	"github.com/grafana/grafana-plugin-sdk-go/backend/useragent"
	"github.com/grafana/grafana-plugin-sdk-go/config"
	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
)

// host is the official SDK's client side of one plugin process.
type host struct {
	process     *goplugin.Client
	data        grpcplugin.DataClient
	diagnostics grpcplugin.DiagnosticsClient
	resource    grpcplugin.ResourceClient
	stream      grpcplugin.StreamClient
	admission   grpcplugin.AdmissionClient
	conversion  grpcplugin.ConversionClient
}

// launch starts a plugin as Grafana does.
func launch(cmd *exec.Cmd, mtls bool, log io.Writer) (*host, error) {
	process := goplugin.NewClient(&goplugin.ClientConfig{
		Cmd:      cmd,
		AutoMTLS: mtls,
		HandshakeConfig: goplugin.HandshakeConfig{
			ProtocolVersion:  grpcplugin.ProtocolVersion,
			MagicCookieKey:   grpcplugin.MagicCookieKey,
			MagicCookieValue: grpcplugin.MagicCookieValue,
		},
		VersionedPlugins: map[int]goplugin.PluginSet{grpcplugin.ProtocolVersion: {
			"data":        &grpcplugin.DataGRPCPlugin{},
			"diagnostics": &grpcplugin.DiagnosticsGRPCPlugin{},
			"resource":    &grpcplugin.ResourceGRPCPlugin{},
			"stream":      &grpcplugin.StreamGRPCPlugin{},
			"admission":   &grpcplugin.AdmissionGRPCPlugin{},
			"conversion":  &grpcplugin.ConversionGRPCPlugin{},
		}},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Logger:           hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Trace}),
	})
	h := &host{process: process}
	protocol, err := process.Client()
	if err != nil {
		return h, err
	}
	if err := protocol.Ping(); err != nil {
		return h, err
	}
	return h, errors.Join(
		dispense(protocol, "data", &h.data),
		dispense(protocol, "diagnostics", &h.diagnostics),
		dispense(protocol, "resource", &h.resource),
		dispense(protocol, "stream", &h.stream),
		dispense(protocol, "admission", &h.admission),
		dispense(protocol, "conversion", &h.conversion),
	)
}

func dispense[C any](protocol goplugin.ClientProtocol, name string, into *C) error {
	dispensed, err := protocol.Dispense(name)
	if err != nil {
		return err
	}
	*into = dispensed.(C)
	return nil
}

func start(t *testing.T, cmd *exec.Cmd) *host {
	t.Helper()
	h, err := launch(cmd, false, io.Discard)
	t.Cleanup(h.process.Kill)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func startEverything(t *testing.T) *host { return start(t, exec.Command(os.Args[0])) }

func seattle() backend.PluginContext {
	agent, err := useragent.New("12.1.0", "linux", "amd64")
	if err != nil {
		panic(err)
	}
	return backend.PluginContext{
		PluginID:      "everything",
		Namespace:     "default",
		User:          &backend.User{Login: "ada", Role: "Viewer"},
		UserAgent:     agent,
		GrafanaConfig: config.NewGrafanaCfg(map[string]string{"GF_APP_URL": "http://here"}),
		DataSourceInstanceSettings: &backend.DataSourceInstanceSettings{
			ID: 3, UID: "rain", Name: "Rain", URL: "http://rain", BasicAuthEnabled: true,
			JSONData:                []byte(`{"city":"Seattle"}`),
			DecryptedSecureJSONData: map[string]string{"apiKey": "sesame"},
			Updated:                 time.UnixMilli(1700000000123),
		},
	}
}

func with(jsonData string) backend.PluginContext {
	c := seattle()
	c.DataSourceInstanceSettings.JSONData = []byte(jsonData)
	return c
}

func buildHello(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "gpx_hello")
	build := exec.Command("go", "build", "-o", binary, "./hello")
	build.Dir = "../../examples"
	build.Env = append(os.Environ(), "GOWORK=off")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return binary
}
