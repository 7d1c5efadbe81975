// Package process runs one plugin process: it starts the executable, reads its
// handshake, connects to it, passes its log on and sees to it that it ends.
package process

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/plugboard/plugboard/host/internal/failpoint"

	"github.com/plugboard/plugboard/host/internal/sandbox"
)

// What both ends agree on before they talk. The cookie is the same for data
// sources, apps and panels.
const (
	cookieKey       = "grafana_plugin_type"
	cookieValue     = "datasource"
	protocolVersion = 2
)

// DefaultStartTimeout is go-plugin's.
const DefaultStartTimeout = 60 * time.Second

// stopGrace is how long a process may take to end by itself: go-plugin waits
// two seconds once the plugin has confirmed, and a hung one confirms nothing.
const stopGrace = 3 * time.Second

// Config says what to run.
type Config struct {
	// ID is the plugin's; it stands on every log line and in every error.
	ID string
	// Command is the executable and its arguments.
	Command []string
	// Verify, if there is one, is asked before every start about the SHA-256
	// of the executable. On Linux what is executed then is the very file that
	// was read for it; a script is refused.
	Verify func(sum [sha256.Size]byte) error
	// Env is the whole environment, as "KEY=value", but for what the
	// handshake adds: nothing is inherited.
	Env []string
	// Sandbox confines the process as Policy says; nil does not. Folder is the
	// plugin's own, State one it may keep things in; either may be empty.
	Sandbox       *sandbox.Sandbox
	Policy        sandbox.Policy
	Folder, State string
	// StartTimeout bounds a start, from exec to the first answer; 0 means
	// DefaultStartTimeout.
	StartTimeout time.Duration
	// Logger receives what the process logs. Nil discards it.
	Logger *slog.Logger
	// Debug passes on, too, what plugins log for debugging and once per
	// request. There is much of it, and reading it costs.
	Debug bool
}

// Process is a running plugin. Its methods may be called from many goroutines.
type Process struct {
	child  *child
	client *goplugin.Client
	conn   *grpc.ClientConn
	dir    *socketDir
	stop   sync.Once
}

// Start runs the executable and returns when it answers, or says what is wrong
// with it. The context bounds the start only. Every started process needs a
// Stop, also one that has ended by itself.
func Start(ctx context.Context, c Config) (*Process, error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.StartTimeout == 0 {
		c.StartTimeout = DefaultStartTimeout
	}
	if len(c.Command) == 0 {
		return nil, errors.New("there is no command to start it with")
	}
	dir, err := newSocketDir()
	if err != nil {
		return nil, fmt.Errorf("make a directory for its socket: %w", err)
	}
	p := &Process{dir: dir, child: newChild(c, dir.path)}
	p.client = goplugin.NewClient(p.clientConfig(c))
	if err := p.start(ctx, c.StartTimeout); err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}

// clientConfig hands go-plugin a process that we run ourselves. Its own way of
// running one would parse the log of the plugin with code that a hostile line
// can panic, stop reading at a long line, wait for ever for a pipe that a
// grandchild holds, and start from a thread that may end before the child.
func (p *Process) clientConfig(c Config) *goplugin.ClientConfig {
	return &goplugin.ClientConfig{
		HandshakeConfig:  goplugin.HandshakeConfig{MagicCookieKey: cookieKey, MagicCookieValue: cookieValue},
		VersionedPlugins: map[int]goplugin.PluginSet{protocolVersion: {}},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		RunnerFunc: func(_ hclog.Logger, spec *exec.Cmd, _ string) (runner.Runner, error) {
			p.child.cmd.Env = append(append(c.Env, spec.Env...), p.dir.env()...)
			return p.child, nil
		},
		SkipHostEnv:      true,
		StartTimeout:     c.StartTimeout + exitGrace, // ours comes first, and says more
		Logger:           hclog.NewNullLogger(),
		SyncStdout:       p.child.log.output("stdout"),
		SyncStderr:       p.child.log.output("stderr"),
		GRPCDialOptions:  dialOptions(),
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: p.dir.path},
	}
}

func (p *Process) start(ctx context.Context, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer context.AfterFunc(ctx, p.child.kill)()

	if _, err := p.client.Start(); err != nil {
		return p.child.explain(ctx, err)
	}
	failpoint.Reach(failpoint.Greeted)
	protocol, err := p.client.Client()
	if err != nil {
		return p.child.explain(ctx, err)
	}
	p.conn = protocol.(*goplugin.GRPCClient).Conn
	if err := p.Probe(ctx); err != nil {
		return p.child.explain(ctx, fmt.Errorf("it gave a handshake, but nothing answers at its address: %w", err))
	}
	failpoint.Reach(failpoint.Answered)
	return nil
}

// Probe asks for a sign of life.
func (p *Process) Probe(ctx context.Context) error { return probe(ctx, p.conn) }

// probe asks for a sign of life. Any answer will do: a plugin in standalone
// mode has no health service.
func probe(ctx context.Context, conn *grpc.ClientConn) error {
	request := &grpc_health_v1.HealthCheckRequest{Service: goplugin.GRPCServiceName}
	_, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, request)
	switch said := status.Convert(err); said.Code() {
	case codes.DeadlineExceeded:
		return errors.New("it says nothing in time")
	case codes.Unavailable, codes.Canceled:
		return errors.New(said.Message())
	}
	return nil
}

// Conn is the connection to the plugin. Calls on it fail once the process has
// ended.
func (p *Process) Conn() *grpc.ClientConn { return p.conn }

// PID is the process id, which others may use once Done is closed.
func (p *Process) PID() int { return p.child.pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.child.exited }

// Err says how the process ended; nil as long as it runs.
func (p *Process) Err() error {
	select {
	case <-p.child.exited:
		return p.child.exit
	default:
		return nil
	}
}

// Kill ends the process at once, without asking it.
func (p *Process) Kill() { p.child.kill() }

// Stop asks the process to end, kills it if it does not, and returns when
// nothing of it is left: no process of its group, no socket, no goroutine. It
// may be called at any time, and many times.
func (p *Process) Stop() {
	p.stop.Do(func() {
		failpoint.Reach(failpoint.Stopping)
		timer := time.AfterFunc(stopGrace, p.child.kill)
		defer timer.Stop()
		p.client.Kill()
		p.child.wait()
		failpoint.Reach(failpoint.Ended)
		p.dir.remove()
	})
}
