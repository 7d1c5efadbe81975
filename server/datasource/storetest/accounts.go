package storetest

import (
	"reflect"
	"testing"
	"time"

	"github.com/plugboard/plugboard/server/access"
)

// RunAccounts runs the suite that every access.AccountStore passes. open is as
// for Run.
func RunAccounts(t *testing.T, open func(t *testing.T) (store access.AccountStore, reopen func() access.AccountStore)) {
	for name, test := range map[string]func(t *testing.T, s accountSuite){
		"Save":     testSaveAccount,
		"Tokens":   testTokens,
		"Clash":    testAccountClash,
		"Delete":   testDeleteAccount,
		"NotFound": testAccountNotFound,
	} {
		t.Run(name, func(t *testing.T) {
			store, reopen := open(t)
			test(t, accountSuite{store, reopen})
		})
	}
}

type accountSuite struct {
	access.AccountStore
	reopen func() access.AccountStore
}

// poller has every field set, so that one that is forgotten shows.
func poller() access.Account {
	return access.Account{
		Name: "Poller", Login: "sa-1-poller", Role: access.Viewer, DataSources: []string{"seattle", "vitals"}, Disabled: true,
		Created: time.UnixMilli(1700000000001).UTC(), Updated: time.UnixMilli(1700000000002).UTC(),
		Tokens: []access.Token{
			{Name: "one", Hash: access.TokenHash{1}, Created: time.UnixMilli(1700000000003).UTC(), Expires: time.UnixMilli(1700000000004).UTC(), Used: time.UnixMilli(1700000005000).UTC()},
			{Name: "two", Hash: access.TokenHash{2}, Created: time.UnixMilli(1700000000006).UTC()},
		},
	}
}

// bare has none but what is required.
func bare(name string) access.Account {
	return access.Account{Name: name, Login: "sa-1-" + name, Role: access.Admin, Created: time.UnixMilli(1).UTC(), Updated: time.UnixMilli(1).UTC()}
}

func testSaveAccount(t *testing.T, s accountSuite) {
	want := poller()
	got := s.save(t, want)
	want.ID, want.Tokens[0].ID, want.Tokens[1].ID = 1, 1, 2
	sameAccounts(t, []access.Account{got}, want)
	second := s.save(t, bare("second"))
	s.AccountStore = s.reopen()
	s.want(t, want, second)

	want.Name, want.Login, want.Role, want.DataSources, want.Disabled = "P", "sa-1-p", access.Editor, nil, false
	want.Updated = want.Updated.Add(time.Hour)
	sameAccounts(t, []access.Account{s.save(t, want)}, want)
	s.want(t, want, second)
}

func testTokens(t *testing.T, s accountSuite) {
	a := s.save(t, poller())
	a.Tokens[1].Used = time.UnixMilli(1800000000000).UTC()
	a.Tokens = append(a.Tokens[1:], access.Token{Name: "one", Hash: access.TokenHash{3}, Created: time.UnixMilli(1).UTC()})
	a = s.save(t, a)
	if a.Tokens[1].ID != 3 {
		t.Errorf("the id of a removed token is used again: %d", a.Tokens[1].ID)
	}
	s.want(t, a)
	s.AccountStore = s.reopen()
	s.want(t, a)
}

func testAccountClash(t *testing.T, s accountSuite) {
	first := s.save(t, poller())
	same := bare("other")
	same.Name = first.Name
	_, err := s.SaveAccount(t.Context(), same)
	wantError(t, "same name", err, access.ErrExists)
	same = bare("other")
	same.Login = first.Login
	_, err = s.SaveAccount(t.Context(), same)
	wantError(t, "same login", err, access.ErrExists)
	same = bare("other")
	same.Tokens = []access.Token{{Name: "x", Hash: first.Tokens[0].Hash}}
	_, err = s.SaveAccount(t.Context(), same)
	wantError(t, "same hash", err, access.ErrExists)
	same.Tokens = []access.Token{{Name: "x", Hash: access.TokenHash{8}}, {Name: "x", Hash: access.TokenHash{9}}}
	_, err = s.SaveAccount(t.Context(), same)
	wantError(t, "same name of two tokens", err, access.ErrExists)
	s.want(t, first)
	same.Tokens = []access.Token{{Name: first.Tokens[0].Name, Hash: access.TokenHash{8}}}
	s.want(t, first, s.save(t, same))
}

func testDeleteAccount(t *testing.T, s accountSuite) {
	first := s.save(t, poller())
	if err := s.DeleteAccount(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	s.want(t)
	again := s.save(t, poller()) // names and hashes are free again
	if again.ID == first.ID || again.Tokens[0].ID == first.Tokens[0].ID {
		t.Errorf("ids are used again: %+v", again)
	}
	s.want(t, again)
}

func testAccountNotFound(t *testing.T, s accountSuite) {
	unknown := bare("unknown")
	unknown.ID = 7
	_, err := s.SaveAccount(t.Context(), unknown)
	wantError(t, "save", err, access.ErrNotFound)
	wantError(t, "delete", s.DeleteAccount(t.Context(), 7), access.ErrNotFound)
	first, second := s.save(t, poller()), bare("second")
	second.Tokens = first.Tokens
	if _, err := s.SaveAccount(t.Context(), second); err == nil {
		t.Error("took the tokens of another account")
	}
	s.want(t, first)
}

func (s accountSuite) save(t *testing.T, a access.Account) access.Account {
	t.Helper()
	saved, err := s.SaveAccount(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

func (s accountSuite) want(t *testing.T, want ...access.Account) {
	t.Helper()
	got, err := s.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sameAccounts(t, got, want...)
}

// sameAccounts takes no slice and an empty one for the same.
func sameAccounts(t *testing.T, got []access.Account, want ...access.Account) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d accounts, want %d: %+v", len(got), len(want), got)
	}
	for i := range want {
		g, w := got[i], want[i]
		g.DataSources, w.DataSources = append([]string{}, g.DataSources...), append([]string{}, w.DataSources...)
		g.Tokens, w.Tokens = append([]access.Token{}, g.Tokens...), append([]access.Token{}, w.Tokens...)
		if !reflect.DeepEqual(g, w) {
			t.Errorf("got  %+v\nwant %+v", g, w)
		}
	}
}
