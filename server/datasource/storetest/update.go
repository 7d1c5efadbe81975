package storetest

import (
	"encoding/json"
	"maps"
	"testing"

	"github.com/plugboard/plugboard/server/datasource"
)

func testUpdateSecrets(t *testing.T, s suite) {
	d := plain("a")
	d.Secrets = map[string]string{"kept": "1", "changed": "2", "cleared": "3", "empty": ""}
	d = create(t, s, d)
	if _, set := d.Secrets["empty"]; set {
		t.Error("an empty secret counts as set")
	}
	d.Secrets = map[string]string{"changed": "new", "cleared": "", "added": "4"}
	updated := update(t, s, d)
	want := map[string]string{"kept": "1", "changed": "new", "added": "4"}
	if !maps.Equal(updated.Secrets, want) {
		t.Errorf("secrets %q, want %q", updated.Secrets, want)
	}
	if !updated.Updated.After(d.Updated) || updated.Version != 2 {
		t.Errorf("a changed secret moved neither: version %d, updated %v", updated.Version, updated.Updated)
	}
	if got := read(t, s.reopen(), datasource.ByID(d.ID)); !maps.Equal(got.Secrets, want) {
		t.Errorf("secrets after reopening %q, want %q", got.Secrets, want)
	}
}

func testUpdateNothing(t *testing.T, s suite) {
	d := plain("a")
	d.JSON = json.RawMessage(`{"a": 1, "b": [1.0, {"c": null}], "d": 9007199254740993}`)
	d.Secrets = map[string]string{"k": "v"}
	d = create(t, s, d)
	for _, text := range []string{
		`{"a":1,"b":[1.0,{"c":null}],"d":9007199254740993}`,
		"{\n\t\"d\": 9007199254740993, \"b\": [1, {\"c\": null}], \"a\": 1e0 }",
	} {
		d.JSON = json.RawMessage(text)
		d.UID = ""
		d.Secrets = map[string]string{"k": "v", "gone": ""}
		same(t, update(t, s, d), read(t, s, datasource.ByID(d.ID)))
		if got := read(t, s, datasource.ByID(d.ID)); got.Version != 1 || !got.Updated.Equal(got.Created) {
			t.Errorf("no change, but version %d and updated %v", got.Version, got.Updated)
		}
	}
}

// Every field that a plugin sees moves Updated, and by a millisecond at least.
func testUpdateSeen(t *testing.T, s suite) {
	d := plain("a")
	d.JSON = json.RawMessage(`{"n":9007199254740993}`)
	d = create(t, s, d)
	for what, change := range map[string]func(d *datasource.DataSource){
		"uid":             func(d *datasource.DataSource) { d.UID = "b" },
		"name":            func(d *datasource.DataSource) { d.Name = "b" },
		"type":            func(d *datasource.DataSource) { d.Type = "b" },
		"url":             func(d *datasource.DataSource) { d.URL = "b" },
		"user":            func(d *datasource.DataSource) { d.User = "b" },
		"database":        func(d *datasource.DataSource) { d.Database = "b" },
		"basic auth":      func(d *datasource.DataSource) { d.BasicAuth = true },
		"basic auth user": func(d *datasource.DataSource) { d.BasicAuthUser = "b" },
		"json":            func(d *datasource.DataSource) { d.JSON = json.RawMessage(`{"n":9007199254740992}`) },
		"secret":          func(d *datasource.DataSource) { d.Secrets = map[string]string{"b": "b"} },
	} {
		before := d
		change(&d)
		d = update(t, s, d)
		if d.Version != before.Version+1 || d.Updated.UnixMilli() <= before.Updated.UnixMilli() {
			t.Errorf("%s: version %d -> %d, updated %d -> %d", what, before.Version, d.Version,
				before.Updated.UnixMilli(), d.Updated.UnixMilli())
		}
		same(t, read(t, s, datasource.ByID(d.ID)), d)
	}
	same(t, read(t, s.reopen(), datasource.ByID(d.ID)), d)
}

// The rest counts as a change, but leaves the plugin's instance alone.
func testUpdateUnseen(t *testing.T, s suite) {
	d := create(t, s, plain("a"))
	for what, change := range map[string]func(d *datasource.DataSource){
		"access":           func(d *datasource.DataSource) { d.Access = "direct" },
		"with credentials": func(d *datasource.DataSource) { d.WithCredentials = true },
		"default":          func(d *datasource.DataSource) { d.IsDefault = true },
	} {
		before := d
		change(&d)
		d = update(t, s, d)
		if d.Version != before.Version+1 || !d.Updated.Equal(before.Updated) {
			t.Errorf("%s: version %d -> %d, updated %v -> %v", what, before.Version, d.Version, before.Updated, d.Updated)
		}
	}
	same(t, read(t, s.reopen(), datasource.ByID(d.ID)), d)
}

func testUpdateStale(t *testing.T, s suite) {
	d := create(t, s, plain("a"))
	d.URL = "first"
	update(t, s, d)
	d.URL = "second"
	_, err := s.Update(t.Context(), d)
	wantError(t, "version 1 of 2", err, datasource.ErrStale)
	d.Version = 0
	if got := update(t, s, d); got.URL != "second" || got.Version != 3 {
		t.Errorf("without a version: url %q, version %d", got.URL, got.Version)
	}
}

func testUpdateClash(t *testing.T, s suite) {
	create(t, s, plain("a"))
	b := create(t, s, plain("b"))
	for what, change := range map[string]func(d *datasource.DataSource){
		"name": func(d *datasource.DataSource) { d.Name = "a" },
		"uid":  func(d *datasource.DataSource) { d.UID = "a" },
	} {
		d := b
		change(&d)
		_, err := s.Update(t.Context(), d)
		wantError(t, what, err, datasource.ErrExists)
	}
	same(t, read(t, s, datasource.ByUID("b")), b)
	_, err := s.Update(t.Context(), datasource.DataSource{ID: 99, Name: "x", Type: "x"})
	wantError(t, "unknown id", err, datasource.ErrNotFound)
	_, err = s.Update(t.Context(), datasource.DataSource{ID: b.ID, Type: "x"})
	wantError(t, "no name", err, datasource.ErrInvalid)
}

func testUpdateReadOnly(t *testing.T, s suite) {
	d := create(t, s, weather())
	d.URL = "http://elsewhere"
	_, err := s.Update(t.Context(), d)
	wantError(t, "update", err, datasource.ErrReadOnly)
	d.ReadOnly = false
	_, err = s.Update(t.Context(), d)
	wantError(t, "update that says it is not", err, datasource.ErrReadOnly)
	wantError(t, "delete", s.Delete(t.Context(), d.ID), datasource.ErrReadOnly)

	door := s.Provisioning()
	d.Provenance, d.Prunable = "datasources/other.yaml", false
	got, err := door.Update(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	d.Version, d.Updated = got.Version, got.Updated
	same(t, got, d)

	d.Provenance, d.ReadOnly, d.Prunable = "mine", true, true
	got = update(t, s, d)
	if got.ReadOnly || got.Prunable || got.Provenance != "datasources/other.yaml" {
		t.Errorf("an ordinary update wrote provisioning's fields: %+v", got)
	}
	if err := door.Delete(t.Context(), d.ID); err != nil {
		t.Error(err)
	}
}
