package otlp

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"

	"github.com/plugboard/plugboard/trace"
)

// collector takes messages, undecoded: conformance/ours decodes them with
// OpenTelemetry's own types.
type collector struct {
	mu       sync.Mutex
	messages [][]byte
}

func (c *collector) take(_ any, stream grpc.ServerStream) error {
	var message []byte
	if err := stream.RecvMsg(&message); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if method, _ := grpc.MethodFromServerStream(stream); method == exportMethod {
		c.messages = append(c.messages, message)
	}
	return stream.SendMsg([]byte{})
}

// spans counts those that are named.
func (c *collector) spans(name string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, message := range c.messages {
		n += bytes.Count(message, []byte(name))
	}
	return n
}

// bytesCodec hands messages over as they are.
type bytesCodec struct{ written }

func (bytesCodec) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

var _ encoding.CodecV2 = bytesCodec{}

func (c *collector) serve(t *testing.T, listener net.Listener) {
	t.Helper()
	server := grpc.NewServer(grpc.ForceServerCodecV2(bytesCodec{}), grpc.UnknownServiceHandler(c.take))
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// run runs e until stop is called, which returns what Run does.
func run(e *Exporter) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- e.Run(ctx) }()
	return func() error {
		cancel()
		return <-ran
	}
}

func someSpans(e *Exporter, n int) {
	for range n {
		_, span := trace.Start(trace.With(context.Background(), e, trace.Service{Name: "test"}), "some work")
		span.Set(slog.Group("of", "n", 1, "any", []int{2}))
		span.End()
	}
}

func TestExporter(t *testing.T) {
	c := &collector{}
	listener := listen(t, "127.0.0.1:0")
	c.serve(t, listener)
	e, err := New(Config{Address: listener.Addr().String(), SamplerParam: 1})
	if err != nil {
		t.Fatal(err)
	}
	e.lastTime = time.Minute // others use this machine too
	stop := run(e)
	someSpans(e, mostSent) // as many are sent at once
	for deadline := time.Now().Add(time.Minute); c.spans("some work") < mostSent; {
		if time.Now().After(deadline) {
			t.Fatalf("%d spans arrived", c.spans("some work"))
		}
	}
	someSpans(e, 3)
	if err := stop(); err != nil {
		t.Error(err)
	}
	if n := c.spans("some work"); n != mostSent+3 {
		t.Errorf("%d spans arrived", n)
	}
}

// TestCollectorAway checks that spans wait for it, not too many of them, and
// that nobody waits for the spans.
func TestCollectorAway(t *testing.T) {
	away := listen(t, "127.0.0.1:0")
	address := away.Addr().String()
	away.Close()
	var log bytes.Buffer
	e, err := New(Config{Address: address, SamplerParam: 1, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	someSpans(e, mostWaiting+5)
	e.lastTime = time.Minute // others use this machine too
	stop := run(e)
	if err := stop(); err == nil || !strings.Contains(err.Error(), "4101 spans were not sent to "+address) {
		t.Errorf("got %v", err)
	}
	c := &collector{}
	c.serve(t, listen(t, address))
	if stop = run(e); c.spans("some work") != 0 {
		t.Error("sent too early")
	}
	if err := stop(); err == nil || !strings.Contains(err.Error(), "5 spans were not sent") || c.spans("some work") != mostWaiting {
		t.Errorf("%d arrived, %v", c.spans("some work"), err)
	}
}

func TestFromEnv(t *testing.T) {
	if tracer, err := FromEnv(nil); tracer != nil || err != nil {
		t.Errorf("not asked for: %v, %v", tracer, err)
	}
	t.Setenv(AddressVariable, "localhost:4317")
	t.Setenv(SamplerTypeVariable, "probabilistic")
	t.Setenv(SamplerParamVariable, "0.500000")
	tracer, err := FromEnv(slog.Default())
	if err != nil || tracer.(*Exporter).sampler != ratio(.5) {
		t.Errorf("%v, %v", tracer, err)
	}
	var log bytes.Buffer
	for propagation, warned := range map[string]bool{"": false, "w3c": false, "jaeger,w3c": false, "jaeger": true} {
		log.Reset()
		t.Setenv(PropagationVariable, propagation)
		if _, err := FromEnv(slog.New(slog.NewTextHandler(&log, nil))); err != nil || strings.Contains(log.String(), "not continued") != warned {
			t.Errorf("propagation %q: %v, %s", propagation, err, log.String())
		}
	}
	for name, value := range map[string]string{AddressVariable: "localhost", SamplerTypeVariable: "remote", SamplerParamVariable: "much"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			if tracer, err := FromEnv(nil); tracer != nil || err == nil || !strings.Contains(err.Error(), value) {
				t.Errorf("%v, %v", tracer, err)
			}
		})
	}
}

func TestSamplers(t *testing.T) {
	low, high := trace.TraceID{15: 1}, trace.TraceID{8: 0xff}
	for _, test := range []struct {
		kind      string
		param     float64
		low, high bool
	}{
		{"", 1, true, true}, {"", 0, false, false}, {"const", 1, true, true},
		{"probabilistic", .5, true, false}, {"probabilistic", 7, true, true}, {"probabilistic", 0, false, false},
	} {
		s, err := newSampler(test.kind, test.param)
		if err != nil || s.sample(low) != test.low || s.sample(high) != test.high {
			t.Errorf("%q %v: %v, %v, %v", test.kind, test.param, s.sample(low), s.sample(high), err)
		}
	}
	for kind, param := range map[string]float64{"const": .5, "probabilistic": -1, "rateLimiting": math.NaN(), "remote": 1} {
		if _, err := newSampler(kind, param); err == nil {
			t.Errorf("%q takes %v", kind, param)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		s, err := newSampler("rateLimiting", 2)
		if err != nil {
			t.Fatal(err)
		}
		sampled := 0
		for range 50 { // five seconds
			if s.sample(low) {
				sampled++
			}
			time.Sleep(100 * time.Millisecond) // of the test's own time
		}
		if sampled < 11 || sampled > 12 {
			t.Errorf("%d in five seconds, two a second and two at first", sampled)
		}
	})
}
