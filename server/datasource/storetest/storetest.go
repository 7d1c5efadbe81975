// Package storetest is the suites that every datasource.Store and every
// access.AccountStore passes.
package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/plugboard/plugboard/server/datasource"
)

// Run runs the suite. open returns an empty store and a way to close and open
// it again with what it holds; both clean up through t.
func Run(t *testing.T, open func(t *testing.T) (store datasource.Provisioner, reopen func() datasource.Provisioner)) {
	for name, test := range map[string]func(t *testing.T, s suite){
		"Create":          testCreate,
		"CreateInvalid":   testCreateInvalid,
		"CreateClash":     testCreateClash,
		"Read":            testRead,
		"Copies":          testCopies,
		"UpdateSecrets":   testUpdateSecrets,
		"UpdateNothing":   testUpdateNothing,
		"UpdateSeen":      testUpdateSeen,
		"UpdateUnseen":    testUpdateUnseen,
		"UpdateStale":     testUpdateStale,
		"UpdateClash":     testUpdateClash,
		"UpdateReadOnly":  testUpdateReadOnly,
		"Default":         testDefault,
		"Delete":          testDelete,
		"IDsNeverReused":  testIDsNeverReused,
		"Apps":            testApps,
		"Concurrent":      testConcurrent,
		"CancelledCall":   testCancelledCall,
		"Provision":       testProvision,
		"ProvisionSecret": testProvisionSecrets,
		"ProvisionRename": testProvisionRename,
		"ProvisionDelete": testProvisionDelete,
		"ProvisionPrune":  testProvisionPrune,
		"ProvisionFault":  testProvisionFault,
		"ProvisionApps":   testProvisionApps,
	} {
		t.Run(name, func(t *testing.T) {
			store, reopen := open(t)
			test(t, suite{Provisioner: store, reopen: reopen})
		})
	}
}

type suite struct {
	datasource.Provisioner
	reopen func() datasource.Provisioner
}

// weather has every field set, so that one that is forgotten shows.
func weather() datasource.DataSource {
	return datasource.DataSource{
		UID: "weather", Name: "Weather", Type: "acme-weather-datasource", Access: "direct", URL: "http://127.0.0.1:1",
		User: "ann", Database: "seattle", BasicAuth: true, BasicAuthUser: "bob", WithCredentials: true, IsDefault: true,
		JSON: json.RawMessage(`{"city":"Seattle","days":7}`), Secrets: map[string]string{"apiKey": "k1", "token": "t1"},
		ReadOnly: true, Provenance: "datasources/weather.yaml", Prunable: true,
	}
}

func plain(name string) datasource.DataSource {
	return datasource.DataSource{UID: name, Name: name, Type: "acme-weather-datasource"}
}

func testCreate(t *testing.T, s suite) {
	before := time.Now().Truncate(time.Millisecond)
	got := create(t, s, weather())
	want := weather()
	want.ID, want.Version = 1, 1
	want.Created, want.Updated = got.Created, got.Updated
	same(t, got, want)
	if got.Created.Before(before) || !got.Created.Equal(got.Updated) || got.Updated.Nanosecond()%1e6 != 0 {
		t.Errorf("times: created %v, updated %v, not before %v wanted, in milliseconds", got.Created, got.Updated, before)
	}
	same(t, read(t, s, datasource.ByUID("weather")), want)
	reopened := s.reopen()
	same(t, read(t, reopened, datasource.ByUID("weather")), want)

	second := create(t, reopened, datasource.DataSource{Name: "no uid", Type: "x"})
	if !datasource.ValidUID(second.UID) {
		t.Errorf("made up uid %q", second.UID)
	}
	if second.Access != "proxy" || string(second.JSON) != "{}" {
		t.Errorf("defaults: access %q, json %s", second.Access, second.JSON)
	}
}

func testCreateInvalid(t *testing.T, s suite) {
	for what, d := range map[string]datasource.DataSource{
		"no name":   {Type: "x"},
		"no type":   {Name: "x"},
		"bad uid":   {Name: "x", Type: "x", UID: "a/b"},
		"long uid":  {Name: "x", Type: "x", UID: "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddX"},
		"no JSON":   {Name: "x", Type: "x", JSON: json.RawMessage(`{`)},
		"no object": {Name: "x", Type: "x", JSON: json.RawMessage(`[1]`)},
	} {
		_, err := s.Create(t.Context(), d)
		wantError(t, what, err, datasource.ErrInvalid)
	}
	if len(names(t, s)) != 0 {
		t.Errorf("stored all the same: %q", names(t, s))
	}
}

