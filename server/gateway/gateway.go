// Package gateway is the HTTP API: requests become calls to plugins and to the
// store, and the answers are those that clients of Grafana know.
package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/access"
	"github.com/plugboard/plugboard/server/datasource"
)

// Config says what the gateway stands on. Host, Store and Guard are required.
type Config struct {
	Host  Host
	Store datasource.Store
	Guard Guard
	// Accounts are the service accounts that /api/serviceaccounts shows and
	// changes; nil means that it is not there.
	Accounts *access.Accounts
	// Metrics serves /metrics, to anybody who asks; nil means that it is not
	// there.
	Metrics http.Handler
	// Observe is told of every call to a plugin; nil means nobody is. The
	// labels are of what is installed and configured, never of what a client
	// made up.
	Observe func(plugin, source, endpoint string, took time.Duration, err error)
	// History is what /api/plugins/:id/history shows; nil means that it is not
	// there.
	History History
	// Version and Commit are what /api/health tells of this build.
	Version, Commit string
	// MaxBody bounds a request's body in bytes; 0 means 16 MiB, which is what
	// plugins on the official SDK accept.
	MaxBody int64
	// Logger is told what an operator could act on; nil means nobody is.
	Logger *slog.Logger
}

// Host is what the gateway asks of the plugin host, a *host.Host.
type Host interface {
	Plugins() []host.Plugin
	Plugin(id string) (host.Plugin, bool)
	Faults() []host.Fault
	Describe(ctx context.Context, id string) (plugin.Description, error)
	Schema(ctx context.Context, id string) (host.Schema, error)
	Start(ctx context.Context, id string) error
	Stop(ctx context.Context, id string) error
	Restart(ctx context.Context, id string) error
	Reload(ctx context.Context, id string, check func(context.Context, host.Candidate) error) error
	Upgrade(ctx context.Context, id, from string, signed bool, check func(context.Context, host.Candidate) error) error
	Rollback(ctx context.Context, id string, check func(context.Context, host.Candidate) error) error
	Versions(id string) (host.Versions, error)
	Events(id string, after int64) ([]host.Event, <-chan struct{}, error)
	Logs(id string, after int64) ([]host.LogLine, <-chan struct{}, error)

	QueryFunc(ctx context.Context, req *plugin.QueryRequest, use func(answer *plugin.QueryResponse, release func()) error) error
	Chunked(ctx context.Context, id string) (bool, error)
	QueryChunks(ctx context.Context, req *plugin.QueryRequest, send func(plugin.Chunk) error) error
	CheckHealth(ctx context.Context, req *plugin.HealthRequest) (plugin.Health, error)
	CallResource(ctx context.Context, req *plugin.ResourceRequest, send func(plugin.ResourceResponse) error) error
	Metrics(ctx context.Context, id string) ([]byte, error)

	Subscribe(ctx context.Context, req *plugin.StreamRequest, renew func(context.Context) (plugin.Context, error)) (*host.Subscription, error)
	Publish(ctx context.Context, req *plugin.StreamRequest) (plugin.StreamReply, error)
	RenewStreams(pluginID, uid string)
	Forget(ctx context.Context, deleted plugin.Context) error
}

// Guard tells who makes a request. Its errors are those of package access.
type Guard interface {
	Identify(r *http.Request) (access.User, error)
}

// Door is a Guard that one can log in to, for /login and /logout.
type Door interface {
	Guard
	Login(w http.ResponseWriter, r *http.Request) (access.User, error)
	Logout(w http.ResponseWriter, r *http.Request) error
}

// Gateway is the HTTP API as a handler.
type Gateway struct {
	host     Host
	store    datasource.Store
	guard    Guard
	accounts *access.Accounts
	observer func(plugin, source, endpoint string, took time.Duration, err error)
	history  History
	version  string
	commit   string
	maxBody  int64
	log      *slog.Logger
	handler  http.Handler
	held     *held // answers of requests over several data sources
	slow     *held // answers that slow clients read

	subscribe  func(context.Context, *plugin.StreamRequest, func(context.Context) (plugin.Context, error)) (subscription, error)
	endStreams func()
	streaming  context.Context // ends when streams are to end
}

// Keys of log lines.
const (
	keyPlugin = "plugin"
	keySource = "source"
	keyPath   = "path"
	keyError  = "error"
)

const defaultMaxBody = 16 << 20

// New returns the gateway.
func New(c Config) *Gateway {
	g := &Gateway{
		host:     c.Host,
		store:    c.Store,
		guard:    c.Guard,
		accounts: c.Accounts,
		observer: c.Observe,
		history:  c.History,
		version:  c.Version,
		commit:   c.Commit,
		maxBody:  c.MaxBody,
		log:      c.Logger,
		held:     newHeld(heldBytes),
		slow:     newHeld(slowBytes),
	}
	if g.maxBody == 0 {
		g.maxBody = defaultMaxBody
	}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	g.subscribe = func(ctx context.Context, req *plugin.StreamRequest, renew func(context.Context) (plugin.Context, error)) (subscription, error) {
		return c.Host.Subscribe(ctx, req, renew)
	}
	g.streaming, g.endStreams = context.WithCancel(context.Background())
	g.handler = g.router(c)
	return g
}

// EndStreams ends all responses that would go on for ever, and those to come.
// It is for http.Server.RegisterOnShutdown.
func (g *Gateway) EndStreams() { g.endStreams() }

// ServeHTTP answers a request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "deny")
	g.handler.ServeHTTP(w, r)
}

// router finds the route of a request. Resource paths stay out of the mux: it
// would redirect from paths that it cleans, and plugins get theirs as they are.
func (g *Gateway) router(c Config) http.Handler {
	mux := http.NewServeMux()
	var resources http.Handler
	for _, route := range g.routes(c) {
		handler := g.open(route.handler)
		if route.least != "" {
			handler = g.allowed(route.least, route.handler)
		}
		if route.pattern == resourcePattern {
			resources = handler
		} else {
			mux.Handle(route.pattern, handler)
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := parseResourcePath(r.URL.EscapedPath()); ok {
			resources.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}
