package main

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/host/hosttest"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

func TestBackend(t *testing.T) {
	p := hosttest.Run(t, ".", plugin.Context{DataSource: &plugin.DataSourceSettings{
		UID: "g", URL: hosttest.Start(t, "./backend", "127.0.0.1:0"),
	}})
	if health, err := p.CheckHealth(); err != nil || health.Message != "the backend has 3 services" {
		t.Errorf("got %+v, %v", health, err)
	}
	for query, want := range map[string]string{
		`{}`:                    "=SERVING billing=NOT_SERVING orders=SERVING",
		`{"service":"billing"}`: "billing=NOT_SERVING",
	} {
		frames, err := p.Query(query)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		var rows []string
		for i := range frames[0].Rows() {
			rows = append(rows, fmt.Sprint(frames[0].Field("service").At(i), "=", frames[0].Field("status").At(i)))
		}
		if got := strings.Join(rows, " "); got != want {
			t.Errorf("%s: got %s", query, got)
		}
	}

	refused(t, p, `{"service":"attic"}`, "400 downstream: backend: rpc error: code = NotFound desc = unknown service")
	p.Context.DataSource.URL, p.Context.DataSource.Updated = "127.0.0.1:1", time.Now()
	refused(t, p, `{}`, "502 downstream: backend: rpc error: code = Unavailable ")
}

func refused(t *testing.T, p *hosttest.Plugin, query, want string) {
	t.Helper()
	_, err := p.Query(query)
	failure, ok := errors.AsType[*plugin.Error](err)
	if !ok {
		t.Fatalf("%s: got %v", query, err)
	}
	if got := fmt.Sprintf("%d %s: %s", failure.Status, failure.Source, failure.Message); !strings.HasPrefix(got, want) {
		t.Errorf("%s: got %s", query, got)
	}
}

// counted is a listener that counts whom it let in.
type counted struct {
	net.Listener
	mu sync.Mutex
	n  int
}

func (c *counted) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.mu.Lock()
		c.n++
		c.mu.Unlock()
	}
	return conn, err
}

// TestPoolAndStream runs the backend in the test, which changes its health.
func TestPoolAndStream(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	connections := &counted{Listener: listener}
	states, server := health.NewServer(), grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, states)
	states.SetServingStatus("orders", grpc_health_v1.HealthCheckResponse_SERVING)
	served := make(chan error, 1)
	go func() { served <- server.Serve(connections) }()
	defer func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	p := hosttest.Run(t, ".", plugin.Context{DataSource: &plugin.DataSourceSettings{
		UID: "g", URL: listener.Addr().String(), JSON: []byte(`{"connections":3}`),
	}})

	var many sync.WaitGroup
	for range 60 {
		many.Go(func() {
			if _, err := p.Query(`{"service":"orders"}`); err != nil {
				t.Error(err)
			}
		})
	}
	many.Wait()
	connections.mu.Lock()
	n := connections.n
	connections.mu.Unlock()
	if n != 3 {
		t.Errorf("sixty queries took %d connections", n)
	}

	subscription, err := p.Host.Subscribe(t.Context(), &plugin.StreamRequest{Context: p.Context, Path: "orders"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer subscription.Close()
	for _, state := range []grpc_health_v1.HealthCheckResponse_ServingStatus{
		grpc_health_v1.HealthCheckResponse_SERVING, grpc_health_v1.HealthCheckResponse_NOT_SERVING,
	} {
		states.SetServingStatus("orders", state)
		packet, err := subscription.Next(t.Context())
		if err != nil || !strings.Contains(string(packet), `["`+state.String()+`"]`) {
			t.Errorf("%v: got %s, %v", state, packet, err)
		}
	}
	_, err = p.Host.Subscribe(t.Context(), &plugin.StreamRequest{Context: p.Context, Path: "attic"}, nil)
	if !errors.Is(err, host.ErrStreamNotFound) {
		t.Errorf("no such service: got %v", err)
	}
}

func TestSuite(t *testing.T) {
	plugintest.Suite(t, plugin.DataSource(open), plugintest.Subject{
		Context: plugin.Context{DataSource: &plugin.DataSourceSettings{UID: "g", URL: hosttest.Start(t, "./backend", "127.0.0.1:0")}},
		Query:   `{"service":"billing"}`, BadQueries: []string{`{"service":"attic"}`},
	})
}
