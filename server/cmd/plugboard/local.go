package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/access"
	"github.com/plugboard/plugboard/server/datasource"
	"github.com/plugboard/plugboard/server/gateway"
)

// lonelyUID is the uid of the one data source around a plugin that the user
// named.
const lonelyUID = "plugin"

// withPlugin starts the plugin that the flags name, calls ask with a data
// source of their settings, and stops the plugin. In between stands the same
// gateway as in a server, so that answers and errors are the same.
func withPlugin(ctx context.Context, t *targetFlags, stdin io.Reader, stderr io.Writer, ask func(context.Context, target) error) error {
	store := &lonelyStore{}
	secrets, err := readSecrets(t.secret, stdin)
	if err != nil {
		return err
	}
	store.source.Secrets = secrets
	if err := applySettings(&store.source, t.set); err != nil {
		return err
	}
	logger, hint := t.logger(stderr)
	defer hint()
	config, err := t.hostConfig(logger)
	if err != nil {
		return err
	}
	h, err := host.New(config)
	if err != nil {
		return failed("%w", err)
	}
	p, err := onlyPlugin(h, t.plugin)
	if err != nil {
		return err
	}
	store.fill(p)

	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	stopped := make(chan error, 1)
	go func() { stopped <- h.Run(running) }()
	defer func() {
		stop()
		if err := <-stopped; err != nil {
			fmt.Fprintln(stderr, "plugboard:", err)
		}
	}()
	inProcess := &http.Client{Transport: direct{gateway.New(gateway.Config{Host: h, Store: store, Guard: anybody{}, Version: versionText()})}}
	return ask(ctx, target{
		api:    &api{base: "http://plugboard", client: inProcess, progress: terminal(os.Stderr)},
		uid:    lonelyUID,
		plugin: p.Manifest.ID,
		isApp:  p.Manifest.Type == "app",
		describe: func(ctx context.Context) (plugin.Description, error) {
			return h.Describe(ctx, p.Manifest.ID)
		},
	})
}

// hostConfig is for a host of the one plugin.
func (t *targetFlags) hostConfig(logger *slog.Logger) (host.Config, error) {
	config := host.Config{
		AllowUnsigned: []string{"*"}, // the user named the folder
		// It is the user's own question, about files of the user's.
		Sandbox: map[string]host.Policy{"*": {Level: "off"}},
		Wait:    time.Minute,
		Logger:  logger,
	}
	if _, inside := bundled()[t.plugin]; inside {
		all, err := asBundled(t.plugin)
		config.Bundled = all
		return config, err
	}
	if info, err := os.Stat(t.plugin); errors.Is(err, fs.ErrNotExist) {
		return config, misused("--plugin %s: no such folder, and no bundled plugin", t.plugin)
	} else if err != nil {
		return config, misused("--plugin: %w", err)
	} else if !info.IsDir() {
		return config, misused("--plugin %s is a file: name the folder with the plugin.json", t.plugin)
	}
	trusted, err := trusting("", nil) // as a server that is started here would
	if err != nil {
		return config, err
	}
	config.PluginDirs = []string{t.plugin}
	config.TrustedKeys, config.RootURL = trusted.TrustedKeys, trusted.RootURL
	return config, nil
}

// logger is for what the plugin logs: it is printed if the user wants that.
// Otherwise hint says how to see it, if it has something to warn of.
func (t *targetFlags) logger(stderr io.Writer) (logger *slog.Logger, hint func()) {
	if t.verbose {
		return slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelDebug})), func() {}
	}
	var warned atomic.Bool
	return slog.New(warnings{slog.DiscardHandler, &warned}), func() {
		if warned.Load() {
			fmt.Fprintln(stderr, "plugboard: the plugin has logged warnings or errors; --verbose shows them")
		}
	}
}

// warnings notes that there are some.
type warnings struct {
	slog.Handler
	seen *atomic.Bool
}

func (w warnings) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

func (w warnings) Handle(context.Context, slog.Record) error {
	w.seen.Store(true)
	return nil
}

func (w warnings) WithAttrs([]slog.Attr) slog.Handler { return w }
func (w warnings) WithGroup(string) slog.Handler      { return w }

// onlyPlugin returns the one plugin of a folder that can answer. Plugins
// nested in it are asked by their own folders.
func onlyPlugin(h *host.Host, dir string) (host.Plugin, error) {
	var found []host.Plugin
	var ids []string
	for _, p := range h.Plugins() {
		if p.Parent == "" && p.Manifest.Backend {
			found = append(found, p)
			ids = append(ids, p.Manifest.ID+" in "+p.Dir)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return host.Plugin{}, misused("--plugin %s holds several plugins; name the folder of one: %s", dir, strings.Join(ids, ", "))
	}
	faults := []error{fmt.Errorf("--plugin %s: %s", dir, noPlugin(h))}
	for _, fault := range h.Faults() {
		faults = append(faults, fault)
	}
	return host.Plugin{}, &failure{codeUsage, errors.Join(faults...)}
}

// noPlugin says why no plugin of a folder can answer.
func noPlugin(h *host.Host) string {
	if all := h.Plugins(); len(all) > 0 {
		return fmt.Sprintf("there is no plugin with a backend: plugin.json of %s lacks \"backend\": true", all[0].Manifest.ID)
	}
	if len(h.Faults()) > 0 {
		return "no plugin with a backend can be loaded"
	}
	return "there is no plugin.json in it"
}

// lonelyStore holds one data source, or the settings of one app. Nobody asks
// it for more than that: the methods it lacks panic.
type lonelyStore struct {
	datasource.Store
	source datasource.DataSource
	app    datasource.App
}

// fill makes the settings those of a plugin.
func (s *lonelyStore) fill(p host.Plugin) {
	s.source.ID, s.source.UID, s.source.Type = 1, lonelyUID, p.Manifest.ID
	if s.source.Name == "" {
		s.source.Name = lonelyUID
	}
	s.source.Access, s.source.Version = "proxy", 1
	s.source.Created = time.Now()
	s.source.Updated = s.source.Created
	s.app = datasource.App{
		PluginID: p.Manifest.ID, Enabled: true,
		JSON: s.source.JSON, Secrets: s.source.Secrets, Updated: s.source.Updated,
	}
}

func (s *lonelyStore) DataSources(context.Context) ([]datasource.DataSource, error) {
	return []datasource.DataSource{s.source}, nil
}

func (s *lonelyStore) DataSource(_ context.Context, key datasource.Key) (datasource.DataSource, error) {
	if key != datasource.ByUID(lonelyUID) {
		return datasource.DataSource{}, fmt.Errorf("%w: %s", datasource.ErrNotFound, key)
	}
	return s.source, nil
}

func (s *lonelyStore) App(_ context.Context, pluginID string) (datasource.App, error) {
	if pluginID != s.app.PluginID {
		return datasource.App{}, fmt.Errorf("%w: app %s", datasource.ErrNotFound, pluginID)
	}
	return s.app, nil
}

// anybody is a guard that lets in the user of this process, without a login.
type anybody struct{}

func (anybody) Identify(*http.Request) (access.User, error) {
	return access.User{Login: access.AdminLogin, Role: access.Admin}, nil
}
