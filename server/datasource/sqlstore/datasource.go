package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/plugboard/plugboard/server/datasource"
)

// DataSources implements datasource.Store.
func (s *Store) DataSources(ctx context.Context) ([]datasource.DataSource, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.index.list(), nil
}

// DataSource implements datasource.Store.
func (s *Store) DataSource(ctx context.Context, key datasource.Key) (datasource.DataSource, error) {
	if err := ctx.Err(); err != nil {
		return datasource.DataSource{}, err
	}
	found, err := s.index.get(key)
	if err != nil {
		return datasource.DataSource{}, err
	}
	if found.damaged != nil {
		return found.DataSource, fmt.Errorf("data source %q: %w", found.Name, found.damaged)
	}
	return found.DataSource, nil
}

// Create implements datasource.Store.
func (s *Store) Create(ctx context.Context, d datasource.DataSource) (datasource.DataSource, error) {
	d, err := d.Clean()
	if err != nil {
		return datasource.DataSource{}, err
	}
	if d.UID == "" {
		d.UID = makeUID()
	}
	d.Version = 1
	d.Created = s.now().UTC().Truncate(time.Millisecond)
	d.Updated = d.Created
	err = s.write(ctx, func(ctx context.Context, tx *sql.Tx) (func(), error) {
		if err := s.insert(ctx, tx, &d); err != nil {
			return nil, err
		}
		return func() { s.index.put(entry{DataSource: d}) }, nil
	})
	if err != nil {
		return datasource.DataSource{}, fmt.Errorf("create data source %q: %w", d.Name, clash(err))
	}
	return clone(d), nil
}

// Update implements datasource.Store.
func (s *Store) Update(ctx context.Context, d datasource.DataSource) (datasource.DataSource, error) {
	return s.update(ctx, d, func(stored datasource.DataSource) (datasource.DataSource, error) {
		d.ReadOnly, d.Provenance, d.Prunable = stored.ReadOnly, stored.Provenance, stored.Prunable
		return d, writable(stored)
	})
}

// Delete implements datasource.Store.
func (s *Store) Delete(ctx context.Context, id int64) error {
	return s.delete(ctx, id, writable)
}

// Provisioning implements datasource.Provisioner.
func (s *Store) Provisioning() datasource.Store { return provisioning{s} }

// provisioning is a Store that passes the read-only mark.
type provisioning struct{ *Store }

func (p provisioning) Update(ctx context.Context, d datasource.DataSource) (datasource.DataSource, error) {
	return p.update(ctx, d, func(datasource.DataSource) (datasource.DataSource, error) { return d, nil })
}

func (p provisioning) Delete(ctx context.Context, id int64) error {
	return p.delete(ctx, id, func(datasource.DataSource) error { return nil })
}

func writable(d datasource.DataSource) error {
	if d.ReadOnly {
		return fmt.Errorf("data source %q: %w", d.Name, datasource.ErrReadOnly)
	}
	return nil
}

// update asks allowed, in its turn, for what to write over the stored one.
func (s *Store) update(ctx context.Context, d datasource.DataSource, allowed func(stored datasource.DataSource) (datasource.DataSource, error)) (datasource.DataSource, error) {
	err := s.write(ctx, func(ctx context.Context, tx *sql.Tx) (func(), error) {
		stored, err := s.index.get(datasource.ByID(d.ID))
		if err != nil {
			return nil, err
		}
		if d, err = allowed(stored.DataSource); err != nil {
			return nil, err
		}
		revised, changed, err := datasource.Revise(stored.DataSource, d, s.now())
		if err != nil {
			return nil, err
		}
		d = revised
		if !changed && stored.damaged == nil {
			return func() {}, nil
		}
		if err := s.replace(ctx, tx, d); err != nil {
			return nil, err
		}
		return func() { s.index.put(entry{DataSource: d}) }, nil
	})
	if err != nil {
		return datasource.DataSource{}, fmt.Errorf("update data source: %w", clash(err))
	}
	return clone(d), nil
}

func (s *Store) delete(ctx context.Context, id int64, allowed func(stored datasource.DataSource) error) error {
	err := s.write(ctx, func(ctx context.Context, tx *sql.Tx) (func(), error) {
		stored, err := s.index.get(datasource.ByID(id))
		if err != nil {
			return nil, err
		}
		if err := allowed(stored.DataSource); err != nil {
			return nil, err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM data_source WHERE id = ?", id); err != nil {
			return nil, err
		}
		return func() { s.index.remove(id) }, nil
	})
	if err != nil {
		return fmt.Errorf("delete data source: %w", err)
	}
	return nil
}

