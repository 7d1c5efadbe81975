package trust

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
)

const pluginJSON = `{"id": "acme-datasource", "info": {"version": "1.0.0"}}`

// folder writes a plugin's folder.
func folder(t *testing.T) Subject {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"plugin.json": pluginJSON, "gpx_acme_linux_amd64": "program", "img/logo.svg": "<svg/>", "nested/plugin.json": "{}"} {
		write(t, dir, name, content)
	}
	return Subject{Dir: dir, ID: "acme-datasource", Version: "1.0.0", Sum: sha256.Sum256([]byte(pluginJSON))}
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// signer signs a folder, and is trusted with acme-*.
type signer struct {
	key  Key
	sign func(t *testing.T, s Subject, change func(manifest string) string)
}

func signers(t *testing.T) map[string]signer {
	t.Helper()
	return map[string]signer{"OpenPGP": openPGP(t), "Ed25519": ed25519(t)}
}

func ed25519(t *testing.T) signer {
	t.Helper()
	secret, public, err := NewKey("")
	if err != nil {
		t.Fatal(err)
	}
	return signer{parsed(t, string(public)), func(t *testing.T, s Subject, change func(string) string) {
		if err := Sign(s, secret, "", nil); err != nil {
			t.Fatal(err)
		}
		if change == nil {
			return
		}
		text, err := os.ReadFile(filepath.Join(s.Dir, Detached))
		if err != nil {
			t.Fatal(err)
		}
		key, err := readSecret(secret, "")
		if err != nil {
			t.Fatal(err)
		}
		changed := []byte(change(string(text)))
		write(t, s.Dir, Detached, string(changed))
		write(t, s.Dir, DetachedSignature, string(minisignOf(t, key, changed)))
	}}
}

