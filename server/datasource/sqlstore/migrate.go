package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
)

// migrations lead from one version of the database to the next. What is
// released is never edited; the last one's number is in user_version.
var migrations = []string{
	1: `
CREATE TABLE data_source (
	-- AUTOINCREMENT: ids are never used again, plugins tell instances apart by them
	id               INTEGER PRIMARY KEY AUTOINCREMENT,
	uid              TEXT    NOT NULL UNIQUE,
	name             TEXT    NOT NULL UNIQUE,
	type             TEXT    NOT NULL,
	access           TEXT    NOT NULL,
	url              TEXT    NOT NULL,
	user             TEXT    NOT NULL,
	database         TEXT    NOT NULL,
	basic_auth       INTEGER NOT NULL,
	basic_auth_user  TEXT    NOT NULL,
	with_credentials INTEGER NOT NULL,
	is_default       INTEGER NOT NULL,
	json             TEXT    NOT NULL,
	secrets          BLOB,             -- sealed, NULL if there are none
	version          INTEGER NOT NULL,
	read_only        INTEGER NOT NULL,
	provenance       TEXT    NOT NULL,
	prunable         INTEGER NOT NULL,
	created          INTEGER NOT NULL, -- milliseconds since 1970
	updated          INTEGER NOT NULL
);
CREATE UNIQUE INDEX one_default ON data_source (is_default) WHERE is_default = 1;

CREATE TABLE app (
	plugin_id TEXT    NOT NULL PRIMARY KEY,
	enabled   INTEGER NOT NULL,
	pinned    INTEGER NOT NULL,
	json      TEXT    NOT NULL,
	secrets   BLOB,
	updated   INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE password (
	login TEXT NOT NULL PRIMARY KEY,
	hash  TEXT NOT NULL
) WITHOUT ROWID;

-- one sealed word, to tell a wrong key from a right one
CREATE TABLE key_check (
	id     INTEGER PRIMARY KEY CHECK (id = 1),
	sealed BLOB NOT NULL
);`,
	2: `
CREATE TABLE account (
	id           INTEGER PRIMARY KEY AUTOINCREMENT,
	name         TEXT    NOT NULL UNIQUE,
	login        TEXT    NOT NULL UNIQUE,
	role         TEXT    NOT NULL,
	data_sources TEXT    NOT NULL, -- JSON, [] for all
	disabled     INTEGER NOT NULL,
	created      INTEGER NOT NULL, -- milliseconds since 1970
	updated      INTEGER NOT NULL
);

CREATE TABLE token (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	account INTEGER NOT NULL,
	name    TEXT    NOT NULL,
	hash    BLOB    NOT NULL UNIQUE, -- SHA-256
	created INTEGER NOT NULL,
	expires INTEGER,                 -- NULL for never
	used    INTEGER,
	UNIQUE (account, name)
);`,
}

// migrate brings the database to the newest version, each step in a
// transaction of its own.
func migrate(ctx context.Context, db *sql.DB) error {
	var version int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	newest := len(migrations) - 1
	if version > newest {
		return fmt.Errorf("it has format %d and this Plugboard knows formats up to %d: a newer Plugboard wrote it", version, newest)
	}
	for next := version + 1; next <= newest; next++ {
		if err := migrateTo(ctx, db, next); err != nil {
			return fmt.Errorf("bring it to format %d: %w", next, err)
		}
	}
	return nil
}

func migrateTo(ctx context.Context, db *sql.DB, version int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after a commit it has nothing to do
	if _, err := tx.ExecContext(ctx, migrations[version]); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version)); err != nil {
		return err
	}
	return tx.Commit()
}