func testCreateClash(t *testing.T, s suite) {
	create(t, s, plain("a"))
	_, err := s.Create(t.Context(), datasource.DataSource{UID: "a", Name: "other", Type: "x"})
	wantError(t, "same uid", err, datasource.ErrExists)
	_, err = s.Create(t.Context(), datasource.DataSource{UID: "other", Name: "a", Type: "x"})
	wantError(t, "same name", err, datasource.ErrExists)
	if got := create(t, s, plain("b")); got.ID != 2 {
		t.Errorf("id after two failures is %d, want 2", got.ID)
	}
}

func testRead(t *testing.T, s suite) {
	for _, name := range []string{"beta", "Alpha", "gamma", "Beta"} {
		create(t, s, datasource.DataSource{Name: name, Type: "x"})
	}
	if got, want := names(t, s), []string{"Alpha", "Beta", "beta", "gamma"}; !slices.Equal(got, want) {
		t.Errorf("sorted: %q, want %q", got, want)
	}
	gamma := read(t, s, datasource.ByName("gamma"))
	same(t, read(t, s, datasource.ByID(gamma.ID)), gamma)
	same(t, read(t, s, datasource.ByUID(gamma.UID)), gamma)
	for _, key := range []datasource.Key{{}, datasource.ByID(99), datasource.ByUID("nope"), datasource.ByName("nope")} {
		_, err := s.DataSource(t.Context(), key)
		wantError(t, key.String(), err, datasource.ErrNotFound)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// What goes in and what comes out is the caller's to change.
func testCopies(t *testing.T, s suite) {
	given := weather()
	scribble := func(d datasource.DataSource) {
		d.JSON[2] = 'X'
		d.Secrets["apiKey"] = "X"
	}
	created := create(t, s, given)
	want := read(t, s, datasource.ByID(1))
	scribble(given)
	scribble(created)
	scribble(read(t, s, datasource.ByID(1)))
	all, err := s.DataSources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	scribble(all[0])
	same(t, read(t, s, datasource.ByID(1)), want)
}

func testDelete(t *testing.T, s suite) {
	create(t, s, plain("a"))
	create(t, s, plain("b"))
	if err := s.Delete(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	wantError(t, "delete again", s.Delete(t.Context(), 1), datasource.ErrNotFound)
	_, err := s.DataSource(t.Context(), datasource.ByUID("a"))
	wantError(t, "read deleted", err, datasource.ErrNotFound)
	if got := names(t, s.reopen()); !slices.Equal(got, []string{"b"}) {
		t.Errorf("left: %q", got)
	}
}

func testIDsNeverReused(t *testing.T, s suite) {
	create(t, s, plain("a"))
	create(t, s, plain("b"))
	if err := s.Delete(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	reopened := s.reopen()
	if got := create(t, reopened, plain("b")); got.ID != 3 {
		t.Errorf("id of the next one is %d, want 3: 2 was used", got.ID)
	}
}

func testDefault(t *testing.T, s suite) {
	first, second := plain("a"), plain("b")
	first.IsDefault, second.IsDefault = true, true
	first = create(t, s, first)
	second = create(t, s, second)
	defaults := func(store datasource.Store) (found []string) {
		all, err := store.DataSources(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range all {
			if d.IsDefault {
				found = append(found, d.Name)
			}
		}
		return found
	}
	if got := defaults(s); !slices.Equal(got, []string{"b"}) {
		t.Fatalf("defaults: %q, want the newer", got)
	}
	if got := read(t, s, datasource.ByUID("a")); got.Version != 2 || !got.Updated.Equal(first.Updated) {
		t.Errorf("the old default is at version %d, updated %v: want 2, and no plugin sees it", got.Version, got.Updated)
	}
	first.Version = 2
	update(t, s, first)
	if got := defaults(s); !slices.Equal(got, []string{"a"}) {
		t.Errorf("defaults: %q, want the updated", got)
	}
	reopened := s.reopen()
	if got := defaults(reopened); !slices.Equal(got, []string{"a"}) {
		t.Errorf("defaults after reopening: %q", got)
	}
	if got := read(t, reopened, datasource.ByID(second.ID)); got.Version != 2 {
		t.Errorf("version of the old default after reopening is %d, want 2", got.Version)
	}
}

func testConcurrent(t *testing.T, s suite) {
	created := create(t, s, plain("a"))
	const writers, rounds = 4, 20
	done := make(chan error, 2*writers)
	for w := range writers {
		go func() {
			var err error
			for i := range rounds {
				d := plain("a")
				d.ID = created.ID
				d.Database = string(rune('a'+w)) + string(rune('a'+i))
				_, updateErr := s.Update(t.Context(), d)
				err = errors.Join(err, updateErr)
			}
			done <- err
		}()
		go func() {
			var err error
			last := created
			for range rounds {
				d, readErr := s.DataSource(t.Context(), datasource.ByUID("a"))
				if d.Version < last.Version || d.Updated.Before(last.Updated) {
					readErr = errors.Join(readErr, errors.New("went back"))
				}
				last, err = d, errors.Join(err, readErr)
			}
			done <- err
		}()
	}
	for range 2 * writers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	got := read(t, s, datasource.ByUID("a"))
	changes := got.Version - created.Version
	if changes != writers*rounds {
		t.Errorf("%d changes counted, %d made", changes, writers*rounds)
	}
	if moved := got.Updated.Sub(created.Updated); moved < time.Duration(changes)*time.Millisecond {
		t.Errorf("updated moved by %v for %d changes, want a millisecond each", moved, changes)
	}
}

func testCancelledCall(t *testing.T, s suite) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.DataSource(ctx, datasource.ByID(1))
	wantError(t, "read", err, context.Canceled)
	_, err = s.DataSources(ctx)
	wantError(t, "list", err, context.Canceled)
	_, err = s.Create(ctx, plain("a"))
	wantError(t, "create", err, context.Canceled)
}

func testApps(t *testing.T, s suite) {
	_, err := s.App(t.Context(), "acme-app")
	wantError(t, "never saved", err, datasource.ErrNotFound)
	saved := saveApp(t, s, datasource.App{PluginID: "acme-app", Enabled: true, Secrets: map[string]string{"a": "1", "b": "2"}})
	if saved.Updated.IsZero() || string(saved.JSON) != "{}" {
		t.Errorf("saved %v, JSON %s", saved.Updated, saved.JSON)
	}
	again := saveApp(t, s, datasource.App{PluginID: "acme-app", Enabled: true, JSON: json.RawMessage(` {}`)})
	if !again.Updated.Equal(saved.Updated) || len(again.Secrets) != 2 {
		t.Errorf("no change moved updated to %v, left secrets %q", again.Updated, again.Secrets)
	}
	unseen := saveApp(t, s, datasource.App{PluginID: "acme-app", Pinned: true})
	if !unseen.Updated.Equal(saved.Updated) || unseen.Enabled || !unseen.Pinned {
		t.Errorf("a change that the plugin does not see gave %+v", unseen)
	}
	seen := saveApp(t, s, datasource.App{PluginID: "acme-app", Pinned: true, JSON: json.RawMessage(`{"x":1}`), Secrets: map[string]string{"a": ""}})
	if !seen.Updated.After(saved.Updated) || !maps.Equal(seen.Secrets, map[string]string{"b": "2"}) {
		t.Errorf("a change gave updated %v, secrets %q", seen.Updated, seen.Secrets)
	}
	_, err = s.SaveApp(t.Context(), datasource.App{PluginID: "acme-app", JSON: json.RawMessage(`7`)})
	wantError(t, "JSON is no object", err, datasource.ErrInvalid)
	got, err := s.reopen().App(t.Context(), "acme-app")
	if err != nil {
		t.Fatal(err)
	}
	if string(got.JSON) != `{"x":1}` || got.Secrets["b"] != "2" || !got.Pinned || !got.Updated.Equal(seen.Updated) {
		t.Errorf("after reopening: %+v", got)
	}
}
