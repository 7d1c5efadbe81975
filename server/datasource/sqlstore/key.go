package sqlstore

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// KeyFile is the name of the key that Open makes in the data folder.
const KeyFile = "secret.key"

// KeySource says where the key is that secrets are encrypted with. A key is 32
// random bytes in base64 or hex. The zero KeySource is the file secret.key in
// the data folder, made with mode 0600 when the store is made.
type KeySource struct {
	// Value is the key itself, as from an environment variable.
	Value string
	// File holds the key. It is read if Value is empty, and never written.
	File string
}

const keySize = 32

// find returns the key and what to call the place it came from. A missing
// secret.key is made only if fresh: another key could not read what is there.
func (k KeySource) find(dir string, fresh bool) (key []byte, place string, err error) {
	if k.Value != "" {
		key, err = parseKey(k.Value)
		if err != nil {
			return nil, "", fmt.Errorf("the secret key that was configured %w", err)
		}
		return key, "the secret key that was configured", nil
	}
	path := k.File
	if path == "" {
		path = filepath.Join(dir, KeyFile)
	}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && k.File == "" && fresh:
		key, err = makeKey(path)
		if err != nil {
			return nil, "", fmt.Errorf("make the secret key: %w", err)
		}
		return key, path, nil
	case errors.Is(err, fs.ErrNotExist) && k.File == "":
		return nil, "", fmt.Errorf("the secret key %s is missing, but the database next to it holds secrets encrypted with it: "+
			"put the file back, or configure the key", path)
	case err != nil:
		return nil, "", fmt.Errorf("read the secret key: %w", err)
	}
	key, err = parseKey(string(text))
	if err != nil {
		return nil, "", fmt.Errorf("the secret key in %s %w", path, err)
	}
	return key, "the secret key in " + path, nil
}

// parseKey's errors never show the key.
func parseKey(text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	if key, err := hex.DecodeString(text); err == nil && len(key) == keySize {
		return key, nil
	}
	text = strings.TrimRight(text, "=")
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if key, err := encoding.DecodeString(text); err == nil && len(key) == keySize {
			return key, nil
		}
	}
	return nil, fmt.Errorf("is not %d bytes in base64 or hex; make one with: openssl rand -base64 %d", keySize, keySize)
}

// makeKey leaves a whole key at path or nothing, whenever the process dies.
func makeKey(path string) ([]byte, error) {
	key := make([]byte, keySize)
	rand.Read(key)                                               // never fails
	file, err := os.CreateTemp(filepath.Dir(path), KeyFile+".*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name()) // gone already if all went well
	_, err = file.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	err = errors.Join(err, file.Sync(), file.Close())
	if err != nil {
		return nil, err
	}
	return key, os.Rename(file.Name(), path)
}
