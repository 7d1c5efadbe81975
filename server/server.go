// Package server is the whole server: the one place that wires store, plugins,
// HTTP API and console together.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/access"
	"github.com/plugboard/plugboard/server/config"
	"github.com/plugboard/plugboard/server/console"
	"github.com/plugboard/plugboard/server/datasource"
	"github.com/plugboard/plugboard/server/datasource/sqlstore"
	"github.com/plugboard/plugboard/server/gateway"
	"github.com/plugboard/plugboard/server/history"
	"github.com/plugboard/plugboard/server/telemetry"
	"github.com/plugboard/plugboard/trace"
	"github.com/plugboard/plugboard/trace/otlp"
)

// Config is what the server is told, by the operator and by the program that it
// is part of. The zero Config runs.
type Config struct {
	config.Config
	// Bundled plugins come with the program.
	Bundled []host.Bundled
	// Version and Commit are of the program.
	Version, Commit string
	// Landing is the page of the console that "/" leads to; empty means its home.
	Landing string
	// Logger gets what an operator should know; nil discards it.
	Logger *slog.Logger
}

// VersionsDir is the folder of Config.Data for versions of plugins that were
// installed by an upgrade.
const VersionsDir = "versions"

// Server is a server whose store is open and whose address is taken.
type Server struct {
	config    Config
	log       *slog.Logger
	store     *sqlstore.Store
	accounts  *access.Accounts
	host      *host.Host
	gateway   *gateway.Gateway
	telemetry *telemetry.Telemetry
	history   *history.History
	tracer    trace.Tracer // nil if traces go nowhere
	listener  net.Listener
	generated string
	reloading sync.Mutex

	writeTimeout time.Duration
}

// Limits of the HTTP server. There is none on how long an answer takes:
// streams have no end.
const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeader         = 64 << 10
	// forgetTime bounds how long a reload waits for plugins that are told of
	// deleted data sources.
	forgetTime = 5 * time.Second
	// shutdownTimeout is how long requests may go on after the server was told
	// to stop.
	shutdownTimeout = 10 * time.Second
)

// New opens the store, applies the provisioning files and takes the address,
// but answers nobody yet. A Server that New returned must be Run, which closes
// all of it. A fault in a provisioning file is logged and costs that file's
// part; the server starts all the same.
func New(ctx context.Context, c Config) (*Server, error) {
	c.Config = c.WithDefaults()
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("server configuration: %w", err)
	}
	s := &Server{config: c, log: c.Logger, writeTimeout: writeTimeout}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *Server) open(ctx context.Context) (err error) {
	c := s.config
	s.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return err
	}
	s.store, err = sqlstore.Open(ctx, c.Data, sqlstore.KeySource{Value: string(c.SecretKey), File: c.SecretKeyFile})
	if err != nil {
		return fmt.Errorf("open the store in %s: %w", c.Data, err)
	}
	stateDir, err := filepath.Abs(filepath.Join(c.Data, "plugins"))
	if err != nil {
		return err
	}
	versionsDir, err := filepath.Abs(filepath.Join(c.Data, VersionsDir))
	if err != nil {
		return err
	}
	s.host, err = host.New(host.Config{
		PluginDirs: c.PluginDirs, DevDirs: c.Dev, Bundled: c.Bundled, AllowUnsigned: c.AllowUnsigned, TrustedKeys: c.Trust, RootURL: c.RootURL,
		PluginEnv: c.PluginSettings, Chunked: c.ChunkedPlugins, Logger: s.log,
		OTLPAddress: c.OTLPAddress, StartTimeout: c.StartTimeout, Crashes: c.Crashes, CrashWindow: c.CrashWindow,
		Limits: c.Limits, Remote: c.Remote,
		Sandbox: c.Sandbox, StateDir: stateDir, VersionsDir: versionsDir, Cgroup: c.Cgroup,
	})
	if err != nil {
		return err
	}
	for _, fault := range s.host.Faults() {
		s.log.Warn("plugin not loaded", "plugin", fault.PluginID, "path", fault.Path, "error", fault.Reason)
	}
	s.telemetry, err = telemetry.New(prometheus.NewRegistry(), c.Version, s.pluginStates)
	if err != nil {
		return fmt.Errorf("telemetry: %w", err)
	}
	s.history = history.New(s.readings)
	if c.OTLPAddress != "" {
		s.tracer, err = otlp.New(otlp.Config{Address: c.OTLPAddress, Sampler: "probabilistic", SamplerParam: *c.TraceRatio, Logger: s.log})
		if err != nil {
			return fmt.Errorf("tracing: %w", err)
		}
	}
	s.accounts, err = access.OpenAccounts(ctx, s.store, s.log)
	if err != nil {
		return err
	}
	// Last of what can fail: a password that is made up is kept from here on,
	// and must be shown.
	guard, generated, err := access.Open(ctx, access.Config{
		Passwords: s.store, Accounts: s.accounts, AdminPassword: string(c.AdminPassword), Anonymous: c.Anonymous,
	})
	if err != nil {
		return fmt.Errorf("open the login: %w", err)
	}
	s.generated = generated
	s.gateway = gateway.New(gateway.Config{
		Host: s.host, Store: s.store, Guard: guard, Accounts: s.accounts,
		Metrics: s.telemetry.Handler(), Observe: s.telemetry.Called, History: s.history,
		Version: c.Version, Commit: c.Commit, Logger: s.log,
	})
	s.Reload(ctx)
	return nil
}

func (s *Server) pluginStates() []telemetry.Plugin {
	var states []telemetry.Plugin
	for _, p := range s.host.Plugins() {
		if p.State != host.StateNoBackend {
			states = append(states, telemetryOf(p))
		}
	}
	return states
}

