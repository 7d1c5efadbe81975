package host

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"path"
	"runtime"
	"slices"
	"sync"

	"github.com/plugboard/plugboard/host/internal/catalog"
	"github.com/plugboard/plugboard/host/internal/trust"
)

// Signature says how far it is known who made a plugin's files.
type Signature string

const (
	SignatureInternal Signature = "internal" // bundled with the host's program
	// SignatureRemote: it runs elsewhere, so nobody here has seen its files; who
	// it is, its certificate says.
	SignatureRemote   Signature = "remote"
	SignatureValid    Signature = "valid" // a trusted key vouches for every file
	SignatureUnsigned Signature = "unsigned"
	SignatureModified Signature = "modified" // a trusted key vouches for other files
	SignatureInvalid  Signature = "invalid"  // no trusted key has made it
)

// Signer is who has signed a plugin.
type Signer struct {
	// Type is Grafana's word for what Grafana Labs have signed ("grafana",
	// "commercial", "community", "private", "private-glob"), and "private" for
	// all others.
	Type string
	// Org is the organisation, as Grafana Labs state it; for other keys it is
	// Key: what they claim themselves is not shown.
	Org string
	// Key is TrustedKey.Name, KeyID the key's own.
	Key, KeyID string
}

// TrustedKey is a public key, and the plugins that it is trusted for.
type TrustedKey struct {
	// Name is what its owner is called here, in errors and as Signer.Key. Empty
	// is "grafana" for GrafanaKey, and else not allowed.
	Name string
	// Key is the text of an OpenPGP public key, armored, or of an Ed25519 one
	// as minisign makes it; or GrafanaKey.
	Key string
	// Plugins are patterns, as of path.Match, of the ids that it may sign.
	Plugins []string
	// Orgs limits it to what it signs for some organisations: the signedByOrg
	// of a manifest. Nil means all.
	Orgs []string
}

// GrafanaKey stands for the key with which Grafana Labs sign the plugins of
// their catalog.
const GrafanaKey = trust.Grafana

// ring reads the trusted keys.
func (c Config) ring() (*trust.Ring, error) {
	trusted := c.TrustedKeys
	if trusted == nil {
		trusted = []TrustedKey{{Key: GrafanaKey, Plugins: []string{"*"}}}
	}
	var keys []trust.Key
	var faults []error
	for i, t := range trusted {
		key, err := t.parse()
		if err != nil {
			faults = append(faults, fmt.Errorf("TrustedKeys[%d]: %w", i, err))
		}
		keys = append(keys, key)
	}
	return trust.NewRing(keys, c.RootURL), errors.Join(faults...)
}

// Validate says what is wrong with the key.
func (t TrustedKey) Validate() error {
	_, err := t.parse()
	return err
}

func (t TrustedKey) parse() (trust.Key, error) {
	key, err := trust.ParseKey(t.Key)
	if err != nil {
		return key, err
	}
	key.Name, key.Plugins, key.Orgs = t.Name, t.Plugins, t.Orgs
	if t.Name == "" && t.Key == GrafanaKey {
		key.Name = GrafanaKey
	}
	if key.Name == "" {
		return key, errors.New("it has no name")
	}
	for _, pattern := range t.Plugins {
		if _, err := path.Match(pattern, ""); err != nil {
			return key, fmt.Errorf("%q is no pattern of plugin ids: %w", pattern, err)
		}
	}
	return key, nil
}

// verify checks the signatures of all plugins from folders, by id. Those that
// lie in the folder of another have its signature unless they have their own.
func verify(ring *trust.Ring, entries []*catalog.Entry) map[string]trust.Signature {
	signatures := verifyOwn(ring, entries)
	slices.SortStableFunc(entries, func(a, b *catalog.Entry) int { return len(a.Dir) - len(b.Dir) }) // parents first
	for _, entry := range entries {
		own := signatures[entry.Manifest.ID]
		around, nested := signatures[entry.Parent]
		if nested && (own.Status == trust.Unsigned || own.Status != trust.Valid && around.Status == trust.Valid) {
			signatures[entry.Manifest.ID] = around.Inherit(subject(entry))
		}
	}
	return signatures
}

// verifyOwn reads every file of every plugin, a few plugins at a time.
func verifyOwn(ring *trust.Ring, entries []*catalog.Entry) map[string]trust.Signature {
	own := make([]trust.Signature, len(entries))
	var checks sync.WaitGroup
	turn := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, entry := range entries {
		if !entry.Bundled {
			checks.Go(func() {
				turn <- struct{}{}
				own[i] = ring.Verify(subject(entry))
				<-turn
			})
		}
	}
	checks.Wait()
	signatures := map[string]trust.Signature{}
	for i, entry := range entries {
		signatures[entry.Manifest.ID] = own[i]
	}
	return signatures
}

func subject(entry *catalog.Entry) trust.Subject {
	return trust.Subject{Dir: entry.Dir, ID: entry.Manifest.ID, Version: entry.Manifest.Info.Version, Sum: entry.Manifest.Sum}
}

var errUnsigned = errors.New("it has no signature: to run it all the same, AllowUnsigned (plugboard --allow-unsigned) must name it")

// objection says why a plugin may not run; nil if it may.
func (c Config) objection(entry *catalog.Entry, signature trust.Signature) error {
	id := entry.Manifest.ID
	switch {
	case signature.Status == trust.Valid:
		return nil
	case signature.Status != trust.Unsigned:
		return fmt.Errorf("its signature is %s: %s", signature.Status, signature.Reason)
	case slices.Contains(c.AllowUnsigned, id) || slices.Contains(c.AllowUnsigned, "*") || c.inDev(entry):
		return nil
	}
	return errUnsigned
}

// check is what the process asks before each start; nil for a plugin that may
// run as it is.
func (v *version) check() func([sha256.Size]byte) error {
	if v.signature.Status != trust.Valid {
		return nil
	}
	return func(sum [sha256.Size]byte) error { return v.signature.Check(v.entry.Command[0], sum) }
}
