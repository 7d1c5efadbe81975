package trust

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"aead.dev/minisign"
	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
)

// The files of a signature, in the plugin's folder.
const (
	// ClearSigned is Grafana's: the manifest and its OpenPGP signature.
	ClearSigned = "MANIFEST.txt"
	// Detached is the manifest by itself, signed with an Ed25519 key in
	// DetachedSignature, as minisign does it.
	Detached          = "plugboard.manifest.json"
	DetachedSignature = Detached + ".minisig"
)

// largestSigned is far beyond any real manifest.
const largestSigned = 16 << 20

// shortestSigned: Grafana takes a shorter file for none.
const shortestSigned = 10

// signatureTypes are the kinds of signature that Grafana knows.
var signatureTypes = []string{"grafana", "commercial", "community", privateType, globType}

const (
	privateType = "private"
	globType    = "private-glob"
)

// signedManifest is what is signed: who says that a plugin has these files.
type signedManifest struct {
	ManifestVersion string            `json:"manifestVersion"`
	SignatureType   string            `json:"signatureType"`
	SignedByOrg     string            `json:"signedByOrg"`
	SignedByOrgName string            `json:"signedByOrgName"`
	RootURLs        []string          `json:"rootUrls,omitempty"`
	Plugin          string            `json:"plugin"`
	Version         string            `json:"version"`
	Time            int64             `json:"time"`
	KeyID           string            `json:"keyId"`
	Files           map[string]string `json:"files"`
}

// signed is a manifest and what proves where it is from.
type signed struct {
	// file names it in messages.
	file     string
	manifest signedManifest
	// by tells whether a key has made the signature; the error is one of
	// errNotBy if it has not.
	by func(Key) error
	// keyID names the key that says it has, as far as can be read.
	keyID string
}

var errNotBy = errors.New("it is not by this key")

// readSigned returns the signatures in a folder, ours first. The error of one
// is returned along with the others.
func readSigned(root *os.Root) (found []signed, faults []error) {
	readers := []struct {
		files []string
		parse func([][]byte) (signed, error)
	}{
		{[]string{Detached, DetachedSignature}, func(texts [][]byte) (signed, error) { return parseDetached(texts[0], texts[1]) }},
		{[]string{ClearSigned}, func(texts [][]byte) (signed, error) { return parseClearSigned(texts[0]) }},
	}
	for _, r := range readers {
		texts, err := readAll(root, r.files)
		if err == nil && texts == nil {
			continue
		}
		var s signed
		if err == nil {
			s, err = r.parse(texts)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", r.files[0], err))
			continue
		}
		found = append(found, s)
	}
	return found, faults
}

// readAll reads files that belong together: all or, with nil, none of them.
func readAll(root *os.Root, names []string) ([][]byte, error) {
	var texts [][]byte
	var missing []string
	for _, name := range names {
		text, err := readSmall(root, name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && len(text) < shortestSigned {
			missing = append(missing, name)
			continue
		}
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	if len(texts) > 0 && len(missing) > 0 {
		return nil, fmt.Errorf("%s is missing beside it", strings.Join(missing, ", "))
	}
	return texts, nil
}

func readSmall(root *os.Root, name string) ([]byte, error) {
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	if info.Size() > largestSigned {
		return nil, fmt.Errorf("it has %d bytes, which is too long for a manifest", info.Size())
	}
	return root.ReadFile(name)
}

// parseClearSigned reads a MANIFEST.txt.
func parseClearSigned(text []byte) (signed, error) {
	block, _ := clearsign.Decode(text)
	if block == nil {
		return signed{}, errors.New("it is not clear-signed by OpenPGP")
	}
	signature, err := readArmor(block)
	if err != nil {
		return signed{}, err
	}
	m, err := parseSigned(block.Bytes)
	if err != nil {
		return signed{}, err
	}
	by := func(k Key) error {
		if k.pgp == nil {
			return errNotBy
		}
		_, err := openpgp.CheckDetachedSignature(k.pgp, bytes.NewReader(block.Bytes), bytes.NewReader(signature), nil)
		if errors.Is(err, pgperrors.ErrUnknownIssuer) {
			return errNotBy
		}
		return err
	}
	return signed{file: ClearSigned, manifest: m, by: by, keyID: m.KeyID}, nil
}

// readArmor reads the signature, which can be done once.
func readArmor(block *clearsign.Block) ([]byte, error) {
	var signature bytes.Buffer
	if _, err := signature.ReadFrom(block.ArmoredSignature.Body); err != nil {
		return nil, fmt.Errorf("its signature cannot be read: %w", err)
	}
	return signature.Bytes(), nil
}

// parseDetached reads a manifest and the signature that minisign makes of it.
func parseDetached(text, signature []byte) (signed, error) {
	var parsed minisign.Signature
	if err := parsed.UnmarshalText(signature); err != nil {
		return signed{}, fmt.Errorf("%s is no signature of minisign's", DetachedSignature)
	}
	m, err := parseSigned(text)
	if err != nil {
		return signed{}, err
	}
	by := func(k Key) error {
		if k.ed25519 == nil || k.ed25519.ID() != parsed.KeyID {
			return errNotBy
		}
		if !minisign.Verify(*k.ed25519, text, signature) {
			return errors.New("the signature does not fit the text")
		}
		return nil
	}
	return signed{file: Detached, manifest: m, by: by, keyID: minisignID(parsed.KeyID)}, nil
}

// parseSigned reads the JSON and says what is missing in it.
func parseSigned(text []byte) (signedManifest, error) {
	var m signedManifest
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("what is signed is no manifest: %w", err)
	}
	if !strings.HasPrefix(m.ManifestVersion, "2.") {
		return m, fmt.Errorf("manifestVersion is %q, want 2.x", m.ManifestVersion)
	}
	fields := map[string]bool{
		"plugin": m.Plugin == "", "version": m.Version == "", "keyId": m.KeyID == "", "time": m.Time == 0, "files": len(m.Files) == 0,
		"signedByOrg": m.SignedByOrg == "", "signedByOrgName": m.SignedByOrgName == "",
	}
	for _, name := range []string{"plugin", "version", "keyId", "time", "files", "signedByOrg", "signedByOrgName"} {
		if fields[name] {
			return m, fmt.Errorf("%s is missing in what is signed", name)
		}
	}
	if !slices.Contains(signatureTypes, m.SignatureType) {
		return m, fmt.Errorf("signatureType is %q, want one of %s", m.SignatureType, strings.Join(signatureTypes, ", "))
	}
	return m, nil
}

// sum returns the SHA-256 that is signed for a file.
func (m signedManifest) sum(name string) (sum [sha256.Size]byte, known bool) {
	text, listed := m.Files[name]
	raw, err := hex.DecodeString(text)
	if !listed || err != nil || len(raw) != len(sum) {
		return sum, false
	}
	return [sha256.Size]byte(raw), true
}