const clearDefault = "UPDATE data_source SET is_default = 0, version = version + 1 WHERE is_default = 1 AND id <> ?"

// insert gives d its id. The secrets follow in a second statement, as they are
// bound to the id.
func (s *Store) insert(ctx context.Context, tx *sql.Tx, d *datasource.DataSource) error {
	if d.IsDefault {
		if _, err := tx.ExecContext(ctx, clearDefault, 0); err != nil {
			return err
		}
	}
	result, err := tx.ExecContext(ctx, `INSERT INTO data_source
		(uid, name, type, access, url, user, database, basic_auth, basic_auth_user, with_credentials,
		is_default, json, version, read_only, provenance, prunable, created, updated)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		d.UID, d.Name, d.Type, d.Access, d.URL, d.User, d.Database, d.BasicAuth, d.BasicAuthUser, d.WithCredentials,
		d.IsDefault, string(d.JSON), d.Version, d.ReadOnly, d.Provenance, d.Prunable,
		d.Created.UnixMilli(), d.Updated.UnixMilli())
	if err != nil {
		return err
	}
	if d.ID, err = result.LastInsertId(); err != nil {
		return err
	}
	sealed, err := s.cipher.sealSecrets(dataSourceRow(d.ID), d.Secrets)
	if err != nil || sealed == nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE data_source SET secrets = ? WHERE id = ?", sealed, d.ID)
	return err
}

func (s *Store) replace(ctx context.Context, tx *sql.Tx, d datasource.DataSource) error {
	if d.IsDefault {
		if _, err := tx.ExecContext(ctx, clearDefault, d.ID); err != nil {
			return err
		}
	}
	sealed, err := s.cipher.sealSecrets(dataSourceRow(d.ID), d.Secrets)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE data_source SET
		uid = ?, name = ?, type = ?, access = ?, url = ?, user = ?, database = ?,
		basic_auth = ?, basic_auth_user = ?, with_credentials = ?, is_default = ?, json = ?,
		secrets = ?, version = ?, read_only = ?, provenance = ?, prunable = ?, updated = ? WHERE id = ?`,
		d.UID, d.Name, d.Type, d.Access, d.URL, d.User, d.Database,
		d.BasicAuth, d.BasicAuthUser, d.WithCredentials, d.IsDefault, string(d.JSON),
		sealed, d.Version, d.ReadOnly, d.Provenance, d.Prunable, d.Updated.UnixMilli(), d.ID)
	return err
}

// load reads the whole database into memory.
func (s *Store) load(ctx context.Context) error {
	s.index.reset()
	if err := s.loadDataSources(ctx); err != nil {
		return err
	}
	return s.loadApps(ctx)
}

func (s *Store) loadDataSources(ctx context.Context) error {
	rows, err := s.db.QueryContext(ctx, `SELECT
		id, uid, name, type, access, url, user, database, basic_auth, basic_auth_user, with_credentials,
		is_default, json, secrets, version, read_only, provenance, prunable, created, updated FROM data_source`)
	if err != nil {
		return err
	}
	defer rows.Close() // rows.Err tells
	for rows.Next() {
		var (
			e                entry
			json, sealed     []byte
			created, updated int64
		)
		err := rows.Scan(&e.ID, &e.UID, &e.Name, &e.Type, &e.Access, &e.URL, &e.User, &e.Database,
			&e.BasicAuth, &e.BasicAuthUser, &e.WithCredentials, &e.IsDefault, &json, &sealed,
			&e.Version, &e.ReadOnly, &e.Provenance, &e.Prunable, &created, &updated)
		if err != nil {
			return err
		}
		e.JSON = json
		e.Created, e.Updated = time.UnixMilli(created).UTC(), time.UnixMilli(updated).UTC()
		e.Secrets, e.damaged = s.cipher.openSecrets(dataSourceRow(e.ID), sealed)
		s.index.put(e)
	}
	return rows.Err()
}

// clash tells a violated UNIQUE apart from the other failures.
func clash(err error) error {
	var failure *sqlite.Error
	if errors.As(err, &failure) && failure.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE {
		return datasource.ErrExists
	}
	return err
}

// makeUID has a letter first, so that no uid reads as a number.
func makeUID() string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz012345"
	random := make([]byte, 14)
	rand.Read(random) // never fails
	for i, b := range random {
		random[i] = alphabet[b%32]
	}
	random[0] = 'a' + random[0]%26
	return string(random)
}
