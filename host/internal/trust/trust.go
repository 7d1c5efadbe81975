// Package trust says whether the files of a plugin are those that somebody
// has signed whom the operator trusts with it.
package trust

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Status says how far a plugin's files can be trusted, in Grafana's words.
type Status string

const (
	Unsigned Status = "unsigned"
	Invalid  Status = "invalid"  // no trusted key vouches for it
	Modified Status = "modified" // one does, but for other files than these
	Valid    Status = "valid"
)

// Subject is a plugin that has been read from a folder.
type Subject struct {
	Dir         string
	ID, Version string
	// Sum is the SHA-256 of the plugin.json it has been read from.
	Sum [sha256.Size]byte
}

// Signature is what is known of where a plugin's files are from.
type Signature struct {
	Status Status
	// Reason says what is wrong, and with which file; empty if Valid.
	Reason string
	// Type and Org say what kind of signature it is and for whom: what Grafana
	// has signed tells itself; who signs with another key is "private", and
	// goes by the name the operator gave the key. Both are empty unless Valid.
	Type, Org string
	// Key is the operator's name for the key, KeyID its own.
	Key, KeyID string

	dir      string
	by       Key
	manifest signedManifest
}

// Ring holds the keys that are trusted.
type Ring struct {
	keys    []Key
	rootURL string
}

// NewRing returns a ring of keys. rootURL is where people reach this server,
// for signatures that are good for some servers only.
func NewRing(keys []Key, rootURL string) *Ring { return &Ring{keys: keys, rootURL: rootURL} }

// Verify checks the signature in a plugin's folder, and the hash of every file
// in it. Of two signatures one that is Valid will do.
func (r *Ring) Verify(s Subject) Signature {
	root, err := os.OpenRoot(s.Dir)
	if err != nil {
		return Signature{Status: Invalid, Reason: err.Error()}
	}
	defer root.Close() //nolint:errcheck // only read
	found, faults := readSigned(root)
	var verdicts []Signature
	for _, signed := range found {
		verdict := r.judge(root, s, signed)
		if verdict.Status == Valid {
			return verdict
		}
		verdicts = append(verdicts, verdict)
	}
	for _, fault := range faults {
		verdicts = append(verdicts, Signature{Status: Invalid, Reason: fault.Error()})
	}
	if len(verdicts) == 0 {
		return Signature{Status: Unsigned, Reason: "no file " + ClearSigned + " or " + Detached + " says who made it"}
	}
	return verdicts[0]
}

// judge checks one signature.
func (r *Ring) judge(root *os.Root, s Subject, signed signed) Signature {
	refuse := func(status Status, err error) Signature {
		return Signature{Status: status, Reason: signed.file + ": " + err.Error(), KeyID: signed.keyID}
	}
	key, err := r.signer(s.ID, signed)
	if err != nil {
		return refuse(Invalid, err)
	}
	m := signed.manifest
	if m.Plugin != s.ID || m.Version != s.Version {
		return refuse(Modified, fmt.Errorf("it is for plugin %s %s, and plugin.json is of %s %s", m.Plugin, m.Version, s.ID, s.Version))
	}
	if err := r.here(m); err != nil {
		return refuse(Invalid, err)
	}
	if err := compare(root, m, s.Sum); err != nil {
		return refuse(Modified, err)
	}
	verdict := Signature{Status: Valid, Type: privateType, Org: key.Name, Key: key.Name, KeyID: signed.keyID, dir: s.Dir, by: key, manifest: m}
	if key.grafana {
		verdict.Type, verdict.Org = m.SignatureType, m.SignedByOrgName
	}
	return verdict
}

// signer returns the trusted key that made a signature, or why there is none.
func (r *Ring) signer(id string, signed signed) (Key, error) {
	var reasons []error
	for _, key := range r.keys {
		err := signed.by(key)
		if errors.Is(err, errNotBy) {
			continue
		}
		if err != nil {
			reasons = append(reasons, fmt.Errorf("the key of %s: %w", key.Name, err))
		} else if err := key.allows(id, signed.manifest); err != nil {
			reasons = append(reasons, err)
		} else {
			return key, nil
		}
	}
	if len(reasons) > 0 {
		return Key{}, errors.Join(reasons...)
	}
	var known []string
	for _, key := range r.keys {
		known = append(known, key.Name+" ("+strings.Join(key.ids(), ", ")+")")
	}
	return Key{}, fmt.Errorf("it is signed with key %s, and trusted are: %s", signed.keyID, strings.Join(append(known, "no others"), ", "))
}

// here checks that a signature for some servers only is good for this one.
func (r *Ring) here(m signedManifest) error {
	if len(m.RootURLs) == 0 || slices.ContainsFunc(m.RootURLs, func(u string) bool { return matchURL(u, r.rootURL, m.SignatureType == globType) }) {
		return nil
	}
	return fmt.Errorf("it is good at %s only, and this server is at %q (root-url)", strings.Join(m.RootURLs, ", "), r.rootURL)
}

// Inherit returns the signature of a plugin that lies in the folder of one with
// a Valid signature, which is also for its files.
func (s Signature) Inherit(child Subject) Signature {
	if s.Status != Valid {
		return Signature{Status: s.Status, Reason: "the plugin around it: " + s.Reason, KeyID: s.KeyID}
	}
	name, err := s.name(filepath.Join(child.Dir, "plugin.json"))
	sum, known := s.manifest.sum(name)
	if err != nil || !known || sum != child.Sum {
		return Signature{Status: Modified, Reason: "its plugin.json is not among the files that were signed for the plugin around it", KeyID: s.KeyID}
	}
	if err := s.by.allows(child.ID, s.manifest); err != nil {
		return Signature{Status: Invalid, Reason: "the plugin around it: " + err.Error(), KeyID: s.KeyID}
	}
	return s
}

// Check says whether a file of the plugin's may be used that has this SHA-256.
func (s Signature) Check(file string, sum [sha256.Size]byte) error {
	name, err := s.name(file)
	if err != nil {
		return err
	}
	want, known := s.manifest.sum(name)
	switch {
	case !known:
		return fmt.Errorf("the signature of %s has no file %s", s.Key, name)
	case want != sum:
		return fmt.Errorf("it is not the file that %s has signed: its SHA-256 is %x, and signed is %x", s.Key, sum, want)
	}
	return nil
}

// name is what the manifest calls a file.
func (s Signature) name(file string) (string, error) {
	name, err := filepath.Rel(s.dir, file)
	return path.Clean(filepath.ToSlash(name)), err
}