func openPGP(t *testing.T) signer {
	t.Helper()
	entity, err := openpgp.NewEntity("Acme", "", "acme@example.org", nil)
	if err != nil {
		t.Fatal(err)
	}
	var public bytes.Buffer
	block, err := armor.Encode(&public, openpgp.PublicKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := entity.Serialize(block); err != nil {
		t.Fatal(err)
	}
	if err := block.Close(); err != nil {
		t.Fatal(err)
	}
	return signer{parsed(t, public.String()), func(t *testing.T, s Subject, change func(string) string) {
		text, err := Manifest(s, entity.PrimaryKey.KeyIdString(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if change != nil {
			text = []byte(change(string(text)))
		}
		var signed bytes.Buffer
		w, err := clearsign.Encode(&signed, entity.PrivateKey, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		write(t, s.Dir, ClearSigned, signed.String())
	}}
}

func parsed(t *testing.T, text string) Key {
	t.Helper()
	key, err := ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	key.Name, key.Plugins = "Acme's security team", []string{"acme-*"}
	return key
}

// TestStates goes through what can be wrong with a folder, and says with which
// words.
func TestStates(t *testing.T) {
	replaced := func(old, by string) func(string) string {
		return func(manifest string) string { return strings.Replace(manifest, old, by, 1) }
	}
	tests := []struct {
		name   string
		sign   func(manifest string) string
		tamper func(t *testing.T, s *Subject)
		status Status
		reason string
	}{
		{"as it was signed", nil, nil, Valid, ""},
		{"no signature", nil, func(t *testing.T, s *Subject) { unsign(t, s.Dir) }, Unsigned, "no file MANIFEST.txt"},
		{"a file has changed", nil, func(t *testing.T, s *Subject) { write(t, s.Dir, "img/logo.svg", "other") }, Modified, "the file img/logo.svg is not the one"},
		{"the executable has changed", nil, func(t *testing.T, s *Subject) { write(t, s.Dir, "gpx_acme_linux_amd64", "other") }, Modified, "the file gpx_acme_linux_amd64 is not the one"},
		{"plugin.json was read from another file", nil, func(_ *testing.T, s *Subject) { s.Sum = sha256.Sum256([]byte("other")) }, Modified, "the file plugin.json is not the one"},
		{"a file is missing", nil, func(t *testing.T, s *Subject) { remove(t, s.Dir, "img/logo.svg") }, Modified, "the file img/logo.svg is missing"},
		{"a file too many", nil, func(t *testing.T, s *Subject) { write(t, s.Dir, "img/more.svg", "x") }, Modified, "the file img/more.svg is not among"},
		{"a link out of the folder", nil, func(t *testing.T, s *Subject) { link(t, "/etc/passwd", s.Dir, "img/logo.svg") }, Modified, "img/logo.svg"},
		{"a link to a folder", nil, func(t *testing.T, s *Subject) { link(t, "img", s.Dir, "more") }, Modified, "more is a link to a folder"},
		{"another version", nil, func(_ *testing.T, s *Subject) { s.Version = "1.0.1" }, Modified, "it is for plugin acme-datasource 1.0.0"},
		{"another plugin", replaced("acme-datasource", "acme-other"), nil, Modified, "it is for plugin acme-other"},
		{"of the first kind", replaced(`"manifestVersion": "2.0.0"`, `"manifestVersion": ""`), nil, Invalid, "manifestVersion is"},
		{"of an unknown type", replaced(`"private"`, `"royal"`), nil, Invalid, `signatureType is "royal"`},
		{"without an organisation", replaced(`"signedByOrg": "acme"`, `"signedByOrg": ""`), nil, Invalid, "signedByOrg is missing"},
		{"no manifest", func(string) string { return "a letter to somebody\n" }, nil, Invalid, "no manifest"},
		{"for another server", replaced(`"plugin":`, `"rootUrls": ["https://elsewhere.example"], "plugin":`), nil, Invalid, "good at https://elsewhere.example only"},
		{"for this server", replaced(`"plugin":`, `"rootUrls": ["https://here.example/data/"], "plugin":`), nil, Valid, ""},
		{"the text has changed", nil, func(t *testing.T, s *Subject) { edit(t, s.Dir, "2.0.0", "2.0.1") }, Invalid, "the key of Acme's security team"},
		{"the signature is garbage", nil, func(t *testing.T, s *Subject) {
			write(t, s.Dir, ClearSigned, "garbage garbage")
			remove(t, s.Dir, Detached, DetachedSignature)
		}, Invalid, "not clear-signed"},
		{"an empty signature", nil, func(t *testing.T, s *Subject) { unsign(t, s.Dir); write(t, s.Dir, ClearSigned, "\n") }, Unsigned, ""},
		{"not a plugin of theirs", nil, func(_ *testing.T, s *Subject) { s.ID = "grafana-datasource" }, Invalid, "not trusted for plugin grafana-datasource, only for acme-*"},
	}
	for kind, signer := range signers(t) {
		ring := NewRing([]Key{parsed(t, Grafana), signer.key}, "https://here.example/data")
		for _, test := range tests {
			t.Run(kind+"/"+test.name, func(t *testing.T) {
				s := folder(t)
				signer.sign(t, s, test.sign)
				if test.tamper != nil {
					test.tamper(t, &s)
				}
				got := ring.Verify(s)
				if got.Status != test.status || !strings.Contains(got.Reason, test.reason) {
					t.Errorf("%s: %s, want %s: …%s…", got.Status, got.Reason, test.status, test.reason)
				}
				if got.Status == Valid && (got.Type != "private" || got.Org != "Acme's security team" || got.Key != got.Org) {
					t.Errorf("it is signed by %+v", got)
				}
			})
		}
	}
}

func TestUnknownKey(t *testing.T) {
	for kind, signer := range signers(t) {
		t.Run(kind, func(t *testing.T) {
			s := folder(t)
			signer.sign(t, s, nil)
			stranger := signers(t)[kind].key
			stranger.Name = "another"
			got := NewRing([]Key{stranger}, "").Verify(s)
			if got.Status != Invalid || !strings.Contains(got.Reason, got.KeyID) || !strings.Contains(got.Reason, "another (") {
				t.Errorf("%+v, want one that names both keys", got)
			}
		})
	}
}

// TestOneOfTwoSignaturesIsEnough: an operator signs what somebody else has.
func TestOneOfTwoSignaturesIsEnough(t *testing.T) {
	s := folder(t)
	theirs, ours := openPGP(t), ed25519(t)
	theirs.sign(t, s, nil)
	ours.sign(t, s, nil)
	for _, key := range []Key{theirs.key, ours.key} {
		if got := NewRing([]Key{key}, "").Verify(s); got.Status != Valid {
			t.Errorf("%+v", got)
		}
	}
}

func TestOrganisations(t *testing.T) {
	s, signer := folder(t), openPGP(t)
	signer.sign(t, s, nil)
	signer.key.Orgs = []string{"acme"}
	if got := NewRing([]Key{signer.key}, "").Verify(s); got.Status != Valid {
		t.Errorf("%+v", got)
	}
	signer.key.Orgs = []string{"umbrella"}
	if got := NewRing([]Key{signer.key}, "").Verify(s); got.Status != Invalid || !strings.Contains(got.Reason, `in the name of "acme", only of umbrella`) {
		t.Errorf("%+v", got)
	}
}

func TestNestedPluginInherits(t *testing.T) {
	s, signer := folder(t), ed25519(t)
	signer.sign(t, s, nil)
	around := NewRing([]Key{signer.key}, "").Verify(s)
	child := Subject{Dir: filepath.Join(s.Dir, "nested"), ID: "acme-nested-datasource", Sum: sha256.Sum256([]byte("{}"))}
	if got := around.Inherit(child); got.Status != Valid {
		t.Errorf("%+v", got)
	}
	stranger := child
	stranger.ID = "grafana-datasource"
	if got := around.Inherit(stranger); got.Status != Invalid || !strings.Contains(got.Reason, "not trusted for plugin grafana-datasource") {
		t.Errorf("%+v", got)
	}
	other := child
	other.Sum = sha256.Sum256([]byte("other"))
	if got := around.Inherit(other); got.Status != Modified {
		t.Errorf("%+v", got)
	}
	if got := (Signature{Status: Modified, Reason: "the file x"}).Inherit(child); got.Status != Modified || !strings.Contains(got.Reason, "the file x") {
		t.Errorf("%+v", got)
	}
}

func TestCheckBeforeStart(t *testing.T) {
	s, signer := folder(t), ed25519(t)
	signer.sign(t, s, nil)
	signature := NewRing([]Key{signer.key}, "").Verify(s)
	program := filepath.Join(s.Dir, "gpx_acme_linux_amd64")
	if err := signature.Check(program, sha256.Sum256([]byte("program"))); err != nil {
		t.Error(err)
	}
	if err := signature.Check(program, sha256.Sum256([]byte("other"))); err == nil || !strings.Contains(err.Error(), "not the file") {
		t.Error(err)
	}
	if err := signature.Check(filepath.Join(s.Dir, "..", "other"), sha256.Sum256([]byte("program"))); err == nil {
		t.Error("a file outside the folder passes")
	}
}

// TestGrafanaKey holds the key that comes with us against the fingerprint that
// others have published of it.
func TestGrafanaKey(t *testing.T) {
	key, err := ParseKey(Grafana)
	if err != nil {
		t.Fatal(err)
	}
	const fingerprint = "f33b25b691074e84636570f37e4d0c6a708866e7"
	if got := hex.EncodeToString(key.pgp[0].PrimaryKey.Fingerprint); len(key.pgp) != 1 || got != fingerprint {
		t.Errorf("fingerprint %s, want %s", got, fingerprint)
	}
	if ids := key.ids(); len(ids) != 1 || ids[0] != "7e4d0c6a708866e7" {
		t.Errorf("ids %q", ids)
	}
}

func TestParseKey(t *testing.T) {
	secret, public, err := NewKey("")
	if err != nil {
		t.Fatal(err)
	}
	_, bare, _ := strings.Cut(strings.TrimSpace(string(public)), "\n")
	if _, err := ParseKey(bare); err != nil {
		t.Errorf("a key without its comment: %v", err)
	}
	for text, want := range map[string]string{
		"": "neither", "garbage": "neither", string(secret): "secret key", "-----BEGIN PGP PRIVATE KEY BLOCK-----": "secret key",
		"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nx": "no OpenPGP public key",
	} {
		if _, err := ParseKey(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %q", text, err, want)
		} else if strings.Contains(err.Error(), bare) {
			t.Errorf("the error shows the key: %v", err)
		}
	}
}

func TestRootURL(t *testing.T) {
	tests := []struct {
		signed, server string
		glob, want     bool
	}{
		{"https://a.example", "https://a.example/", false, true},
		{"https://a.example/x/", "https://a.example/x", false, true},
		{"https://a.example", "http://a.example", false, false},
		{"https://a.example", "https://a.example:3000", false, false},
		{"https://a.example", "", false, false},
		{"https://*.example", "https://a.example", false, false},
		{"https://*.example/", "https://a.example", true, true},
		{"https://*.example", "https://a.b.example", true, false},
		{"https://**.example", "https://a.b.example", true, true},
		{"https://*.example", "https://a.example/x", true, false},
	}
	for _, test := range tests {
		if got := matchURL(test.signed, test.server, test.glob); got != test.want {
			t.Errorf("%s at %s (glob %v): %v", test.signed, test.server, test.glob, got)
		}
	}
}

func TestSecretKeyWithPassword(t *testing.T) {
	if testing.Short() {
		t.Skip("minisign takes a second and a gigabyte to make a key of a password")
	}
	secret, public, err := NewKey("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	s := folder(t)
	if err := Sign(s, secret, "wrong", nil); err == nil || err.Error() != ErrPassword.Error() {
		t.Errorf("a wrong password: %v", err)
	}
	if err := Sign(s, secret, "correct horse", nil); err != nil {
		t.Fatal(err)
	}
	if got := NewRing([]Key{parsed(t, string(public))}, "").Verify(s); got.Status != Valid {
		t.Errorf("%+v", got)
	}
}

func unsign(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{ClearSigned, Detached, DetachedSignature} {
		_ = os.Remove(filepath.Join(dir, name))
	}
}

// edit changes the text that is signed, in whichever file it is.
func edit(t *testing.T, dir, old, by string) {
	t.Helper()
	for _, name := range []string{ClearSigned, Detached} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			write(t, dir, name, strings.Replace(string(text), old, by, 1))
		}
	}
}

func remove(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		_ = os.Remove(filepath.Join(dir, name))
	}
}

func link(t *testing.T, to, dir, name string) {
	t.Helper()
	remove(t, dir, name)
	if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}
