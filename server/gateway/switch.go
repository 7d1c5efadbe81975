package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
)

// This file is about plugins' versions: which one runs, and changing it without
// a failed call.

var (
	callReload   = call{"reload", "Failed to reload the plugin", ""}
	callUpgrade  = call{"upgrade", "Failed to upgrade the plugin", ""}
	callRollback = call{"rollback", "Failed to roll the plugin back", ""}
)

// healthPatience bounds one health check before a switch.
const healthPatience = 10 * time.Second

// maxPackage is beyond any real plugin.
const maxPackage = 2 << 30

// reloadPlugin answers POST /api/plugins/:id/reload: the plugin's folder has
// changed.
func (g *Gateway) reloadPlugin(w http.ResponseWriter, r *http.Request) error {
	return g.switchPlugin(w, r, callReload, "Plugin reloaded", g.host.Reload)
}

// rollbackPlugin answers POST /api/plugins/:id/rollback: back to the version
// before.
func (g *Gateway) rollbackPlugin(w http.ResponseWriter, r *http.Request) error {
	return g.switchPlugin(w, r, callRollback, "Plugin rolled back", g.host.Rollback)
}

// upgradePlugin answers POST /api/plugins/:id/upgrade, whose body is a zip file
// of the new version. What comes this way has to be signed: which programs run
// is the operator's to say, and an admin may not be the operator.
func (g *Gateway) upgradePlugin(w http.ResponseWriter, r *http.Request) error {
	if _, err := g.plugin(r.PathValue("id")); err != nil {
		return err
	}
	file, err := os.CreateTemp("", "plugboard-*.zip")
	if err != nil {
		return fmt.Errorf("keep the new version: %w", err)
	}
	defer os.Remove(file.Name()) //nolint:errcheck // nothing to be done
	_, err = io.Copy(file, http.MaxBytesReader(w, r.Body, maxPackage))
	if err = errors.Join(err, file.Close()); err != nil {
		return badRequest("bad request data: %w", err)
	}
	return g.switchPlugin(w, r, callUpgrade, "Plugin upgraded", func(ctx context.Context, id string, check func(context.Context, host.Candidate) error) error {
		return g.host.Upgrade(ctx, id, file.Name(), true, check)
	})
}

// switchPlugin answers when the other version runs, or why it does not.
func (g *Gateway) switchPlugin(w http.ResponseWriter, r *http.Request, c call, done string,
	give func(context.Context, string, func(context.Context, host.Candidate) error) error) error {
	t, p, err := g.installed(r)
	if err != nil {
		return err
	}
	start := time.Now()
	err = give(r.Context(), p.Manifest.ID, func(ctx context.Context, next host.Candidate) error {
		return g.noWorse(ctx, t, p.Manifest.ID, next)
	})
	g.observe(c, t, start, err)
	if err != nil {
		return g.notSwitched(r.Context(), t, c, err)
	}
	if p, err = g.plugin(t.PluginID); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, struct {
		Message string      `json:"message"`
		Version string      `json:"version"`
		Process processJSON `json:"process"`
	}{done, p.Manifest.Info.Version, processOf(p)})
}

// notSwitched answers 409: what there is goes on as it was.
func (g *Gateway) notSwitched(ctx context.Context, t target, c call, err error) error {
	secrets, storeErr := g.pluginSecrets(ctx, t)
	if storeErr != nil {
		return storeErr
	}
	return &failure{status: http.StatusConflict, message: c.failed + ": " + redact(err.Error(), secrets)}
}

// noWorse finds fault with a version under which a data source is not well that
// is well now.
func (g *Gateway) noWorse(ctx context.Context, t target, pluginID string, next host.Candidate) error {
	sources, err := g.store.DataSources(ctx)
	if err != nil {
		return storeFailure(err)
	}
	for _, d := range sources {
		if p, ok := g.host.Plugin(d.Type); !ok || p.Manifest.ID != pluginID {
			continue
		}
		of := t.Context
		of.DataSource, of.App = d.Settings(), nil
		if well(ctx, of, g.host.CheckHealth) != nil {
			continue
		}
		if err := well(ctx, of, next.CheckHealth); err != nil {
			return fmt.Errorf("data source %q is well now, and would not be: %w", d.UID, err)
		}
	}
	return nil
}

// well says why a data source is not.
func well(ctx context.Context, of plugin.Context, check func(context.Context, *plugin.HealthRequest) (plugin.Health, error)) error {
	ctx, cancel := context.WithTimeout(ctx, healthPatience)
	defer cancel()
	health, err := check(ctx, &plugin.HealthRequest{Context: of})
	switch {
	case errors.Is(err, plugin.ErrNotImplemented):
		return nil
	case err == nil && health.Status != plugin.HealthOK:
		return errors.New(health.Message)
	}
	return err
}
