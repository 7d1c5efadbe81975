package plugin_test

import (
	"bufio"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

// atMost is how many connections an instance of these tests may have.
const atMost = 4

// link is an instance that holds connections to something.
type link interface {
	ask(context.Context) error
	io.Closer
}

// linked is an instance with a link of any kind.
type linked struct{ link }

func (l *linked) Query(ctx context.Context, _ plugin.Query[struct{}]) (frame.Frames, error) {
	return frame.Frames{}, l.ask(ctx)
}

// connections counts those that are open, and those that ever were.
type connections struct{ open, ever atomic.Int64 }

func (c *connections) begin() (end func()) {
	c.open.Add(1)
	c.ever.Add(1)
	return sync.OnceFunc(func() { c.open.Add(-1) })
}

// TestConnections asks a data source of each kind from many goroutines while
// its settings change, and looks at how many connections its other end has: few
// while it works, and none when the data source was deleted.
func TestConnections(t *testing.T) {
	for kind, dial := range map[string]func(*testing.T, *connections) func() (link, error){
		"HTTP": dialHTTP, "SQL": dialSQL, "gRPC": dialGRPC, "TCP": dialTCP, "UDP": dialUDP,
	} {
		t.Run(kind, func(t *testing.T) {
			var c connections
			open := dial(t, &c)
			var opened atomic.Int64
			client := plugintest.Start(t, plugin.DataSource(func(context.Context, plugin.Settings[struct{}]) (*linked, error) {
				opened.Add(1)
				l, err := open()
				return &linked{l}, err
			}))
			const versions = 4
			for version := range versions {
				settings := source(fmt.Sprintf(`{"version":%d}`, version))
				var asking sync.WaitGroup
				for range 50 {
					asking.Go(func() {
						for range 10 {
							response, err := client.Query(t.Context(), &plugin.QueryRequest{Context: settings, Queries: []plugin.DataQuery{query("A", `{}`)}})
							if err != nil || response.Responses["A"].Error != "" {
								t.Errorf("%+v, %v", response, err)
							}
						}
					})
				}
				asking.Wait()
			}
			if opened.Load() != versions || c.ever.Load() > 2*versions*atMost { // net/http may open one in vain
				t.Errorf("%d instances had %d connections for %d queries", opened.Load(), c.ever.Load(), versions*500)
			}
			if err := client.Forget(t.Context(), source(`{}`)); err != nil {
				t.Fatal(err)
			}
			eventually(t, "end of the connections", func() bool { return c.open.Load() == 0 })
		})
	}
}

// counting is a listener whose connections are counted.
type counting struct {
	net.Listener
	*connections
}

type countedConn struct {
	net.Conn
	end func()
}

func (c countedConn) Close() error { c.end(); return c.Conn.Close() }

func (l counting) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return countedConn{conn, l.begin()}, nil
}

func listen(t *testing.T, c *connections) counting {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return counting{l, c}
}

type httpLink struct {
	client *http.Client
	url    string
}

func (l httpLink) ask(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url, nil)
	if err != nil {
		return err
	}
	answer, err := l.client.Do(r)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return errors.Join(err, answer.Body.Close())
}

func (l httpLink) Close() error { l.client.CloseIdleConnections(); return nil }

func dialHTTP(t *testing.T, c *connections) func() (link, error) {
	l := listen(t, c)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hi") })}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	return func() (link, error) {
		transport := &http.Transport{MaxConnsPerHost: atMost, MaxIdleConnsPerHost: atMost}
		return httpLink{&http.Client{Transport: transport}, "http://" + l.Addr().String()}, nil
	}
}

type grpcLink struct{ *grpc.ClientConn }

func (l grpcLink) ask(ctx context.Context) error {
	_, err := grpc_health_v1.NewHealthClient(l).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	return err
}

func dialGRPC(t *testing.T, c *connections) func() (link, error) {
	l := listen(t, c)
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	return func() (link, error) {
		conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
		return grpcLink{conn}, err
	}
}

// lineLink is one connection that questions take turns on.
type lineLink struct {
	turn   chan struct{}
	conn   net.Conn
	answer *bufio.Reader
}

func newLineLink(conn net.Conn) link {
	return &lineLink{make(chan struct{}, 1), conn, bufio.NewReader(conn)}
}

func (l *lineLink) ask(ctx context.Context) error {
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-l.turn }()
	if _, err := fmt.Fprintln(l.conn, "hi"); err != nil {
		return err
	}
	_, err := l.answer.ReadString('\n')
	return err
}

func (l *lineLink) Close() error { return l.conn.Close() }

func dialTCP(t *testing.T, c *connections) func() (link, error) {
	l := listen(t, c)
	var echoing sync.WaitGroup
	echoing.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			echoing.Go(func() { _, _ = io.Copy(conn, conn); conn.Close() })
		}
	})
	t.Cleanup(func() { l.Close(); echoing.Wait() })
	return func() (link, error) {
		conn, err := net.Dial("tcp", l.Addr().String())
		return newLineLink(conn), err
	}
}

func dialUDP(t *testing.T, c *connections) func() (link, error) {
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var echoing sync.WaitGroup
	echoing.Go(func() {
		b := make([]byte, 100)
		for {
			n, from, err := l.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = l.WriteTo(b[:n], from)
		}
	})
	t.Cleanup(func() { l.Close(); echoing.Wait() })
	return func() (link, error) {
		conn, err := net.Dial("udp", l.LocalAddr().String())
		if err != nil {
			return nil, err
		}
		return newLineLink(countedConn{conn, c.begin()}), nil // the other end does not see it close
	}
}

type sqlLink struct{ *sql.DB }

func (l sqlLink) ask(ctx context.Context) error { return l.PingContext(ctx) }

// database is a driver whose connections can do nothing but be there.
type database struct{ *connections }

func (d database) Connect(context.Context) (driver.Conn, error) { return databaseConn{d.begin()}, nil }
func (d database) Driver() driver.Driver                        { return nil }

type databaseConn struct{ end func() }

func (databaseConn) Prepare(string) (driver.Stmt, error) { return nil, driver.ErrSkip }
func (databaseConn) Begin() (driver.Tx, error)           { return nil, driver.ErrSkip }
func (databaseConn) Ping(context.Context) error          { return nil }
func (c databaseConn) Close() error                      { c.end(); return nil }

func dialSQL(_ *testing.T, c *connections) func() (link, error) {
	return func() (link, error) {
		db := sql.OpenDB(database{c})
		db.SetMaxOpenConns(atMost)
		db.SetMaxIdleConns(atMost)
		return sqlLink{db}, nil
	}
}
