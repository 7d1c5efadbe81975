package trust

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aead.dev/minisign"
)

// Manifest returns what is to be signed: the subject and the hash of every file
// in its folder.
func Manifest(s Subject, keyID string, rootURLs []string) ([]byte, error) {
	root, err := os.OpenRoot(s.Dir)
	if err != nil {
		return nil, err
	}
	defer root.Close() //nolint:errcheck // only read
	if s.Version == "" {
		return nil, errors.New("its plugin.json has no info.version, which a signature is for")
	}
	org, _, _ := strings.Cut(s.ID, "-")
	m := signedManifest{
		ManifestVersion: "2.0.0", SignatureType: privateType, SignedByOrg: org, SignedByOrgName: org, RootURLs: rootURLs,
		Plugin: s.ID, Version: s.Version, Time: time.Now().UnixMilli(), KeyID: keyID, Files: map[string]string{},
	}
	err = walk(root, func(name string) error {
		if isSignature(name) {
			return nil
		}
		sum, err := sumOf(root, name)
		m.Files[name] = fmt.Sprintf("%x", sum)
		return err
	})
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(m, "", "  ")
	return append(text, '\n'), err
}

// NewKey makes a pair of Ed25519 keys as minisign does: the secret one
// encrypted, unless the password is empty.
func NewKey(password string) (secret, public []byte, err error) {
	publicKey, secretKey, err := minisign.GenerateKey(nil)
	if err != nil {
		return nil, nil, err
	}
	if password == "" {
		secret, err = secretKey.MarshalText()
	} else {
		secret, err = minisign.EncryptKey(password, secretKey)
	}
	if err != nil {
		return nil, nil, err
	}
	public, err = publicKey.MarshalText()
	return append(secret, '\n'), append(public, '\n'), err
}

// ErrPassword: the secret key is encrypted, and not with this password.
var ErrPassword = errors.New("the secret key is encrypted with another password")

// Sign writes the manifest of a plugin and its signature into the folder.
func Sign(s Subject, secret []byte, password string, rootURLs []string) error {
	key, err := readSecret(secret, password)
	if err != nil {
		return err
	}
	text, err := Manifest(s, minisignID(key.ID()), rootURLs)
	if err != nil {
		return err
	}
	signature := minisign.SignWithComments(key, text, s.ID+" "+s.Version, "signature of "+Detached)
	if err := os.WriteFile(filepath.Join(s.Dir, Detached), text, 0o644); err != nil { //nolint:gosec // it is for everybody
		return err
	}
	return os.WriteFile(filepath.Join(s.Dir, DetachedSignature), append(signature, '\n'), 0o644) //nolint:gosec // it is for everybody
}

func readSecret(text []byte, password string) (key minisign.PrivateKey, err error) {
	text = []byte(strings.TrimSpace(string(text)))
	if !minisign.IsEncrypted(text) {
		if key.UnmarshalText(text) != nil {
			return key, errors.New("it is no secret key of minisign's")
		}
		return key, nil
	}
	if key, err = minisign.DecryptKey(password, text); err != nil {
		return key, ErrPassword
	}
	return key, nil
}
