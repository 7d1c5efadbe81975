package plugin

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/plugboard/plugboard/trace"
	"github.com/plugboard/plugboard/wire"
)

// How long calls may go on once the plugin is to end, and how long they then
// have to notice that their context was cancelled.
const (
	drainTime  = 5 * time.Second
	noticeTime = time.Second
)

// server answers the protocol's calls with the author's code.
type server struct {
	plugin    Plugin
	logger    *slog.Logger
	instances *instances
	metrics   *metrics
	tracer    trace.Tracer // nil if nobody wants spans
	drainOnce sync.Once
	answers   answers

	// draining ends when no further call is taken and streams are to end;
	// running when all other calls are.
	draining, running         context.Context
	startDraining, endRunning context.CancelFunc

	wire.UnimplementedResourceServer
	wire.UnimplementedDataServer
	wire.UnimplementedDiagnosticsServer
	wire.UnimplementedStreamServer
	wire.UnimplementedAdmissionControlServer
	wire.UnimplementedResourceConversionServer
	wire.UnimplementedPluginServer
}

func newServer(p Plugin, logger *slog.Logger) *server {
	logger = slog.New(callHandler{next: logger.Handler()})
	s := &server{plugin: p, logger: logger, instances: newInstances(p.open, p.idle, logger)}
	s.metrics = newMetrics(s.instances)
	s.draining, s.startDraining = context.WithCancel(context.Background())
	s.running, s.endRunning = context.WithCancel(context.Background())
	return s
}

func (s *server) register(r grpc.ServiceRegistrar) {
	wire.RegisterResourceServer(r, s)
	wire.RegisterDataServer(r, s)
	wire.RegisterDiagnosticsServer(r, s)
	wire.RegisterStreamServer(r, s)
	wire.RegisterAdmissionControlServer(r, s)
	wire.RegisterResourceConversionServer(r, s)
	wire.RegisterPluginServer(r, s)
}

// Forget closes what is open for a data source that was deleted.
func (s *server) Forget(_ context.Context, req *wire.ForgetRequest) (*wire.ForgetResponse, error) {
	s.instances.forget(contextFromWire(req.PluginContext))
	return &wire.ForgetResponse{}, nil
}

// call makes one call of the author's code, on the instance that the call's
// settings name. It returns what f does, why there is no instance, or what f
// panicked with.
func (s *server) call(ctx context.Context, endpoint string, c call, f func(context.Context, *held) error) (err error) {
	begun := time.Now()
	c.endpoint = endpoint
	ctx, span := s.startSpan(ctx, &c)
	defer func() { endSpan(span, s.metrics.count(endpoint, time.Since(begun), err), err) }()
	if s.plugin.noun == nounDataSource && c.context.DataSource == nil {
		return BadRequest("the call names no data source")
	}
	ctx, cancel := context.WithCancel(withCall(ctx, c))
	defer cancel()
	defer context.AfterFunc(s.running, cancel)()

	h, err := s.instances.acquire(ctx, c.context, endpoint == endpointHealth)
	if err != nil {
		return err
	}
	defer s.instances.release(h)
	err = s.guarded(ctx, h, f)
	if err != nil && s.running.Err() != nil {
		return errClosed
	}
	return err
}

func (s *server) guarded(ctx context.Context, h *held, f func(context.Context, *held) error) (err error) {
	defer recovered(ctx, s.logger, &err)
	return f(ctx, h)
}

// drain takes no further calls, lets those under way end, closes the instances
// and lets gRPC send the answers: in bounded time, whatever the author's code
// does. It may be called more than once; later calls wait for the first.
func (s *server) drain() {
	s.drainOnce.Do(func() {
		busy := s.answers.underWay.Load() > 0
		s.startDraining()
		late := time.AfterFunc(drainTime, s.endRunning)
		defer late.Stop()
		ctx, cancel := context.WithTimeout(context.Background(), drainTime+noticeTime)
		defer cancel()
		if err := s.instances.shutdown(ctx); err != nil {
			s.logger.Warn("shut down", keyError, err)
		}
		if busy {
			s.answers.wait(ctx)
		}
	})
}

// endedEarly tells whether a call failed for want of a caller or a plugin,
// rather than for what the author's code did.
func endedEarly(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || errors.Is(err, ErrUnavailable))
}
