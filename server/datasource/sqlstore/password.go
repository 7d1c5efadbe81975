package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// PasswordHash returns the hash saved for login, "" if there is none. With
// SavePasswordHash it makes the Store an access.Passwords.
func (s *Store) PasswordHash(ctx context.Context, login string) (string, error) {
	var hash string
	err := s.db.QueryRowContext(ctx, "SELECT hash FROM password WHERE login = ?", login).Scan(&hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read the password of %q: %w", login, err)
	}
	return hash, nil
}

// SavePasswordHash saves the hash in place of the one before.
func (s *Store) SavePasswordHash(ctx context.Context, login, hash string) error {
	err := s.write(ctx, func(ctx context.Context, tx *sql.Tx) (func(), error) {
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO password (login, hash) VALUES (?, ?)", login, hash)
		return func() {}, err
	})
	if err != nil {
		return fmt.Errorf("save the password of %q: %w", login, err)
	}
	return nil
}
