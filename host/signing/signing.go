// Package signing signs plugins, for hosts that trust the key.
package signing

import (
	"errors"
	"fmt"

	"github.com/plugboard/plugboard/host/internal/catalog"
	"github.com/plugboard/plugboard/host/internal/trust"
)

// ErrPassword: the secret key is encrypted, and not with this password.
var ErrPassword = trust.ErrPassword

// NewKey makes a pair of Ed25519 keys in the form of minisign, which can use
// them too: the secret one to sign with, encrypted unless the password is
// empty, and the public one for host.TrustedKey.
func NewKey(password string) (secret, public []byte, err error) { return trust.NewKey(password) }

// Sign signs the plugin in dir, or in its "dist", with the plugins nested in
// it: every file of its folder, as it is now. The folder gets two more, which
// take the place of those of an earlier signature. Under rootURLs, if there
// are any, and nowhere else the signature is good. It returns the folder.
func Sign(dir string, secret []byte, password string, rootURLs []string) (folder string, err error) {
	subject, err := only(dir)
	if err != nil {
		return "", err
	}
	if err := trust.Sign(subject, secret, password, rootURLs); err != nil {
		return "", fmt.Errorf("sign %s: %w", subject.Dir, err)
	}
	return subject.Dir, nil
}

// Manifest returns what Sign signs, to be clear-signed with an OpenPGP key of
// that id and put into the folder as MANIFEST.txt.
func Manifest(dir, keyID string, rootURLs []string) ([]byte, error) {
	subject, err := only(dir)
	if err != nil {
		return nil, err
	}
	return trust.Manifest(subject, keyID, rootURLs)
}

// only returns the plugin in a folder that no other lies around.
func only(dir string) (trust.Subject, error) {
	installed := catalog.New()
	installed.Scan(dir)
	for _, fault := range installed.Faults() {
		return trust.Subject{}, fault
	}
	var found []trust.Subject
	for _, entry := range installed.Entries() {
		if entry.Parent == "" {
			found = append(found, trust.Subject{Dir: entry.Dir, ID: entry.Manifest.ID, Version: entry.Manifest.Info.Version, Sum: entry.Manifest.Sum})
		}
	}
	switch len(found) {
	case 0:
		return trust.Subject{}, fmt.Errorf("%s: there is no plugin.json", dir)
	case 1:
		return found[0], nil
	default:
		return trust.Subject{}, fmt.Errorf("%s: %w", dir, errors.New("it holds several plugins; name the folder of one"))
	}
}
