package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/plugboard/plugboard/server/access"
	"github.com/plugboard/plugboard/server/datasource"
)

var _ access.AccountStore = (*Store)(nil)

// Accounts implements access.AccountStore. It reads the disk: access.Accounts
// holds them in memory.
func (s *Store) Accounts(ctx context.Context) ([]access.Account, error) {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // nothing was written
	accounts, err := readAccounts(ctx, tx)
	if err != nil {
		return nil, err
	}
	for i := range accounts {
		if accounts[i].Tokens, err = readTokens(ctx, tx, accounts[i].ID); err != nil {
			return nil, fmt.Errorf("tokens of service account %q: %w", accounts[i].Name, err)
		}
	}
	return accounts, nil
}

// SaveAccount implements access.AccountStore.
func (s *Store) SaveAccount(ctx context.Context, a access.Account) (access.Account, error) {
	tokens := append([]access.Token(nil), a.Tokens...)
	err := s.write(ctx, func(ctx context.Context, tx *sql.Tx) (func(), error) {
		if err := putAccount(ctx, tx, &a); err != nil {
			return nil, err
		}
		if err := dropTokens(ctx, tx, a.ID, tokens); err != nil {
			return nil, err
		}
		for i := range tokens {
			if err := putToken(ctx, tx, a.ID, &tokens[i]); err != nil {
				return nil, fmt.Errorf("token %q: %w", tokens[i].Name, err)
			}
		}
		return func() {}, nil
	})
	if errors.Is(clash(err), datasource.ErrExists) {
		err = access.ErrExists
	}
	a.Tokens = tokens
	return a, err
}

// DeleteAccount implements access.AccountStore.
func (s *Store) DeleteAccount(ctx context.Context, id int64) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) (func(), error) {
		if _, err := tx.ExecContext(ctx, "DELETE FROM token WHERE account = ?", id); err != nil {
			return nil, err
		}
		return func() {}, found(tx.ExecContext(ctx, "DELETE FROM account WHERE id = ?", id))
	})
}

func putAccount(ctx context.Context, tx *sql.Tx, a *access.Account) error {
	sources, err := json.Marshal(append([]string{}, a.DataSources...)) // [], not null
	if err != nil {
		return err
	}
	if a.ID == 0 {
		result, err := tx.ExecContext(ctx, "INSERT INTO account (name, login, role, data_sources, disabled, created, updated) VALUES (?, ?, ?, ?, ?, ?, ?)",
			a.Name, a.Login, a.Role, string(sources), a.Disabled, a.Created.UnixMilli(), a.Updated.UnixMilli())
		if err != nil {
			return err
		}
		a.ID, err = result.LastInsertId()
		return err
	}
	return found(tx.ExecContext(ctx, "UPDATE account SET name = ?, login = ?, role = ?, data_sources = ?, disabled = ?, created = ?, updated = ? WHERE id = ?",
		a.Name, a.Login, a.Role, string(sources), a.Disabled, a.Created.UnixMilli(), a.Updated.UnixMilli(), a.ID))
}

// dropTokens deletes the tokens of an account but those that are kept.
func dropTokens(ctx context.Context, tx *sql.Tx, account int64, kept []access.Token) error {
	ids := make([]int64, len(kept))
	for i, t := range kept {
		ids[i] = t.ID
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM token WHERE account = ? AND id NOT IN (SELECT value FROM json_each(?))", account, string(list))
	return err
}

func putToken(ctx context.Context, tx *sql.Tx, account int64, t *access.Token) error {
	if t.ID == 0 {
		result, err := tx.ExecContext(ctx, "INSERT INTO token (account, name, hash, created, expires, used) VALUES (?, ?, ?, ?, ?, ?)",
			account, t.Name, t.Hash[:], t.Created.UnixMilli(), orNever(t.Expires), orNever(t.Used))
		if err != nil {
			return err
		}
		t.ID, err = result.LastInsertId()
		return err
	}
	return found(tx.ExecContext(ctx, "UPDATE token SET name = ?, hash = ?, created = ?, expires = ?, used = ? WHERE id = ? AND account = ?",
		t.Name, t.Hash[:], t.Created.UnixMilli(), orNever(t.Expires), orNever(t.Used), t.ID, account))
}

func readAccounts(ctx context.Context, tx *sql.Tx) ([]access.Account, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, name, login, role, data_sources, disabled, created, updated FROM account ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer rows.Close() // rows.Err tells
	var accounts []access.Account
	for rows.Next() {
		var (
			a                access.Account
			sources          []byte
			created, updated int64
		)
		if err := rows.Scan(&a.ID, &a.Name, &a.Login, &a.Role, &sources, &a.Disabled, &created, &updated); err != nil {
			return nil, err
		}
		if err := readSources(sources, &a.DataSources); err != nil { // else it would be let in to all
			return nil, fmt.Errorf("data sources of service account %q: %w", a.Name, err)
		}
		a.Created, a.Updated = time.UnixMilli(created).UTC(), time.UnixMilli(updated).UTC()
		accounts = append(accounts, a)
	}
	return accounts, rows.Err()
}

func readSources(text []byte, sources *[]string) error {
	if err := json.Unmarshal(text, sources); err != nil {
		return err
	}
	if *sources == nil {
		return errors.New("they are null")
	}
	return nil
}

func readTokens(ctx context.Context, tx *sql.Tx, account int64) ([]access.Token, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, name, hash, created, expires, used FROM token WHERE account = ? ORDER BY id", account)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // rows.Err tells
	var tokens []access.Token
	for rows.Next() {
		var (
			t             access.Token
			hash          []byte
			created       int64
			expires, used sql.NullInt64
		)
		if err := rows.Scan(&t.ID, &t.Name, &hash, &created, &expires, &used); err != nil {
			return nil, err
		}
		if copy(t.Hash[:], hash) != len(t.Hash) {
			return nil, fmt.Errorf("the hash of token %q has %d bytes", t.Name, len(hash))
		}
		t.Created, t.Expires, t.Used = time.UnixMilli(created).UTC(), timeOf(expires), timeOf(used)
		tokens = append(tokens, t)
	}
	return tokens, rows.Err()
}

// found turns a statement that changed nothing into access.ErrNotFound.
func found(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		err = access.ErrNotFound
	}
	return err
}

func orNever(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMilli(), Valid: !t.IsZero()}
}

func timeOf(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return time.UnixMilli(ms.Int64).UTC()
}
