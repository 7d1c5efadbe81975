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
	"syscall"

	"google.golang.org/grpc"
)

// Main serves p to the host that started this process, and exits the process
// when the host has no more need of it. It is all that main need do.
func Main(p Plugin) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	err := Serve(ctx, p)
	stop()
	switch {
	case errors.Is(err, errLed):
		os.Exit(handedOver)
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Serve serves p to the host that started this process: as Main does, for a
// binary in which the plugin is one command among others. Until it returns,
// what is printed to os.Stdout and os.Stderr goes to the host by its calls.
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
	return serveHost(ctx, p, host, home)
}

// serveHost serves p to the host that started this process. Another process
// may come to serve it standalone, at home.
func serveHost(ctx context.Context, p Plugin, host *hostWatch, home home) error {
	defer takeSignals()()
	s := newServer(p, slog.New(newLineHandler(os.Stderr, logLevel())))
	defer s.startTracing()()
	s.answers.host = host
	e, err := openEntrance()
	if err != nil {
		return fmt.Errorf("let the host in: %w", err)
	}
	defer e.listener.Close()
	if err := e.announce(os.Stdout); err != nil {
		return fmt.Errorf("let the host in: %w", err)
	}
	printed, err := takePrinted()
	if err != nil {
		return err
	}
	defer printed.giveBack()

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
	server := grpc.NewServer(s.options(grpc.Creds(e.credentials))...)
	s.registerProcess(server, printed, func() { cancel(nil) })
	err = s.serve(ctx, server, e.listener)
	cancel(nil)
	watchers.Wait()
	if cause := context.Cause(ctx); errors.Is(cause, errHostGone) || errors.Is(cause, errLed) {
		return cause
	}
	return err
}

// takeSignals keeps the process alive when it writes to a log that nobody reads
// any more, as that of a host that has died: instances are still to be closed
// then. Ctrl-C is for the host, which ends its plugins when it is ready to.
// Unlike ignored signals, child processes do not inherit these.
func takeSignals() (stop func()) {
	taken := make(chan os.Signal, 1)
	signal.Notify(taken, syscall.SIGPIPE, os.Interrupt)
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
	return s.serve(ctx, grpc.NewServer(s.options()...), listener)
}

// serve answers calls until ctx ends or the listener fails. Then it drains.
func (s *server) serve(ctx context.Context, server *grpc.Server, listener net.Listener) error {
	s.register(server)
	ctx, cancel := context.WithCancel(ctx)
	var stopping sync.WaitGroup
	stopping.Go(func() {
		<-ctx.Done()
		s.drain()
		server.Stop()
	})
	err := server.Serve(listener)
	cancel()
	stopping.Wait()
	if errors.Is(err, grpc.ErrServerStopped) { // before it had begun
		return nil
	}
	return err
}

func (s *server) options(more ...grpc.ServerOption) []grpc.ServerOption {
	return append(more,
		grpc.MaxRecvMsgSize(math.MaxInt32),
		grpc.MaxSendMsgSize(math.MaxInt32),
		grpc.StatsHandler(&s.answers),
	)
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
