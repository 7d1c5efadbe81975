// Package otlp sends spans to an OpenTelemetry collector, by OTLP over gRPC.
//
// A plugin links it only if its author writes
//
//	plugin.Main(plugin.DataSource(open).Trace(otlp.FromEnv))
package otlp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"

	"github.com/plugboard/plugboard/trace"
)

// Environment variables by which Grafana, and our host, tell plugins where
// traces go.
const (
	AddressVariable      = "GF_INSTANCE_OTLP_ADDRESS"
	PropagationVariable  = "GF_INSTANCE_OTLP_PROPAGATION"
	SamplerTypeVariable  = "GF_INSTANCE_OTLP_SAMPLER_TYPE"
	SamplerParamVariable = "GF_INSTANCE_OTLP_SAMPLER_PARAM"
)

// Config says where spans go. The zero Config is complete but for an Address.
type Config struct {
	// Address is the collector's, host:port, without TLS.
	Address string
	// Sampler decides which of the traces that begin here are recorded:
	// "const" or "" by SamplerParam all or none, "probabilistic" that part of
	// them, "rateLimiting" so many a second.
	Sampler      string
	SamplerParam float64
	// Logger is told when the collector cannot be reached, and when it can
	// again. Nil discards it.
	Logger *slog.Logger
}

// FromEnv returns an Exporter if the host asked for traces, and nil if it did
// not. It is what plugin.Plugin's Trace takes. A host that propagates by
// Jaeger's header alone is told that its traces are not continued.
func FromEnv(logger *slog.Logger) (trace.Tracer, error) {
	config := Config{Address: os.Getenv(AddressVariable), Sampler: os.Getenv(SamplerTypeVariable), SamplerParam: 1, Logger: logger}
	if config.Address == "" {
		return nil, nil
	}
	if text := os.Getenv(SamplerParamVariable); text != "" {
		if _, err := fmt.Sscan(text, &config.SamplerParam); err != nil {
			return nil, fmt.Errorf("%s is %q, want a number", SamplerParamVariable, text)
		}
	}
	e, err := New(config)
	if err != nil {
		return nil, err // not e: a nil *Exporter is no nil Tracer
	}
	if p := os.Getenv(PropagationVariable); p != "" && !strings.Contains(p, "w3c") {
		e.config.Logger.Warn("traces of the host are not continued: only W3C trace context is understood", "propagation", p)
	}
	return e, nil
}

// Exporter is a trace.Tracer. When the collector is away or too slow it keeps
// some spans, and drops others rather than wait.
type Exporter struct {
	config  Config
	sampler sampler
	enough  chan struct{} // wakes Run
	// lastTime is what Run has left when its context ends.
	lastTime time.Duration

	mu      sync.Mutex
	waiting []trace.Record
	dropped int
}

const (
	// most spans that wait to be sent, and that one message takes.
	mostWaiting = 4096
	mostSent    = 512
	// interval is how long a span waits.
	interval = 5 * time.Second
	// sendTime bounds one message, lastTime all that are left at the end: a
	// host kills a plugin that takes longer to end than 2 s.
	sendTime = 10 * time.Second
	lastTime = time.Second
)

// New returns an Exporter that sends once it is Run.
func New(c Config) (*Exporter, error) {
	if _, _, err := net.SplitHostPort(c.Address); err != nil {
		return nil, fmt.Errorf("the OTLP address is %q, want host:port", c.Address)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	sampler, err := newSampler(c.Sampler, c.SamplerParam)
	if err != nil {
		return nil, err
	}
	return &Exporter{config: c, sampler: sampler, enough: make(chan struct{}, 1), lastTime: lastTime}, nil
}

// Sample implements trace.Tracer.
func (e *Exporter) Sample(id trace.TraceID) bool { return e.sampler.sample(id) }

// Take implements trace.Tracer.
func (e *Exporter) Take(r trace.Record) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.waiting) == mostWaiting {
		e.dropped++
		return
	}
	e.waiting = append(e.waiting, r)
	if len(e.waiting) == mostSent {
		select {
		case e.enough <- struct{}{}:
		default:
		}
	}
}

// Run sends spans until ctx ends. It returns an error if some were not sent.
func (e *Exporter) Run(ctx context.Context) (err error) {
	conn, err := grpc.NewClient(e.config.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	// A message that is under way when ctx ends is not cut off, as it would be
	// sent twice then.
	sending, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(e.lastTime, cut) })()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	reachable := true
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			continue
		case <-e.enough:
		case <-tick.C:
		}
		failed := e.sendAll(sending, conn)
		if ctx.Err() == nil && reachable != (failed == nil) {
			reachable = failed == nil
			e.tell(failed)
		}
	}
	failed := e.sendAll(sending, conn)
	e.mu.Lock()
	defer e.mu.Unlock()
	if lost := len(e.waiting) + e.dropped; lost > 0 {
		return fmt.Errorf("%d spans were not sent to %s: %w", lost, e.config.Address, failed)
	}
	return nil
}

func (e *Exporter) tell(failed error) {
	if failed == nil {
		e.config.Logger.Info("traces are sent again", "address", e.config.Address)
		return
	}
	e.config.Logger.Warn("traces cannot be sent", "address", e.config.Address, "error", failed)
}

// sendAll sends what waits. What it cannot send waits on.
func (e *Exporter) sendAll(ctx context.Context, conn *grpc.ClientConn) error {
	for {
		e.mu.Lock()
		spans := e.waiting[:min(len(e.waiting), mostSent)]
		e.mu.Unlock()
		if len(spans) == 0 {
			return nil
		}
		if err := send(ctx, conn, spans); err != nil {
			return err
		}
		e.mu.Lock()
		e.waiting = append([]trace.Record(nil), e.waiting[len(spans):]...)
		e.mu.Unlock()
	}
}

func send(ctx context.Context, conn *grpc.ClientConn, spans []trace.Record) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	return conn.Invoke(ctx, exportMethod, appendRequest(nil, spans), nil, grpc.ForceCodecV2(written{}))
}

const exportMethod = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

// written is the codec of a message that is written already. Nobody reads the
// answer.
type written struct{}

func (written) Name() string { return proto.Name }

func (written) Marshal(message any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(message.([]byte))}, nil
}

func (written) Unmarshal(mem.BufferSlice, any) error { return nil }
