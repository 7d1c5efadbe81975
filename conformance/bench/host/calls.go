package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/plugboard/plugboard/wire"
)

// rounds are measured in turn, so that both sides see the same machine.
const (
	rounds = 8
	asked  = 400 // calls in each
)

// calls compares a query through our host with one through a go-plugin client
// and the generated code, and nothing else.
func calls(ctx context.Context, binary string) (err error) {
	bare, end, err := bareClient(binary)
	if err != nil {
		return err
	}
	defer end()
	h, stop, err := running(ctx, filepath.Dir(binary))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()

	fmt.Printf("%-16s %14s %14s %8s %14s %14s %8s\n", "one call", "host", "bare", "ratio", "host CPU", "bare CPU", "ratio")
	for name, model := range map[string]string{"query 10x1": `{"rows":10,"cols":1}`, "query 1000x5": `{"rows":1000,"cols":5}`} {
		ours := request(id, model)
		theirs := &wire.QueryDataRequest{
			PluginContext: &wire.PluginContext{OrgId: 1, PluginId: id, DataSourceInstanceSettings: &wire.DataSourceInstanceSettings{Id: 1, Uid: "b", JsonData: []byte("{}")}},
			Queries: []*wire.DataQuery{{
				RefId: "A", Json: []byte(model), MaxDataPoints: 100, IntervalMs: 1000,
				TimeRange: &wire.TimeRange{FromEpochMs: 1700000000000, ToEpochMs: 1700003600000},
			}},
		}
		var host, client figures
		for range rounds {
			if err := host.measure(func() error { _, err := h.Query(ctx, ours); return err }); err != nil {
				return err
			}
			if err := client.measure(func() error { _, err := bare.QueryData(ctx, theirs); return err }); err != nil {
				return err
			}
		}
		fmt.Printf("%-16s %14v %14v %7.2fx %14v %14v %7.2fx\n", name, host.median(), client.median(), ratio(host.median(), client.median()),
			host.cpu/(rounds*asked), client.cpu/(rounds*asked), ratio(host.cpu, client.cpu))
	}
	return nil
}

// figures are how long calls took, and the processor time of this process.
type figures struct {
	took []time.Duration
	cpu  time.Duration
}

func (f *figures) measure(call func() error) error {
	before := processorTime()
	for range asked {
		began := time.Now()
		if err := call(); err != nil {
			return err
		}
		f.took = append(f.took, time.Since(began))
	}
	f.cpu += processorTime() - before
	return nil
}

func (f *figures) median() time.Duration { return percentile(f.took, 50) }

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

func percentile(all []time.Duration, percent int) time.Duration {
	slices.Sort(all)
	return all[(len(all)-1)*percent/100].Round(time.Microsecond)
}

func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // it has no errors for the own process
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// bareClient starts the plugin as go-plugin does by itself.
func bareClient(binary string) (_ wire.DataClient, end func(), err error) {
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  goplugin.HandshakeConfig{ProtocolVersion: 2, MagicCookieKey: "grafana_plugin_type", MagicCookieValue: "datasource"},
		VersionedPlugins: map[int]goplugin.PluginSet{2: {"data": dataPlugin{}}},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Cmd:              exec.Command(binary),
		Logger:           hclog.New(&hclog.LoggerOptions{Level: hclog.Error, Output: os.Stderr}),
	})
	protocol, err := client.Client()
	if err != nil {
		client.Kill()
		return nil, nil, err
	}
	data, err := protocol.Dispense("data")
	if err != nil {
		client.Kill()
		return nil, nil, err
	}
	return data.(wire.DataClient), client.Kill, nil
}

type dataPlugin struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (dataPlugin) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error {
	return errors.New("this is the host's end")
}

func (dataPlugin) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return wire.NewDataClient(conn), nil
}
