package plugin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// The handshake, as every host and plugin of this protocol knows it.
const (
	cookieKey       = "grafana_plugin_type"
	cookieValue     = "datasource"
	coreProtocol    = 1
	protocolVersion = 2
)

// Main serves p to the host that started this process, and exits the process
// when the host has no more need of it. It is all that main need do.
func Main(p Plugin) {
	stderr := os.Stderr // go-plugin puts a pipe in its place
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	err := Serve(ctx, p)
	stop()
	switch {
	case errors.Is(err, errLed):
		os.Exit(handedOver)
	case err != nil:
		fmt.Fprintln(stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Serve serves p to the host that started this process: as Main does, for a
// binary in which the plugin is one command among others. It takes over
// os.Stdout and os.Stderr, so a process can call it once.
//
// It returns nil when the host has asked the plugin to end or ctx has, and an
// error if there is no host, or no longer. Calls under way have then ended, at
// most six seconds after they were asked to, and instances are closed.
//
// Started by a person, with PLUGBOARD_STANDALONE=1 or with the one argument
// -standalone, it serves at an address of its own until Ctrl-C, for a debugger
// to look on: a host that runs the plugin, Grafana or Plugboard, then comes to
// this process. PLUGBOARD_STANDALONE=DIR names the folder of the plugin.json,
// which is otherwise looked for beside the executable and in the working
// directory. Flags are not parsed: they are the plugin's own.
func Serve(ctx context.Context, p Plugin) error {
	if err := p.check(); err != nil {
		return err
	}
	p, err := p.obeyOperator()
	if err != nil {
		return err
	}
	if folder, asked := standaloneAsked(); asked {
		return serveStandalone(ctx, p, folder)
	}
	if os.Getenv(cookieKey) != cookieValue {
		return errors.New(p.introduction())
	}
	host, home := newHostWatch(), executableHome()
	if address := home.standalone(); address != "" && reachable(address) {
		return home.locate(ctx, host, address)
	}
	defer takeBrokenPipes()()
	log := hclog.New(&hclog.LoggerOptions{Level: logLevel(), Output: os.Stderr, JSONFormat: true})
	s := newServer(p, slog.New(logHandler{to: log}))
	defer s.startTracing()()
	s.answers.host = host
	serving := newServing()

	ctx, cancel := context.WithCancelCause(ctx)
	var watchers sync.WaitGroup
	watchers.Go(func() {
		if err := host.run(ctx); err != nil {
			cancel(err)
		}
	})
	watchers.Go(func() {
		if err := home.awaitStandalone(ctx); err != nil {
			cancel(err)
		}
	})
	watchers.Go(func() { serving.stopWith(ctx, s) })

	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: goplugin.HandshakeConfig{
			ProtocolVersion:  protocolVersion,
			MagicCookieKey:   cookieKey,
			MagicCookieValue: cookieValue,
		},
		VersionedPlugins: map[int]goplugin.PluginSet{protocolVersion: {"plugin": grpcPlugin{server: s}}},
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			server := grpc.NewServer(append(opts, s.options()...)...)
			serving.begin(server)
			return server
		},
		Logger: log.Named("go-plugin"),
	})
	serving.end()
	cause := context.Cause(ctx)
	cancel(nil)
	watchers.Wait()
	s.drain()
	if errors.Is(cause, errHostGone) || errors.Is(cause, errLed) {
		return cause
	}
	if !serving.begun.Load() {
		return errors.New("serving failed: the log has the reason")
	}
	return nil
}

// takeBrokenPipes keeps the process alive when it writes to a log that nobody
// reads any more, as that of a host that has died: instances are still to be
// closed then. Unlike an ignored signal, child processes do not inherit it.
func takeBrokenPipes() (stop func()) {
	taken := make(chan os.Signal, 1)
	signal.Notify(taken, syscall.SIGPIPE)
	return func() { signal.Stop(taken) }
}

// ServeListener serves p on a listener, without a host that starts it, until
// ctx ends; then it does as Serve does, and closes the listener. Who may
// connect is for the listener to say.
func ServeListener(ctx context.Context, p Plugin, listener net.Listener, logger *slog.Logger) error {
	if err := p.check(); err != nil {
		return err
	}
	s := newServer(p, logger)
	defer s.startTracing()()
	server := grpc.NewServer(s.options()...)
	s.register(server)

	serving := newServing()
	serving.begin(server)
	var stopping sync.WaitGroup
	stopping.Go(func() { serving.stopWith(ctx, s) })
	err := server.Serve(listener)
	serving.end()
	stopping.Wait()
	s.drain()
	return err
}

// serving is the time from the making of a gRPC server to its stop.
type serving struct {
	made  chan *grpc.Server
	begun atomic.Bool
	ended chan struct{}
}

func newServing() *serving {
	return &serving{made: make(chan *grpc.Server, 1), ended: make(chan struct{})}
}

func (s *serving) begin(server *grpc.Server) {
	s.begun.Store(true)
	s.made <- server
}

func (s *serving) end() { close(s.ended) }

// stopWith drains and stops the gRPC server when ctx ends, unless it stops by
// itself.
func (s *serving) stopWith(ctx context.Context, calls *server) {
	select {
	case <-ctx.Done():
		calls.drain()
	case <-s.ended:
		return
	}
	select {
	case server := <-s.made:
		server.Stop()
	case <-s.ended:
	}
}

func (s *server) options(more ...grpc.ServerOption) []grpc.ServerOption {
	return append(more,
		grpc.MaxRecvMsgSize(math.MaxInt32),
		grpc.MaxSendMsgSize(math.MaxInt32),
		grpc.ChainUnaryInterceptor(s.drainFirst),
		grpc.StatsHandler(&s.answers),
	)
}

// drainFirst lets calls end before go-plugin's Shutdown cuts the connections.
func (s *server) drainFirst(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if info.FullMethod == "/plugin.GRPCController/Shutdown" {
		s.drain()
	}
	return handler(ctx, req)
}

// grpcPlugin puts our services beside go-plugin's own.
type grpcPlugin struct {
	goplugin.NetRPCUnsupportedPlugin
	server *server
}

func (p grpcPlugin) GRPCServer(_ *goplugin.GRPCBroker, server *grpc.Server) error {
	p.server.register(server)
	return nil
}

func (grpcPlugin) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("this is the plugin's end")
}

// check reports what keeps a plugin from being served.
func (p Plugin) check() error {
	if p.open == nil {
		return errors.New("this plugin was not made by plugin.DataSource or plugin.App")
	}
	if p.faults != nil {
		return fmt.Errorf("this %s cannot be served: %w", p.noun, p.faults)
	}
	return nil
}

// introduction is for a person who started the binary by hand.
func (p Plugin) introduction() string {
	name, dir := "This", "DIR"
	if path, err := os.Executable(); err == nil {
		name, dir = filepath.Base(path), filepath.Dir(path)
	}
	return fmt.Sprintf(`%s is a %s plugin: a host starts it and talks to it. To use it,
	plugboard serve --plugins %s
or let Grafana find it in its plugins folder. To look on with a debugger while
a host uses it, start it with %s=1.`, name, p.noun, dir, standaloneKey)
}
