// Package plugintest runs a plugin inside a test, over gRPC but without a
// process or a port, and checks what every plugin should do.
package plugintest

import (
	"context"
	"io"
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
	s, err := serve(p, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	return s.client
}

// served is a plugin that is being served.
type served struct {
	client *plugin.Client
	conn   *grpc.ClientConn
	cancel context.CancelFunc
	ended  chan error
	// goroutines tells those of the plugin that are running.
	goroutines func() string
}

func serve(p plugin.Plugin, log io.Writer) (*served, error) {
	ctx, cancel := context.WithCancel(context.Background())
	listener := bufconn.Listen(1 << 20)
	conn, err := grpc.NewClient("passthrough:plugin",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)), // as for a process
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		cancel()
		return nil, err
	}
	s := &served{client: plugin.NewClient(conn), conn: conn, cancel: cancel, ended: make(chan error, 1)}
	s.goroutines = marked(func() {
		s.ended <- plugin.ServeListener(ctx, p, listener, slog.New(slog.NewTextHandler(log, nil)))
		listener.Close() // where p is not fit to be served
	})
	return s, nil
}

// stop shuts the plugin down and returns when it has ended.
func (s *served) stop() error {
	s.cancel()
	if err := <-s.ended; err != nil {
		return err
	}
	return s.conn.Close()
}
