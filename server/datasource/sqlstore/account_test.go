package sqlstore

import (
	"strings"
	"testing"

	"github.com/plugboard/plugboard/server/access"
	"github.com/plugboard/plugboard/server/datasource"
	"github.com/plugboard/plugboard/server/datasource/storetest"
)

func TestAccounts(t *testing.T) {
	storetest.RunAccounts(t, func(t *testing.T) (access.AccountStore, func() access.AccountStore) {
		dir := t.TempDir()
		store := open(t, dir)
		return store, func() access.AccountStore {
			if err := store.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, dir)
		}
	})
}

// A list of data sources that got lost is not one of all.
func TestDamagedAccount(t *testing.T) {
	store := open(t, t.TempDir())
	if _, err := store.SaveAccount(t.Context(), access.Account{Name: "poller", Login: "p", Role: access.Viewer, DataSources: []string{"one"}}); err != nil {
		t.Fatal(err)
	}
	for _, damaged := range []string{"", "null", "[", `"one"`, "[1]"} {
		if _, err := store.db.ExecContext(t.Context(), "UPDATE account SET data_sources = ?", damaged); err != nil {
			t.Fatal(err)
		}
		if all, err := store.Accounts(t.Context()); err == nil || !strings.Contains(err.Error(), `"poller"`) {
			t.Errorf("%q is read as %v, %v", damaged, all, err)
		}
	}
}

// A database of the first format gets the tables, and keeps what it has.
func TestMigrateToAccounts(t *testing.T) {
	dir := t.TempDir()
	store := open(t, dir)
	d, err := store.Create(t.Context(), datasource.DataSource{Name: "a", Type: "x", Secrets: map[string]string{"k": "v"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.db.ExecContext(t.Context(), "DROP TABLE account; DROP TABLE token; PRAGMA user_version = 1"); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	store = open(t, dir)
	if accounts, err := store.Accounts(t.Context()); err != nil || len(accounts) != 0 {
		t.Errorf("accounts %v, %v", accounts, err)
	}
	if kept, err := store.DataSource(t.Context(), datasource.ByID(d.ID)); err != nil || kept.Secrets["k"] != "v" {
		t.Errorf("%+v, %v", kept, err)
	}
}
