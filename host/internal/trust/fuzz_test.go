package trust

import (
	"os"
	"path/filepath"
	"testing"

	"aead.dev/minisign"
)

func minisignOf(t *testing.T, key minisign.PrivateKey, text []byte) []byte {
	t.Helper()
	return minisign.Sign(key, text)
}

// FuzzClearSigned: what is made of a MANIFEST.txt is an error, or a manifest
// with all that it must have and no signature of a key that we know.
func FuzzClearSigned(f *testing.F) {
	for _, seed := range []string{
		"", "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{}\n-----BEGIN PGP SIGNATURE-----\n\n=AAAA\n-----END PGP SIGNATURE-----\n",
		"-----BEGIN PGP SIGNED MESSAGE-----\n\n- -\n-----BEGIN PGP SIGNATURE-----\n\nwqAEARMKAAYFAl6+uyoACgkQfk0ManCIZuc0\n=x\n-----END PGP SIGNATURE-----",
	} {
		f.Add([]byte(seed))
	}
	key, err := ParseKey(Grafana)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := parseClearSigned(text)
		if err != nil {
			return
		}
		if len(s.manifest.Files) == 0 || s.manifest.Plugin == "" {
			t.Errorf("half a manifest: %+v", s.manifest)
		}
		if s.by(key) == nil {
			t.Error("Grafana Labs have signed it?")
		}
	})
}

// FuzzDetached is the same for ours, and for reading it all from a folder.
func FuzzDetached(f *testing.F) {
	secret, public, err := NewKey("")
	if err != nil {
		f.Fatal(err)
	}
	key, err := ParseKey(string(public))
	if err != nil {
		f.Fatal(err)
	}
	s := Subject{Dir: f.TempDir(), ID: "acme-datasource", Version: "1.0.0"}
	if err := os.WriteFile(filepath.Join(s.Dir, "plugin.json"), []byte("{}"), 0o600); err != nil {
		f.Fatal(err)
	}
	if err := Sign(s, secret, "", nil); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(filepath.Join(s.Dir, Detached))
	if err != nil {
		f.Fatal(err)
	}
	signature, err := os.ReadFile(filepath.Join(s.Dir, DetachedSignature))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, signature)
	f.Add([]byte("{}"), signature)
	f.Add(good, []byte("untrusted comment: x\nRUQ=\ntrusted comment: y\nAA=="))
	f.Fuzz(func(t *testing.T, text, signature []byte) {
		s, err := parseDetached(text, signature)
		if err != nil {
			return
		}
		if s.by(key) == nil && string(text) != string(good) {
			t.Errorf("a signature for other text: %q", text)
		}
	})
}
