package process

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
)

// Remote is a plugin that somebody else runs: a connection to it, which lives as
// long as nothing breaks it. Its methods may be called from many goroutines.
type Remote struct {
	address  string
	conn     *grpc.ClientConn
	cancel   context.CancelFunc
	watching sync.WaitGroup
	done     chan struct{}
	err      error // set when done is closed
}

// RemoteConfig says where a plugin is, and how both ends prove who they are.
type RemoteConfig struct {
	Address string
	TLS     *tls.Config
	// StartTimeout bounds how long the first answer may take; 0 means
	// DefaultStartTimeout.
	StartTimeout time.Duration
}

// Connect returns when the plugin at an address answers, or why it does not.
// The context bounds that only. Every Remote needs a Stop.
func Connect(ctx context.Context, c RemoteConfig) (*Remote, error) {
	if c.StartTimeout == 0 {
		c.StartTimeout = DefaultStartTimeout
	}
	options := append(dialOptions(),
		grpc.WithTransportCredentials(credentials.NewTLS(c.TLS)), grpc.WithIdleTimeout(0),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32), grpc.MaxCallSendMsgSize(math.MaxInt32)))
	conn, err := grpc.NewClient("dns:///"+c.Address, options...)
	if err != nil {
		return nil, fmt.Errorf("its address %s: %w", c.Address, err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.StartTimeout)
	defer cancel()
	if err := probe(ctx, conn); err != nil {
		return nil, errors.Join(fmt.Errorf("nothing answers at its address %s (is it there, and does it know this host's certificate?): %w", c.Address, err), conn.Close())
	}
	r := &Remote{address: c.Address, conn: conn, done: make(chan struct{})}
	alive, end := context.WithCancel(context.Background())
	r.cancel = end
	r.watching.Go(func() { r.watch(alive) })
	return r, nil
}

// watch ends the Remote when its connection is no longer ready. gRPC would make
// another by itself; but calls on that would go to a plugin that nobody has
// seen answer.
func (r *Remote) watch(ctx context.Context) {
	r.conn.WaitForStateChange(ctx, connectivity.Ready)
	if r.err = fmt.Errorf("its connection to %s has ended", r.address); ctx.Err() != nil {
		r.err = fmt.Errorf("its connection to %s was closed", r.address)
	}
	close(r.done)
}

// Probe asks for a sign of life.
func (r *Remote) Probe(ctx context.Context) error { return probe(ctx, r.conn) }

// Conn is the connection to the plugin.
func (r *Remote) Conn() *grpc.ClientConn { return r.conn }

// PID is 0: the process is another machine's.
func (r *Remote) PID() int { return 0 }

// Done is closed when the connection has ended.
func (r *Remote) Done() <-chan struct{} { return r.done }

// Err says how it ended; nil as long as it has not.
func (r *Remote) Err() error {
	select {
	case <-r.done:
		return r.err
	default:
		return nil
	}
}

// Kill ends the connection. The plugin lives on.
func (r *Remote) Kill() { r.cancel() }

// Stop ends the connection, and returns when nothing of it is left.
func (r *Remote) Stop() {
	r.cancel()
	r.watching.Wait()
	_ = r.conn.Close() // closed before, at worst
}
