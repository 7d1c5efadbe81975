package sqlstore

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/server/datasource"
	"github.com/plugboard/plugboard/server/datasource/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (datasource.Provisioner, func() datasource.Provisioner) {
		dir := t.TempDir()
		store := open(t, dir)
		return store, func() datasource.Provisioner {
			if err := store.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, dir)
		}
	})
}

func open(t testing.TB, dir string) *Store {
	t.Helper()
	store, err := Open(t.Context(), dir, KeySource{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

func TestFolderBelongsToOne(t *testing.T) {
	dir := t.TempDir()
	store := open(t, dir)
	_, err := Open(t.Context(), dir, KeySource{})
	if err == nil || !strings.Contains(err.Error(), dir+" is in use by another Plugboard") {
		t.Errorf("opened twice: %v", err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
}

func TestFolderOfAnyName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?c#d%20e&_pragma=x")
	store := open(t, dir)
	if _, err := store.Create(t.Context(), datasource.DataSource{Name: "a", Type: "x"}); err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(filepath.Dir(dir), "*", FileName))
	if err != nil || len(found) != 1 || filepath.Dir(found[0]) != dir {
		t.Errorf("the database is at %q", found)
	}
}

func TestNewerDatabase(t *testing.T) {
	dir := t.TempDir()
	store := open(t, dir)
	if _, err := store.db.ExecContext(t.Context(), "PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), dir, KeySource{})
	if err == nil || !strings.Contains(err.Error(), "a newer Plugboard wrote it") {
		t.Errorf("error %v", err)
	}
}

func TestDatabaseThatIsNone(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, FileName), strings.Repeat("no database ", 100))
	_, err := Open(t.Context(), dir, KeySource{})
	if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, FileName)) {
		t.Errorf("error %v", err)
	}
}

// A clock that is set back does not take Updated with it.
func TestClockGoesBack(t *testing.T) {
	store := open(t, t.TempDir())
	d, err := store.Create(t.Context(), datasource.DataSource{Name: "a", Type: "x"})
	if err != nil {
		t.Fatal(err)
	}
	store.now = func() time.Time { return d.Updated.Add(-time.Hour) }
	d.URL = "new"
	got, err := store.Update(t.Context(), d)
	if err != nil || !got.Updated.Equal(d.Updated.Add(time.Millisecond)) {
		t.Errorf("updated %v -> %v, %v", d.Updated, got.Updated, err)
	}
}

func TestClosedStore(t *testing.T) {
	store := open(t, t.TempDir())
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Create(t.Context(), datasource.DataSource{Name: "a", Type: "x"}); err == nil {
		t.Error("wrote after Close")
	}
	if err := store.Ping(t.Context()); err == nil {
		t.Error("answers after Close")
	}
}

func TestPasswordHash(t *testing.T) {
	dir := t.TempDir()
	store := open(t, dir)
	want := ""
	for _, next := range []string{"one", "two"} {
		if hash, err := store.PasswordHash(t.Context(), "admin"); err != nil || hash != want {
			t.Errorf("hash %q, %v, want %q", hash, err, want)
		}
		if err := store.SavePasswordHash(t.Context(), "admin", next); err != nil {
			t.Fatal(err)
		}
		want = next
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if hash, err := open(t, dir).PasswordHash(t.Context(), "admin"); err != nil || hash != "two" {
		t.Errorf("hash %q, %v after reopening", hash, err)
	}
}

// Every query reads its data source: BenchmarkDataSource is what that costs.
func BenchmarkDataSource(b *testing.B) {
	store := open(b, b.TempDir())
	for i := range 1000 {
		d := datasource.DataSource{
			UID: fmt.Sprint("uid-", i), Name: fmt.Sprint(i), Type: "x", JSON: []byte(`{"tlsSkipVerify":true,"timeout":30,"database":"seattle"}`),
			Secrets: map[string]string{"password": "p", "apiKey": "k"},
		}
		if _, err := store.Create(context.Background(), d); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := store.DataSource(context.Background(), datasource.ByUID("uid-500")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUpdate(b *testing.B) {
	store := open(b, b.TempDir())
	d, err := store.Create(context.Background(), datasource.DataSource{Name: "a", Type: "x", Secrets: map[string]string{"password": "p"}})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		d.Version, d.URL = 0, d.URL+"x"
		if len(d.URL) > 100 {
			d.URL = ""
		}
		if _, err := store.Update(context.Background(), d); err != nil {
			b.Fatal(err)
		}
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
