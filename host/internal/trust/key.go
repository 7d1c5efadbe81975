package trust

import (
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"aead.dev/minisign"
	"github.com/ProtonMail/go-crypto/openpgp"
)

// Grafana stands, in place of a key's text, for the key that Grafana Labs sign
// the plugins of their catalog with: grafana.asc.
const Grafana = "grafana"

//go:embed grafana.asc
var grafanaKey string

// Key is a public key and what it is trusted for.
type Key struct {
	// Name is what the operator calls its owner.
	Name string
	// Plugins are patterns, as of path.Match, of the ids it may sign.
	Plugins []string
	// Orgs are the organisations it may sign for, by the short name that
	// stands in manifests as signedByOrg; empty means all.
	Orgs []string

	grafana bool
	pgp     openpgp.EntityList
	ed25519 *minisign.PublicKey
}

// ParseKey reads a public key: Grafana, an armored OpenPGP key, or an Ed25519
// key as minisign writes it, with or without its comment.
func ParseKey(text string) (Key, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == Grafana:
		list, err := openpgp.ReadArmoredKeyRing(strings.NewReader(grafanaKey))
		return Key{grafana: true, pgp: list}, err
	case strings.Contains(text, "PRIVATE KEY"), strings.Contains(text, "secret key"):
		return Key{}, errors.New("it is a secret key, which belongs with who signs: want the public one")
	case strings.HasPrefix(text, "-----BEGIN PGP"):
		list, err := openpgp.ReadArmoredKeyRing(strings.NewReader(text))
		if err != nil {
			return Key{}, fmt.Errorf("it is no OpenPGP public key: %w", err)
		}
		return Key{pgp: list}, nil
	}
	var key minisign.PublicKey
	if err := key.UnmarshalText([]byte(text)); err != nil {
		return Key{}, errors.New("it is neither an armored OpenPGP public key nor one of minisign (Ed25519)")
	}
	return Key{ed25519: &key}, nil
}

// allows says why the key may not sign for this plugin; nil if it may.
func (k Key) allows(id string, m signedManifest) error {
	if !slices.ContainsFunc(k.Plugins, func(pattern string) bool { ok, _ := path.Match(pattern, id); return ok }) {
		return fmt.Errorf("the key of %s is not trusted for plugin %s, only for %s", k.Name, id, strings.Join(k.Plugins, ", "))
	}
	if len(k.Orgs) > 0 && !slices.Contains(k.Orgs, m.SignedByOrg) {
		return fmt.Errorf("the key of %s is not trusted for what it signs in the name of %q, only of %s", k.Name, m.SignedByOrg, strings.Join(k.Orgs, ", "))
	}
	return nil
}

// ids of the keys, as messages name them.
func (k Key) ids() []string {
	if k.ed25519 != nil {
		return []string{minisignID(k.ed25519.ID())}
	}
	var ids []string
	for _, entity := range k.pgp {
		ids = append(ids, strings.ToLower(hex.EncodeToString(entity.PrimaryKey.Fingerprint[max(0, len(entity.PrimaryKey.Fingerprint)-8):])))
	}
	return ids
}

func minisignID(id uint64) string { return fmt.Sprintf("%016X", id) }
