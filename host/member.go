package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/plugboard/plugboard/host/internal/catalog"
	"github.com/plugboard/plugboard/host/internal/gate"
	"github.com/plugboard/plugboard/host/internal/process"
	"github.com/plugboard/plugboard/host/internal/sandbox"
	"github.com/plugboard/plugboard/host/internal/supervisor"
	"github.com/plugboard/plugboard/host/internal/tail"
	"github.com/plugboard/plugboard/host/internal/trust"
	"github.com/plugboard/plugboard/plugin"
)

// member is an installed plugin and, if it has a backend, who keeps that alive.
type member struct {
	id string
	// current is the version that runs, or is to.
	current atomic.Pointer[version]
	// initial is the version that the first process is of.
	initial    atomic.Pointer[version]
	switching  sync.Mutex // held for a switch to another version
	supervisor *supervisor.Supervisor[*running]
	gate       *gate.Gate
	logs       *slog.Logger // the plugin's own
	logger     *slog.Logger // about it
	kept       *tail.Tail[LogLine]
	address    string // of a remote plugin
	// described is what one of the plugin's processes has said of itself.
	described atomic.Pointer[described]
	exits     exits
	policy    sandbox.Policy
	tiers     func() []SandboxTier // nil without a backend
}

// running is one process of a plugin and the client to it.
type running struct {
	peer
	client *plugin.Client
}

// peer is a plugin's process: one of ours, or what we see of another's.
type peer interface {
	supervisor.Process
	Probe(context.Context) error
	Conn() *grpc.ClientConn
}

func (h *Host) newMember(entry *catalog.Entry, signature trust.Signature) *member {
	m := &member{id: entry.Manifest.ID}
	first := h.newVersion(entry, signature)
	m.current.Store(first)
	m.initial.Store(first)
	if !entry.Manifest.Backend {
		return m
	}
	m.policy = h.config.policy(entry)
	m.kept = newLog()
	m.tiers = sync.OnceValue(func() []SandboxTier { return tiers(h.sandbox.Status(m.policy)) })
	m.logs = keeping(h.config.Logger, m.kept)
	m.logger = m.logs.With(slog.String(keyPlugin, m.id))
	m.gate = gate.New(h.config.Limits.gate(h.config.Wait))
	begin, crashes := func(ctx context.Context) (peer, error) { return h.starting(m, m.initial.Load())(ctx) }, h.config.Crashes
	if remote, ok := h.config.remote(m.id); ok {
		m.address = remote.Address
		begin, crashes = remote.connect(h.config.StartTimeout), -1 // a network that breaks is no crash
	}
	m.supervisor = supervisor.New(supervisor.Config[*running]{
		Start:       func(ctx context.Context) (*running, error) { return h.start(ctx, begin) },
		Probe:       func(ctx context.Context, r *running) error { return r.Probe(ctx) },
		ProbeEvery:  h.config.ProbeEvery,
		Wait:        h.config.Wait,
		Crashes:     crashes,
		CrashWindow: h.config.CrashWindow,
		Tell:        m.exits.tell,
		Logger:      m.logger,
	})
	return m
}

// starting starts processes of one version of a plugin.
func (h *Host) starting(m *member, v *version) func(context.Context) (peer, error) {
	config := process.Config{
		ID:           m.id,
		Command:      v.entry.Command,
		Verify:       v.check(),
		Env:          h.environment(v.entry),
		Sandbox:      h.sandbox,
		Policy:       m.policy,
		Folder:       v.entry.Dir,
		State:        h.config.state(m.id),
		StartTimeout: h.config.StartTimeout,
		Logger:       m.logs,
		Debug:        h.config.Logger.Enabled(context.Background(), slog.LevelDebug),
	}
	return func(ctx context.Context) (peer, error) { return process.Start(ctx, config) }
}

func (h *Host) start(ctx context.Context, begin func(context.Context) (peer, error)) (*running, error) {
	p, err := begin(ctx)
	if err != nil {
		return nil, err
	}
	client := plugin.NewClient(p.Conn())
	client.LimitAnswers(h.config.Limits.maxAnswer())
	return &running{peer: p, client: client}, nil
}

// acquire returns the plugin's process, which is to be released. A patient call
// waits for it while it starts after a failure.
func (m *member) acquire(ctx context.Context, patient bool) (*supervisor.Held[*running], error) {
	held, err := m.supervisor.Acquire(ctx, patient)
	switch {
	case err == nil:
		return held, nil
	case ctx.Err() != nil:
		return nil, err
	case errors.Is(err, supervisor.ErrQuarantined), errors.Is(err, supervisor.ErrHalted):
		return nil, fmt.Errorf("%w: %s %w: %w", plugin.ErrUnavailable, m.id, ErrStopped, err)
	default:
		return nil, m.unavailable("is not running", err)
	}
}

// deathNotice is how long a call that lost its connection waits to learn that
// the process has ended, and how.
const deathNotice = 250 * time.Millisecond

// lost reports whether a call failed because its process is gone. Our own
// closing of a dead process's connection looks like a cancelled call.
func lost(ctx context.Context, err error) bool {
	return errors.Is(err, plugin.ErrUnavailable) || errors.Is(err, context.Canceled) && ctx.Err() == nil
}

// explain says what became of the process under a lost call, which may be made
// again or not.
func (m *member) explain(r *running, err error, again bool) error {
	select {
	case <-r.Done():
		err = m.unavailable("died during the call", r.Err())
		if again {
			err = fmt.Errorf("%w; try again", err)
		}
		return err
	case <-time.After(deathNotice):
		return m.unavailable("does not answer", err)
	}
}

// giveUp ends a process that calls have not reached though it lives: nothing
// listens at its address any more, and nothing would until it ends.
func (m *member) giveUp(r *running) {
	select {
	case <-r.Done():
	default:
		m.logger.Error("plugin is killed: it runs, but nothing listens at its address any more", "pid", r.PID())
		r.Kill()
	}
}

func (m *member) unavailable(what string, err error) error {
	return fmt.Errorf("%w: %s %s: %w", plugin.ErrUnavailable, m.id, what, err)
}
