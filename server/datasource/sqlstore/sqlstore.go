// Package sqlstore keeps data sources, app settings, service accounts and the
// admin's password in one SQLite file, secrets encrypted.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/plugboard/plugboard/server/datasource"
)

// FileName is the database's name in the data folder.
const FileName = "plugboard.db"

// Store is a datasource.Provisioner in a folder of its own. All that is
// configured is also held in memory, in clear, and read from there: a read
// costs no disk access and no decryption. So a folder belongs to one Store at
// a time, and changes made to the file by others are seen at the next Open.
type Store struct {
	db      *sql.DB
	cipher  *cipher
	lock    *os.File
	writing chan struct{} // holds one token while somebody writes
	index   index
	now     func() time.Time
}

// Open opens the store in the folder dir; it makes folder, database and key if
// they are missing. It fails if another process has the folder open, if the
// key is not the one the secrets were encrypted with, and if the database was
// written by a newer Plugboard.
func Open(ctx context.Context, dir string, key KeySource) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{lock: lock, writing: make(chan struct{}, 1), now: time.Now}
	if err := s.open(ctx, dir, key); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, dir string, key KeySource) (err error) {
	path := filepath.Join(dir, FileName)
	if s.db, err = openDatabase(path); err != nil {
		return fmt.Errorf("open the database %s: %w", path, err)
	}
	if err := migrate(ctx, s.db); err != nil {
		return fmt.Errorf("open the database %s: %w", path, err)
	}
	if s.cipher, err = openCipher(ctx, s.db, dir, key); err != nil {
		return err
	}
	if err := s.load(ctx); err != nil {
		return fmt.Errorf("read the database %s: %w", path, err)
	}
	return nil
}

// openDatabase opens path with one connection, as there is one writer and
// reads are answered from memory. FULL makes what was acknowledged survive a
// power cut.
func openDatabase(path string) (*sql.DB, error) {
	// SQLite would make it readable to all; its side files get the same mode.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	absolute = "/" + strings.TrimPrefix(filepath.ToSlash(absolute), "/") // C:/ too
	name := url.URL{Scheme: "file", Path: absolute, RawQuery: url.Values{
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)"},
		"_txlock": {"immediate"},
	}.Encode()}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// Close waits for a write in progress and closes the database. Writes after it
// fail. It may be called twice.
func (s *Store) Close() error {
	s.writing <- struct{}{}
	defer func() { <-s.writing }()
	var err error
	if s.db != nil {
		err = s.db.Close()
	}
	if closed := s.lock.Close(); !errors.Is(closed, os.ErrClosed) {
		err = errors.Join(err, closed)
	}
	return err
}

// Ping fails if the database cannot answer.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	if err := s.db.QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
		return fmt.Errorf("ping the database: %w", err)
	}
	return nil
}

// write runs one write at a time. change makes it in tx and returns what to do
// in memory once it is on disk. Waiting for the turn obeys ctx; a write that
// has begun is finished.
func (s *Store) write(ctx context.Context, change func(ctx context.Context, tx *sql.Tx) (apply func(), err error)) error {
	select {
	case s.writing <- struct{}{}:
		defer func() { <-s.writing }()
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	apply, err := change(ctx, tx)
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	apply()
	return nil
}

var _ datasource.Provisioner = (*Store)(nil)
