package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/plugboard/plugboard/server/datasource"
)

// App implements datasource.Store.
func (s *Store) App(ctx context.Context, pluginID string) (datasource.App, error) {
	if err := ctx.Err(); err != nil {
		return datasource.App{}, err
	}
	found, err := s.index.getApp(pluginID)
	if err != nil {
		return datasource.App{}, err
	}
	if found.damaged != nil {
		return found.App, fmt.Errorf("app %q: %w", pluginID, found.damaged)
	}
	return found.App, nil
}

// SaveApp implements datasource.Store.
func (s *Store) SaveApp(ctx context.Context, a datasource.App) (datasource.App, error) {
	err := s.write(ctx, func(ctx context.Context, tx *sql.Tx) (func(), error) {
		stored, err := s.index.getApp(a.PluginID)
		if err != nil && !errors.Is(err, datasource.ErrNotFound) {
			return nil, err
		}
		revised, changed, err := datasource.ReviseApp(stored.App, a, s.now())
		if err != nil {
			return nil, err
		}
		a = revised
		if !changed && stored.damaged == nil {
			return func() {}, nil
		}
		if err := s.replaceApp(ctx, tx, a); err != nil {
			return nil, err
		}
		return func() { s.index.putApp(appEntry{App: a}) }, nil
	})
	if err != nil {
		return datasource.App{}, fmt.Errorf("save settings of app %q: %w", a.PluginID, err)
	}
	return cloneApp(a), nil
}

func (s *Store) replaceApp(ctx context.Context, tx *sql.Tx, a datasource.App) error {
	sealed, err := s.cipher.sealSecrets(appRow(a.PluginID), a.Secrets)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO app (plugin_id, enabled, pinned, json, secrets, updated) VALUES (?, ?, ?, ?, ?, ?)`,
		a.PluginID, a.Enabled, a.Pinned, string(a.JSON), sealed, a.Updated.UnixMilli())
	return err
}

func (s *Store) loadApps(ctx context.Context) error {
	rows, err := s.db.QueryContext(ctx, "SELECT plugin_id, enabled, pinned, json, secrets, updated FROM app")
	if err != nil {
		return err
	}
	defer rows.Close() // rows.Err tells
	for rows.Next() {
		var (
			e            appEntry
			json, sealed []byte
			updated      int64
		)
		if err := rows.Scan(&e.PluginID, &e.Enabled, &e.Pinned, &json, &sealed, &updated); err != nil {
			return err
		}
		e.JSON = json
		e.Updated = time.UnixMilli(updated).UTC()
		e.Secrets, e.damaged = s.cipher.openSecrets(appRow(e.PluginID), sealed)
		s.index.putApp(e)
	}
	return rows.Err()
}
