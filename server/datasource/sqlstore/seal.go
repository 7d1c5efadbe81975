package sqlstore

import (
	"context"
	"crypto/aes"
	stdcipher "crypto/cipher"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/plugboard/plugboard/server/datasource"
)

// cipher encrypts secrets with AES-256-GCM.
//
// A sealed value is the byte 1 (the format), a random nonce of 12 bytes, and
// the ciphertext with its tag. The row it belongs to is additional data: moved
// to another row it does not open.
type cipher struct{ aead stdcipher.AEAD }

const sealFormat = 1

// openCipher finds the key and makes sure it is the one that the database was
// made with.
func openCipher(ctx context.Context, db *sql.DB, dir string, source KeySource) (*cipher, error) {
	var check []byte
	err := db.QueryRowContext(ctx, "SELECT sealed FROM key_check").Scan(&check)
	fresh := errors.Is(err, sql.ErrNoRows)
	if err != nil && !fresh {
		return nil, fmt.Errorf("read the key check: %w", err)
	}
	key, place, err := source.find(dir, fresh)
	if err != nil {
		return nil, err
	}
	c, err := newCipher(key)
	if err != nil {
		return nil, err
	}
	if fresh {
		_, err := db.ExecContext(ctx, "INSERT INTO key_check (id, sealed) VALUES (1, ?)", c.seal("key_check", []byte("plugboard")))
		return c, err
	}
	if _, err := c.open("key_check", check); err != nil {
		return nil, fmt.Errorf("%s is not the one that the secrets in %s are encrypted with", place, dir)
	}
	return c, nil
}

func newCipher(key []byte) (*cipher, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := stdcipher.NewGCM(block)
	return &cipher{aead}, err
}

func (c *cipher) seal(row string, clear []byte) []byte {
	sealed := make([]byte, 1+c.aead.NonceSize(), 1+c.aead.NonceSize()+len(clear)+c.aead.Overhead())
	sealed[0] = sealFormat
	nonce := sealed[1:]
	rand.Read(nonce) // never fails
	return c.aead.Seal(sealed, nonce, clear, []byte(row))
}

func (c *cipher) open(row string, sealed []byte) ([]byte, error) {
	if len(sealed) < 1+c.aead.NonceSize() || sealed[0] != sealFormat {
		return nil, datasource.ErrDamaged
	}
	nonce, ciphertext := sealed[1:1+c.aead.NonceSize()], sealed[1+c.aead.NonceSize():]
	clear, err := c.aead.Open(nil, nonce, ciphertext, []byte(row))
	if err != nil {
		return nil, datasource.ErrDamaged
	}
	return clear, nil
}

// sealSecrets returns nil for no secrets.
func (c *cipher) sealSecrets(row string, secrets map[string]string) ([]byte, error) {
	if len(secrets) == 0 {
		return nil, nil
	}
	clear, err := json.Marshal(secrets)
	if err != nil {
		return nil, err
	}
	return c.seal(row, clear), nil
}

func (c *cipher) openSecrets(row string, sealed []byte) (map[string]string, error) {
	secrets := map[string]string{}
	if sealed == nil {
		return secrets, nil
	}
	clear, err := c.open(row, sealed)
	if err != nil {
		return secrets, err
	}
	if err := json.Unmarshal(clear, &secrets); err != nil {
		return map[string]string{}, datasource.ErrDamaged
	}
	return secrets, nil
}

// The names of rows, as additional data.
func dataSourceRow(id int64) string { return "data_source/" + strconv.FormatInt(id, 10) }
func appRow(pluginID string) string { return "app/" + pluginID }
