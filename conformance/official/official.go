// Package official is the official SDK's client side: it starts plugins and
// calls them as Grafana does.
package official

import (
	"errors"
	"io"
	"os/exec"

	"github.com/grafana/grafana-plugin-sdk-go/backend/grpcplugin"
	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Client is the official SDK's client side of one plugin process.
type Client struct {
	Process     *goplugin.Client
	Data        grpcplugin.DataClient
	Diagnostics grpcplugin.DiagnosticsClient
	Resource    grpcplugin.ResourceClient
	Stream      grpcplugin.StreamClient
	Admission   grpcplugin.AdmissionClient
	Conversion  grpcplugin.ConversionClient
}

// Launch starts a plugin as Grafana does. The process is the caller's to kill,
// with an error too.
func Launch(cmd *exec.Cmd, mtls bool, log io.Writer, options ...grpc.DialOption) (*Client, error) {
	level := hclog.Trace
	if log == io.Discard {
		level = hclog.Info // Grafana's
	}
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
		GRPCDialOptions:  options,
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Logger:           hclog.New(&hclog.LoggerOptions{Output: log, Level: level}),
	})
	c := &Client{Process: process}
	protocol, err := process.Client()
	if err != nil {
		return c, err
	}
	// A plugin in standalone mode has no health service, and Grafana asks none.
	if err := protocol.Ping(); err != nil && status.Code(err) != codes.Unimplemented {
		return c, err
	}
	return c, errors.Join(
		dispense(protocol, "data", &c.Data),
		dispense(protocol, "diagnostics", &c.Diagnostics),
		dispense(protocol, "resource", &c.Resource),
		dispense(protocol, "stream", &c.Stream),
		dispense(protocol, "admission", &c.Admission),
		dispense(protocol, "conversion", &c.Conversion),
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
