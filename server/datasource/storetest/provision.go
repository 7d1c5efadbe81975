package storetest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/plugboard/plugboard/server/datasource"
)

// fromFile is a data source as a provisioning file gives it.
func fromFile(name string) datasource.DataSource {
	d := plain(name)
	d.ReadOnly, d.Provenance = true, "datasources/a.yaml"
	return d
}

func testProvision(t *testing.T, s suite) {
	asked := datasource.Provisioning{DataSources: []datasource.DataSource{fromFile("z"), fromFile("a"), fromFile("m")}}
	changes := apply(t, s, asked)
	if got := describe(changes); got != "created z a m" {
		t.Errorf("first: %s", got)
	}
	for id, name := range []string{1: "z", 2: "a", 3: "m"} {
		if id > 0 && read(t, s, datasource.ByID(int64(id))).Name != name {
			t.Errorf("id %d is not %s: ids do not follow the file", id, name)
		}
	}
	before := read(t, s, datasource.ByUID("a"))
	if got := describe(apply(t, s, asked)); got != "" {
		t.Errorf("again: %s", got)
	}
	same(t, read(t, s, datasource.ByUID("a")), before)

	asked.DataSources[1].URL = "http://new"
	asked.DataSources[2].IsDefault = true // no plugin sees it
	if got := describe(apply(t, s, asked)); got != "updated a" {
		t.Errorf("url changed: %s", got)
	}
	after := read(t, s, datasource.ByUID("a"))
	if !after.Updated.After(before.Updated) || after.URL != "http://new" || after.ID != before.ID {
		t.Errorf("updated %v -> %v, %+v", before.Updated, after.Updated, after)
	}
	if got := describe(apply(t, suite{Provisioner: s.reopen()}, asked)); got != "" {
		t.Errorf("after reopening: %s", got)
	}
}

// A read-only data source has the secrets of its file and no other; one that
// people may edit keeps what they entered.
func testProvisionSecrets(t *testing.T, s suite) {
	for name, want := range map[string]map[string]string{
		"fixed":    {"b": "2"},
		"editable": {"a": "1", "b": "2"},
	} {
		d := fromFile(name)
		d.ReadOnly = name == "fixed"
		d.Secrets = map[string]string{"a": "1"}
		apply(t, s, datasource.Provisioning{DataSources: []datasource.DataSource{d}})
		d.Secrets = map[string]string{"b": "2"}
		apply(t, s, datasource.Provisioning{DataSources: []datasource.DataSource{d}})
		if got := read(t, s, datasource.ByUID(name)).Secrets; !maps.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func testProvisionRename(t *testing.T, s suite) {
	apply(t, s, datasource.Provisioning{DataSources: []datasource.DataSource{fromFile("a")}})
	renamed := fromFile("b")
	renamed.UID, renamed.Prunable = "a", true
	changes := apply(t, s, datasource.Provisioning{DataSources: []datasource.DataSource{renamed}, Prune: []string{"datasources/a.yaml"}})
	if got := describe(changes); got != "updated b" {
		t.Errorf("renamed: %s", got)
	}
	if got := read(t, s, datasource.ByUID("a")); got.ID != 1 || got.Name != "b" {
		t.Errorf("id %d, name %q", got.ID, got.Name)
	}
	newUID := fromFile("b")
	newUID.UID = "c"
	apply(t, s, datasource.Provisioning{DataSources: []datasource.DataSource{newUID}})
	if got := read(t, s, datasource.ByUID("c")); got.ID != 1 {
		t.Errorf("a new uid made a new data source %d", got.ID)
	}
}

func testProvisionDelete(t *testing.T, s suite) {
	create(t, s, plain("by"))
	apply(t, s, datasource.Provisioning{DataSources: []datasource.DataSource{fromFile("a"), fromFile("b")}})
	changes := apply(t, s, datasource.Provisioning{
		Delete:      []string{"by", "a", "b", "never there"},
		DataSources: []datasource.DataSource{fromFile("b")},
	})
	if got := describe(changes); got != "deleted by a" {
		t.Errorf("%s: what is deleted and asked for stays", got)
	}
}

func testProvisionPrune(t *testing.T, s suite) {
	prunable := fromFile("prunable")
	prunable.Prunable = true
	create(t, s, plain("handmade"))
	apply(t, s, datasource.Provisioning{DataSources: []datasource.DataSource{prunable, fromFile("kept")}})

	broken := datasource.Provisioning{Incomplete: true, Prune: []string{"datasources/a.yaml"}}
	if got := describe(apply(t, s, broken)); got != "" {
		t.Errorf("with a broken file: %s", got)
	}
	if got := describe(apply(t, s, datasource.Provisioning{})); got != "deleted prunable" {
		t.Errorf("file gone: %s", got)
	}
	if got := describe(apply(t, s, datasource.Provisioning{Prune: []string{"datasources/other.yaml"}})); got != "" {
		t.Errorf("another file prunes: %s", got)
	}
	if got := describe(apply(t, s, datasource.Provisioning{Prune: []string{"datasources/a.yaml"}})); got != "deleted kept" {
		t.Errorf("its file prunes now: %s", got)
	}
	if got := names(t, s); !slices.Equal(got, []string{"handmade"}) {
		t.Errorf("left %q", got)
	}
}

func testProvisionFault(t *testing.T, s suite) {
	create(t, s, plain("taken"))
	clash, invalid := fromFile("clash"), fromFile("invalid")
	clash.UID = "taken"
	invalid.JSON = json.RawMessage(`[]`)
	changes, err := datasource.Apply(t.Context(), s, datasource.Provisioning{
		DataSources: []datasource.DataSource{clash, invalid, fromFile("good")},
	})
	wantError(t, "clash", err, datasource.ErrExists)
	wantError(t, "invalid", err, datasource.ErrInvalid)
	for _, want := range []string{`datasources/a.yaml: data source "clash"`, `data source "invalid": jsonData is not a JSON object`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
	if got := describe(changes); got != "created good" {
		t.Errorf("the others: %s", got)
	}
}

func testProvisionApps(t *testing.T, s suite) {
	asked := datasource.Provisioning{Apps: []datasource.App{{PluginID: "acme-app", Enabled: true, Secrets: map[string]string{"a": "1"}}}}
	if got := describe(apply(t, s, asked)); got != "app acme-app" {
		t.Errorf("first: %s", got)
	}
	if got := describe(apply(t, s, asked)); got != "" {
		t.Errorf("again: %s", got)
	}
	asked.Apps[0].JSON = json.RawMessage(`{"x":1}`)
	if got := describe(apply(t, s, asked)); got != "app acme-app" {
		t.Errorf("changed: %s", got)
	}
	asked.Apps = append(asked.Apps, datasource.App{})
	_, err := datasource.Apply(t.Context(), s, asked)
	wantError(t, "no plugin id", err, datasource.ErrInvalid)
}

func apply(t *testing.T, s suite, p datasource.Provisioning) datasource.Changes {
	t.Helper()
	changes, err := datasource.Apply(t.Context(), s, p)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

// describe reads as "created a b updated c".
func describe(c datasource.Changes) string {
	var words []string
	for _, group := range []struct {
		word string
		all  []datasource.DataSource
	}{{"created", c.Created}, {"updated", c.Updated}, {"deleted", c.Deleted}} {
		if len(group.all) > 0 {
			words = append(words, group.word)
		}
		for _, d := range group.all {
			words = append(words, d.Name)
		}
	}
	for _, app := range c.Apps {
		words = append(words, "app", app.PluginID)
	}
	return strings.Join(words, " ")
}