func telemetryOf(p host.Plugin) telemetry.Plugin {
	t := telemetry.Plugin{
		ID: p.Manifest.ID, Up: p.State == host.StateReady || p.State == host.StateDegraded, State: string(p.State), Restarts: p.Restarts,
		Entered: map[string]int{}, Exits: p.Exits, Calls: p.Calls, Waiting: p.Waiting,
	}
	if p.LastExit != nil {
		t.PeakRSS = p.LastExit.PeakRSS
	}
	for _, state := range host.States {
		t.Entered[string(state)] = p.Entered[state]
	}
	return t
}

// Addr is the address that the server listens on, as host:port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// GeneratedPassword is the admin's password if New had to make one up, which is
// at the first start only. It is kept nowhere: show it.
func (s *Server) GeneratedPassword() string { return s.generated }

// Host runs the server's plugins.
func (s *Server) Host() *host.Host { return s.host }

// Store keeps the server's data sources. What is changed here rather than
// through the API does not reach streams that run.
func (s *Server) Store() datasource.Store { return s.store }

// Reload reads and applies the provisioning files again. Faults are logged, and
// cost only the part of the files that has them.
func (s *Server) Reload(ctx context.Context) {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	wanted, err := config.ReadProvisioning(s.config.Provisioning)
	if err != nil {
		s.log.Error("provisioning file left out", "error", err)
	}
	for _, warning := range wanted.Warnings {
		s.log.Warn("provisioning", "warning", warning)
	}
	changes, err := datasource.Apply(ctx, s.store, wanted)
	if err != nil {
		s.log.Error("provisioning not applied", "error", err)
	}
	s.tellPlugins(ctx, changes)
	if n := len(changes.Created) + len(changes.Updated) + len(changes.Deleted) + len(changes.Apps); n > 0 {
		s.log.Info("provisioning applied", "created", len(changes.Created), "updated", len(changes.Updated),
			"deleted", len(changes.Deleted), "apps", len(changes.Apps))
	}
}

// tellPlugins makes what runs notice that settings have changed.
func (s *Server) tellPlugins(ctx context.Context, changes datasource.Changes) {
	ctx, cancel := context.WithTimeout(ctx, forgetTime)
	defer cancel()
	for _, d := range changes.Updated {
		s.host.RenewStreams(d.Type, d.UID)
	}
	for _, app := range changes.Apps {
		if app.Enabled {
			s.host.RenewStreams(app.PluginID, "")
			continue
		}
		if err := s.forget(ctx, plugin.Context{PluginID: app.PluginID}); err != nil {
			s.log.Warn("the plugin was not told that it is disabled", "plugin", app.PluginID, "error", err)
		}
	}
	for _, d := range changes.Deleted {
		err := s.forget(ctx, plugin.Context{PluginID: d.Type, DataSource: &plugin.DataSourceSettings{ID: d.ID, UID: d.UID}})
		if err != nil {
			s.log.Warn("the plugin was not told that a data source was deleted", "plugin", d.Type, "datasource", d.UID, "error", err)
		}
	}
}

// forget tells a plugin what is gone, if it is here to be told.
func (s *Server) forget(ctx context.Context, gone plugin.Context) error {
	err := s.host.Forget(ctx, gone)
	if errors.Is(err, host.ErrNotFound) || errors.Is(err, host.ErrNoBackend) {
		return nil
	}
	return err
}

// heapSlack is memory that is never touched, and so takes none, but counts as
// in use where the collector decides when to run. What lives here is a few
// megabytes, which small requests double many times a second: collecting took a
// tenth of their time. A higher GOGC would multiply what large answers take,
// this adds as much to them and no more.
const heapSlack = 32 << 20

// Run starts the plugins and answers requests until ctx ends, then ends what is
// open in the opposite order: streams, requests, plugins, the store. It returns
// when all has ended, and may be called once.
func (s *Server) Run(ctx context.Context) error {
	slack := make([]byte, heapSlack)
	defer runtime.KeepAlive(slack)
	defer s.startTracing()()
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	ran := make(chan error, 3)
	for _, run := range []func(context.Context) error{s.host.Run, s.accounts.Run, s.history.Run} {
		go func() { ran <- run(inner) }()
	}
	served := s.serve(ctx)
	stop()
	return errors.Join(served, <-ran, <-ran, <-ran, s.close())
}

// startTracing returns how to end it, once all else has ended.
func (s *Server) startTracing() (stop func()) {
	if s.tracer == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- s.tracer.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ran; err != nil {
			s.log.Warn("traces were lost", "error", err)
		}
	}
}

// serve answers requests until ctx ends, and lets those under way end.
func (s *Server) serve(ctx context.Context) error {
	api := timeBodies(s.telemetry.Counting(telemetry.Tracing(s.gateway, s.tracer, s.config.Version)), bodyTimeout)
	web := &http.Server{
		Handler:           timeWrites(console.New(console.Config{Landing: s.config.Landing}, api), s.writeTimeout),
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	web.RegisterOnShutdown(s.gateway.EndStreams)
	failed := make(chan error, 1)
	go func() { failed <- web.Serve(s.listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve HTTP on %s: %w", s.Addr(), err)
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := web.Shutdown(ending)
	if errors.Is(err, context.DeadlineExceeded) {
		s.log.Warn("requests cut off", "after", shutdownTimeout)
		err = web.Close()
	}
	<-failed
	return err
}

// close closes what open opened, last first. Serving closes the listener.
func (s *Server) close() error {
	var errs []error
	if s.listener != nil {
		if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	return errors.Join(errs...)
}
