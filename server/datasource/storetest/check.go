package storetest

import (
	"errors"
	"reflect"
	"testing"

	"github.com/plugboard/plugboard/server/datasource"
)

func create(t *testing.T, s datasource.Store, d datasource.DataSource) datasource.DataSource {
	t.Helper()
	created, err := s.Create(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return created
}

func update(t *testing.T, s datasource.Store, d datasource.DataSource) datasource.DataSource {
	t.Helper()
	updated, err := s.Update(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return updated
}

func read(t *testing.T, s datasource.Store, key datasource.Key) datasource.DataSource {
	t.Helper()
	d, err := s.DataSource(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func saveApp(t *testing.T, s datasource.Store, a datasource.App) datasource.App {
	t.Helper()
	saved, err := s.SaveApp(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

func names(t *testing.T, s datasource.Store) []string {
	t.Helper()
	all, err := s.DataSources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := make([]string, 0, len(all))
	for _, d := range all {
		found = append(found, d.Name)
	}
	return found
}

func same(t *testing.T, got, want datasource.DataSource) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func wantError(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: error %v, want %q", what, got, want)
	}
}
