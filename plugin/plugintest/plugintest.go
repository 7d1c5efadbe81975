// Package plugintest runs a plugin inside a test, over gRPC but without a
// process or a port.
package plugintest

import (
	"context"
	"log/slog"
	"math"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/plugboard/plugboard/plugin"
)

// Start serves p until the test ends, and returns a client to it. What the
// plugin logs goes to the test's log.
func Start(t testing.TB, p plugin.Plugin) *plugin.Client {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	listener := bufconn.Listen(1 << 20)
	served := make(chan error, 1)
	go func() {
		served <- plugin.ServeListener(ctx, p, listener, slog.New(slog.NewTextHandler(t.Output(), nil)))
		listener.Close() // where p is not fit to be served
	}()
	conn, err := grpc.NewClient("passthrough:plugin",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)), // as for a process
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return plugin.NewClient(conn)
}
