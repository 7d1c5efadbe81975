package plugin

import (
	"context"

	"github.com/plugboard/plugboard/wire"
)

// endpointHealth may always try to open an instance: it is how a person finds
// out whether what was in the way is gone.
const endpointHealth = "checkHealth"

// HealthChecker says whether a data source or app works.
type HealthChecker interface {
	// CheckHealth returns what to tell the person who asked. An error is told
	// as a Health of status HealthError; a zero Status means HealthOK.
	CheckHealth(ctx context.Context) (Health, error)
}

func (s *server) CheckHealth(ctx context.Context, req *wire.CheckHealthRequest) (*wire.CheckHealthResponse, error) {
	if !s.plugin.offer.health {
		return nil, toStatus(ErrNotImplemented)
	}
	var health Health
	err := s.call(ctx, endpointHealth, call{context: contextFromWire(req.PluginContext), headers: req.Headers},
		func(ctx context.Context, h *held) (err error) {
			health, err = h.health.CheckHealth(ctx)
			return err
		})
	switch {
	case endedEarly(ctx, err):
		return nil, toStatus(err)
	case err != nil:
		health.Status, health.Message = HealthError, err.Error()
	case health.Status == HealthUnknown:
		health.Status = HealthOK
	}
	return &wire.CheckHealthResponse{
		Status:      wire.CheckHealthResponse_HealthStatus(health.Status),
		Message:     health.Message,
		JsonDetails: health.Details,
	}, nil
}

func (s *server) CollectMetrics(context.Context, *wire.CollectMetricsRequest) (*wire.CollectMetricsResponse, error) {
	text, err := s.metrics.text(s.instances.registries())
	if err != nil {
		s.logger.Error("some metrics are missing", keyError, err)
	}
	return &wire.CollectMetricsResponse{Metrics: &wire.CollectMetricsResponse_Payload{Prometheus: text}}, nil
}
