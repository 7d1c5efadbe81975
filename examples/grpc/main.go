// Command grpc is a data source over gRPC: the health of a backend's services,
// asked over a few connections, and live as it changes.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

func main() { plugin.Main(plugin.DataSource(open)) }

type settings struct {
	// Target is the backend's, as gRPC names it: host:port, dns:///host:port
	// or unix:path.
	Target string `json:"url"`
	TLS    bool   `json:"tls"`
	// Connections is how many there are; 0 means 2. Calls share one as long
	// as it can carry them, a hundred at once or so.
	Connections int `json:"connections"`
}

// model names a service; all are told of where it is empty.
type model struct {
	Service string `json:"service" plugboard:"text"`
}

// patience bounds a call to the backend, but for a stream.
const patience = 10 * time.Second

// backend is one data source.
type backend struct {
	connections []*grpc.ClientConn
	turn        atomic.Uint32
}

func open(_ context.Context, s plugin.Settings[settings]) (*backend, error) {
	if s.Values.Target == "" {
		return nil, plugin.BadRequest("settings: url must be the backend's host:port")
	}
	secured := insecure.NewCredentials()
	if s.Values.TLS {
		secured = credentials.NewTLS(&tls.Config{})
	}
	if s.Values.Connections <= 0 {
		s.Values.Connections = 2
	}
	b := &backend{}
	for range s.Values.Connections {
		// It connects with the first call, and again whenever it must.
		conn, err := grpc.NewClient(s.Values.Target, grpc.WithTransportCredentials(secured))
		if err != nil {
			return nil, errors.Join(plugin.BadRequest("settings: url: %w", err), b.Close())
		}
		b.connections = append(b.connections, conn)
	}
	return b, nil
}

// Close closes the connections.
func (b *backend) Close() error {
	var faults []error
	for _, conn := range b.connections {
		faults = append(faults, conn.Close())
	}
	return errors.Join(faults...)
}

// client is over each connection in turn.
func (b *backend) client() grpc_health_v1.HealthClient {
	turn := b.turn.Add(1) % uint32(len(b.connections))
	return grpc_health_v1.NewHealthClient(b.connections[turn])
}

func (b *backend) Query(ctx context.Context, q plugin.Query[model]) (frame.Frames, error) {
	services, err := b.services(ctx, q.Model.Service)
	if err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(services))
	states := make([]string, len(names))
	for i, name := range names {
		states[i] = services[name].Status.String()
	}
	return frame.Frames{frame.New("health",
		frame.NewField("service", nil, names),
		frame.NewField("status", nil, states))}, nil
}

// services asks for one service, or all.
func (b *backend) services(ctx context.Context, name string) (map[string]*grpc_health_v1.HealthCheckResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if name == "" {
		all, err := b.client().List(ctx, &grpc_health_v1.HealthListRequest{})
		return all.GetStatuses(), fault(err)
	}
	one, err := b.client().Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: name})
	return map[string]*grpc_health_v1.HealthCheckResponse{name: one}, fault(err)
}

func (b *backend) CheckHealth(ctx context.Context) (plugin.Health, error) {
	services, err := b.services(ctx, "")
	return plugin.Health{Message: fmt.Sprintf("the backend has %d services", len(services))}, err
}

// Subscribe lets in whoever names a service that is there.
func (b *backend) Subscribe(ctx context.Context, channel plugin.Channel) (plugin.StreamReply, error) {
	_, err := b.services(ctx, channel.Path)
	if status.Code(err) == codes.NotFound {
		return plugin.StreamReply{Status: plugin.StreamNotFound}, nil
	}
	return plugin.StreamReply{}, err
}

// RunStream sends a service's health whenever it changes. One stream of the
// backend serves all who listen.
func (b *backend) RunStream(ctx context.Context, channel plugin.Channel, to *plugin.Sender) error {
	watch, err := b.client().Watch(ctx, &grpc_health_v1.HealthCheckRequest{Service: channel.Path})
	if err != nil {
		return fault(err)
	}
	for {
		change, err := watch.Recv()
		if err != nil {
			return fault(err)
		}
		err = to.SendFrame(frame.New("health",
			frame.NewField("time", nil, []time.Time{time.Now()}),
			frame.NewField("status", frame.Labels{"service": channel.Path}, []string{change.Status.String()})))
		if err != nil {
			return err
		}
	}
}

// fault says whose fault an error of the backend is: a gRPC status knows
// better than an error that merely happened.
func fault(err error) error {
	switch status.Code(err) {
	case codes.OK:
		return nil
	case codes.InvalidArgument, codes.NotFound:
		return plugin.BadRequest("backend: %w", err)
	case codes.DeadlineExceeded:
		return fmt.Errorf("backend: %w: %w", context.DeadlineExceeded, err)
	case codes.Canceled:
		return fmt.Errorf("backend: %w: %w", context.Canceled, err)
	default:
		return plugin.Downstream(fmt.Errorf("backend: %w", err))
	}
}
