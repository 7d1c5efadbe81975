package sqlstore

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/plugboard/plugboard/server/datasource"
)

var (
	oneKey   = bytes.Repeat([]byte{1}, keySize)
	otherKey = bytes.Repeat([]byte{2}, keySize)
)

func TestKeyIsMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "here")
	open(t, dir).Close() // open checks it again
	made, err := os.ReadFile(filepath.Join(dir, KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	open(t, dir)
	if again, err := os.ReadFile(filepath.Join(dir, KeyFile)); err != nil || !bytes.Equal(again, made) {
		t.Errorf("the key changed: %v", err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for name, want := range map[string]fs.FileMode{".": 0o700 | fs.ModeDir, KeyFile: 0o600, FileName: 0o600, FileName + "-wal": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", name, info.Mode(), want)
		}
	}
}

// The key may come from the configuration, in the usual spellings.
func TestKeySources(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(hex.EncodeToString(oneKey)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, source := range []KeySource{
		{Value: base64.StdEncoding.EncodeToString(oneKey)},
		{Value: " " + base64.RawURLEncoding.EncodeToString(oneKey) + "\n"},
		{Value: strings.ToUpper(hex.EncodeToString(oneKey))},
		{File: file},
	} {
		store, err := Open(t.Context(), dir, source)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, KeyFile)); err == nil {
		t.Error("a key was made that nobody needs")
	}
}

func TestWrongKey(t *testing.T) {
	dir, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "the.key")
	open(t, dir).Close() // open checks it again
	keyFile := filepath.Join(dir, KeyFile)
	other := base64.StdEncoding.EncodeToString(otherKey)
	for _, test := range []struct {
		what    string
		source  KeySource
		content string // of secret.key; "" removes it
		want    []string
	}{
		{"other file", KeySource{}, other, []string{keyFile, "is not the one that the secrets in"}},
		{"lost file", KeySource{}, "", []string{keyFile, "is missing", "put the file back"}},
		{"cut off file", KeySource{}, other[:20], []string{keyFile, "is not 32 bytes in base64 or hex", "openssl rand -base64 32"}},
		{"other value", KeySource{Value: other}, other, []string{"the secret key that was configured is not the one"}},
		{"passphrase", KeySource{Value: "correct horse"}, other, []string{"the secret key that was configured is not 32 bytes"}},
		{"no such file", KeySource{File: elsewhere}, other, []string{elsewhere, "no such file"}},
	} {
		if err := os.WriteFile(keyFile, []byte(test.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if test.content == "" {
			os.Remove(keyFile) // seen by the test
		}
		_, err := Open(t.Context(), dir, test.source)
		if err == nil {
			t.Errorf("%s: opened", test.what)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is missing in: %v", test.what, want, err)
			}
		}
		if strings.Contains(err.Error(), other[:20]) || strings.Contains(err.Error(), "horse") {
			t.Errorf("%s: the error shows the key: %v", test.what, err)
		}
	}
}

func TestSecretsAreNotOnDisk(t *testing.T) {
	dir := t.TempDir()
	store := open(t, dir)
	_, err := store.Create(t.Context(), datasource.DataSource{Name: "a", Type: "x", Secrets: map[string]string{"secretName": "hunter2"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.SaveApp(t.Context(), datasource.App{PluginID: "x", Secrets: map[string]string{"secretName": "hunter2"}}); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	written := false
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		written = written || bytes.Contains(content, []byte("data_source"))
		if bytes.Contains(content, []byte("hunter2")) || bytes.Contains(content, []byte("secretName")) {
			t.Errorf("%s shows a secret", name)
		}
	}
	if !written {
		t.Error("nothing was written")
	}
}

// A ciphertext opens in its own row only; the rest of the store goes on.
func TestSecretsMovedToAnotherRow(t *testing.T) {
	dir := t.TempDir()
	store := open(t, dir)
	for _, name := range []string{"one", "two", "three"} {
		d := datasource.DataSource{UID: name, Name: name, Type: "x", Secrets: map[string]string{"key": name}}
		if _, err := store.Create(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if _, err := store.SaveApp(t.Context(), datasource.App{PluginID: name, Secrets: map[string]string{"key": name}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, tamper := range []string{
		"UPDATE data_source SET secrets = (SELECT secrets FROM data_source WHERE uid = 'two') WHERE uid = 'one'",
		"UPDATE data_source SET secrets = x'01' WHERE uid = 'two'",
		"UPDATE app SET secrets = (SELECT secrets FROM app WHERE plugin_id = 'two') WHERE plugin_id = 'one'",
		"UPDATE app SET secrets = (SELECT secrets FROM data_source WHERE uid = 'three') WHERE plugin_id = 'two'",
	} {
		if _, err := store.db.ExecContext(t.Context(), tamper); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}

	store = open(t, dir)
	for _, name := range []string{"one", "two"} {
		d, err := store.DataSource(t.Context(), datasource.ByUID(name))
		if !errors.Is(err, datasource.ErrDamaged) || !strings.Contains(err.Error(), name) || d.ID == 0 || len(d.Secrets) > 0 {
			t.Errorf("data source %s: %+v, %v", name, d, err)
		}
		if _, err = store.App(t.Context(), name); !errors.Is(err, datasource.ErrDamaged) {
			t.Errorf("app %s: %v", name, err)
		}
	}
	if d, err := store.DataSource(t.Context(), datasource.ByUID("three")); err != nil || d.Secrets["key"] != "three" {
		t.Errorf("three: %v, %v", d.Secrets, err)
	}
	all, err := store.DataSources(t.Context())
	if err != nil || len(all) != 3 || len(all[0].Secrets) != 0 {
		t.Errorf("list: %v, %v", all, err)
	}
	mend(t, store)
}

// Saving again mends what is damaged.
func mend(t *testing.T, store *Store) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	if _, err := store.Update(ctx, datasource.DataSource{ID: 1, Name: "one", Type: "x"}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.SaveApp(ctx, datasource.App{PluginID: "one"}); err != nil {
		t.Fatal(err)
	}
	if d, err := store.DataSource(ctx, datasource.ByUID("one")); err != nil || len(d.Secrets) != 0 {
		t.Errorf("after saving again: %v, %v", d.Secrets, err)
	}
	if a, err := store.App(ctx, "one"); err != nil || len(a.Secrets) != 0 {
		t.Errorf("after saving again: %v, %v", a.Secrets, err)
	}
}

func TestNoncesDiffer(t *testing.T) {
	c, err := newCipher(oneKey)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(c.seal("a", []byte("x")), c.seal("a", []byte("x"))) {
		t.Error("the same text sealed twice looks the same")
	}
}
