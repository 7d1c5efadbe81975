package sqlstore

import (
	"testing"

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
