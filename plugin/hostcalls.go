package plugin

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/plugboard/plugboard/wire"
)

// registerProcess serves what go-plugin asks of a process, whatever plugin it
// is of. end is called once the process is to end and calls have.
func (s *server) registerProcess(r grpc.ServiceRegistrar, printed *printed, end func()) {
	alive := health.NewServer()
	alive.SetServingStatus("plugin", grpc_health_v1.HealthCheckResponse_SERVING)
	grpc_health_v1.RegisterHealthServer(r, alive)
	wire.RegisterGRPCControllerServer(r, controller{drain: s.drain, end: end})
	wire.RegisterGRPCStdioServer(r, printed)
	wire.RegisterGRPCBrokerServer(r, broker{})
}

type controller struct {
	drain, end func()
	wire.UnimplementedGRPCControllerServer
}

// Shutdown lets calls end before it answers: the host closes the connection
// then, and kills what is still there after two seconds.
func (c controller) Shutdown(context.Context, *wire.Empty) (*wire.Empty, error) {
	c.drain()
	c.end()
	return &wire.Empty{}, nil
}

type broker struct {
	wire.UnimplementedGRPCBrokerServer
}

// StartStream keeps quiet for as long as the host likes. Hosts of this protocol
// have nothing to broker, but some would take it for a failure if it ended.
func (broker) StartStream(stream grpc.BidiStreamingServer[wire.Empty, wire.Empty]) error {
	<-stream.Context().Done()
	return nil
}
