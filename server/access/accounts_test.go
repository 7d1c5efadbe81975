package access

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// shelf keeps accounts in memory.
type shelf struct {
	mu     sync.Mutex
	kept   []Account
	last   int64
	saves  int
	broken error
}

func (s *shelf) Accounts(context.Context) ([]Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.kept), s.broken
}

func (s *shelf) SaveAccount(_ context.Context, a Account) (Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return a, s.broken
	}
	s.saves++
	a = a.clone()
	if a.ID == 0 {
		s.last++
		a.ID = s.last
	}
	for i := range a.Tokens {
		if a.Tokens[i].ID == 0 {
			s.last++
			a.Tokens[i].ID = s.last
		}
	}
	s.kept = append(without(s.kept, a.ID), a.clone())
	return a, nil
}

func (s *shelf) DeleteAccount(_ context.Context, id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = without(s.kept, id)
	return s.broken
}

func openAccounts(t testing.TB, store *shelf) *Accounts {
	t.Helper()
	accounts, err := OpenAccounts(t.Context(), store, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return accounts
}

// add returns the text of a token of a new account.
func add(t testing.TB, a *Accounts, account Account, expires time.Time) (id int64, text string) {
	t.Helper()
	account, err := a.Create(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	_, text, err = a.AddToken(t.Context(), account.ID, "one", expires)
	if err != nil {
		t.Fatal(err)
	}
	return account.ID, text
}

func token(text string) func(*http.Request) { return header("Authorization", "Bearer "+text) }

func TestTokenLetsIn(t *testing.T) {
	store := &shelf{}
	accounts := openAccounts(t, store)
	id, text := add(t, accounts, Account{Name: "Night cron", Role: Viewer, DataSources: []string{"seattle", "seattle"}}, time.Time{})
	guard := open(t, Config{Accounts: accounts})

	user, err := guard.Identify(request(token(text)))
	if err != nil || user.Login != "sa-1-night-cron" || user.Name != "Night cron" || user.Role != Viewer || !slices.Equal(user.DataSources, []string{"seattle"}) {
		t.Errorf("%+v, %v", user, err)
	}
	if told := user.Plugin(); told.Login != "sa-1-night-cron" || told.Role != "Viewer" {
		t.Errorf("plugins see %+v", told)
	}
	if _, err := guard.Identify(request(header("Authorization", "bearer  "+text))); err != nil {
		t.Errorf("the scheme in other letters: %v", err)
	}
	if _, err := guard.Identify(request(token(text), header("Origin", "http://dashboard.example"))); err != nil {
		t.Errorf("browsers do not add tokens by themselves: %v", err)
	}
	if !strings.HasPrefix(text, "pb_") || len(text) != tokenLength {
		t.Errorf("token %q", text)
	}
	if kept := fmt.Sprintf("%+v %v", store.kept, accounts.List()); strings.Contains(kept, text[3:20]) {
		t.Error("the token is kept in clear")
	}

	// The same store at the next start.
	guard = open(t, Config{Accounts: openAccounts(t, store)})
	if _, err := guard.Identify(request(token(text))); err != nil {
		t.Error(err)
	}
	if err := guard.accounts.Delete(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	_, err = guard.Identify(request(token(text)))
	wantError(t, err, ErrBadToken)
}

func TestTokenRefused(t *testing.T) {
	accounts := openAccounts(t, &shelf{})
	_, text := add(t, accounts, Account{Name: "a", Role: Viewer}, time.Time{})
	other, _ := makeToken()
	swapped := text[:10] + text[11:12] + text[10:11] + text[12:]
	for what, test := range map[string]struct{ token, says string }{
		"nothing":                   {"", "mistyped"},
		"a word":                    {"secret", "mistyped"},
		"a token of another server": {other, "revoked"},
		"cut off":                   {text[:40], "mistyped"},
		"two letters swapped":       {swapped, "mistyped"},
		"in capitals":               {strings.ToUpper(text), "mistyped"},
		"more than it":              {text + text, "mistyped"},
	} {
		for _, guard := range []*Guard{open(t, Config{Accounts: accounts}), open(t, Config{Accounts: accounts, Anonymous: true})} {
			user, err := guard.Identify(request(token(test.token)))
			wantError(t, err, ErrBadToken)
			if user.Role != "" || !strings.Contains(err.Error(), test.says) || test.token != "" && strings.Contains(err.Error(), test.token) {
				t.Errorf("%s: %v, %v", what, user, err)
			}
		}
	}
	_, err := open(t, Config{}).Identify(request(token(text)))
	wantError(t, err, ErrBadToken)
}

func TestTokenExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		accounts := openAccounts(t, &shelf{})
		_, text := add(t, accounts, Account{Name: "a", Role: Viewer}, time.Now().Add(time.Hour))
		guard := open(t, Config{Accounts: accounts})
		time.Sleep(time.Hour - time.Nanosecond)
		if _, err := guard.Identify(request(token(text))); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Nanosecond)
		_, err := guard.Identify(request(token(text)))
		wantError(t, err, ErrExpiredToken)
	})
}

// What is changed counts from the next request on.
func TestAccountChanges(t *testing.T) {
	accounts := openAccounts(t, &shelf{})
	id, text := add(t, accounts, Account{Name: "a", Role: Viewer, DataSources: []string{"one"}}, time.Time{})
	guard := open(t, Config{Accounts: accounts})
	change := func(f func(*Account)) {
		t.Helper()
		if _, err := accounts.Update(t.Context(), id, f); err != nil {
			t.Error(err)
		}
	}
	change(func(a *Account) { a.Name, a.Role, a.DataSources, a.Tokens = "b", Editor, nil, nil })
	user, err := guard.Identify(request(token(text)))
	if err != nil || user.Role != Editor || user.Limited() || user.Login != "sa-1-a" || user.Name != "b" {
		t.Errorf("%+v, %v", user, err)
	}
	change(func(a *Account) { a.Disabled = true })
	_, err = guard.Identify(request(token(text)))
	wantError(t, err, ErrDisabledAccount)
	change(func(a *Account) { a.Disabled = false })
	account, err := accounts.Get(id)
	if err != nil || len(account.Tokens) != 1 {
		t.Fatalf("%+v, %v", account, err)
	}
	wantError(t, accounts.RemoveToken(t.Context(), id, 99), ErrNotFound)
	if err := accounts.RemoveToken(t.Context(), id, account.Tokens[0].ID); err != nil {
		t.Error(err)
	}
	_, err = guard.Identify(request(token(text)))
	wantError(t, err, ErrBadToken)
}

func TestBadAccounts(t *testing.T) {
	store := &shelf{}
	accounts := openAccounts(t, store)
	for what, a := range map[string]Account{
		"no name":            {Role: Viewer},
		"blanks":             {Name: "  ", Role: Viewer},
		"a blank at the end": {Name: "a ", Role: Viewer},
		"a line feed":        {Name: "a\nb", Role: Viewer},
		"no UTF-8":           {Name: "a\xff", Role: Viewer},
		"too long":           {Name: strings.Repeat("a", 101), Role: Viewer},
		"no role":            {Name: "a"},
		"unknown role":       {Name: "a", Role: "Root"},
		"no uid":             {Name: "a", Role: Viewer, DataSources: []string{""}},
		"limited admin":      {Name: "a", Role: Admin, DataSources: []string{"one"}},
	} {
		if _, err := accounts.Create(t.Context(), a); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	a, err := accounts.Create(t.Context(), Account{Name: "a", Role: Viewer})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = accounts.AddToken(t.Context(), a.ID, "", time.Time{})
	wantError(t, err, ErrInvalid)
	_, _, err = accounts.AddToken(t.Context(), a.ID, "late", time.Now())
	wantError(t, err, ErrInvalid)
	_, _, err = accounts.AddToken(t.Context(), 99, "x", time.Time{})
	wantError(t, err, ErrNotFound)
	_, err = accounts.Update(t.Context(), 99, func(*Account) {})
	wantError(t, err, ErrNotFound)

	store.broken = errors.New("disk full")
	_, text, err := accounts.AddToken(t.Context(), a.ID, "x", time.Time{})
	wantError(t, err, store.broken)
	if text != "" || len(accounts.List()[0].Tokens) != 0 {
		t.Error("a token that was not stored is there")
	}
}

// Used is seen at once, and stored once a minute, however often it was.
func TestLastUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &shelf{}
		accounts := openAccounts(t, store)
		id, text := add(t, accounts, Account{Name: "a", Role: Viewer}, time.Time{})
		guard := open(t, Config{Accounts: accounts})
		ctx, stop := context.WithCancel(t.Context())
		ran := make(chan error)
		go func() { ran <- accounts.Run(ctx) }()
		used := func(accounts []Account) time.Time { return accounts[0].Tokens[0].Used }
		stored := func() (at time.Time, saves int) {
			store.mu.Lock()
			defer store.mu.Unlock()
			return used(store.kept), store.saves
		}
		show := func() {
			t.Helper()
			if _, err := guard.Identify(request(token(text))); err != nil {
				t.Error(err)
			}
		}

		_, before := stored()
		for range 30 {
			show()
			time.Sleep(time.Second)
		}
		at, _ := stored()
		if got := used(accounts.List()); !got.Equal(time.Now().Add(-time.Second).Truncate(time.Second)) || !at.IsZero() {
			t.Errorf("used %v, stored %v", got, at)
		}
		time.Sleep(saveUsesEvery)
		synctest.Wait()
		if at, saves := stored(); saves != before+1 || !at.Equal(used(accounts.List())) {
			t.Errorf("%d saves, stored %v", saves-before, at)
		}
		time.Sleep(10 * saveUsesEvery)
		synctest.Wait()
		if _, saves := stored(); saves != before+1 {
			t.Error("saved what was not used")
		}
		show()
		want := time.Now().Truncate(time.Second)
		if _, err := accounts.Update(t.Context(), id, func(a *Account) { a.Disabled = true }); err != nil {
			t.Error(err)
		}
		stop()
		err := <-ran
		if at, _ := stored(); err != nil || !at.Equal(want) {
			t.Errorf("%v, stored at the end: %v, want %v", err, at, want)
		}
	})
}

// Wrong tokens are slowed down; they neither lock out right ones nor passwords.
func TestWrongTokensAreCounted(t *testing.T) {
	accounts := openAccounts(t, &shelf{})
	_, text := add(t, accounts, Account{Name: "a", Role: Viewer}, time.Time{})
	guard := open(t, Config{Accounts: accounts, AdminPassword: "secret"})
	for range maxFailures {
		_, err := guard.Identify(request(token("guess")))
		if errors.Is(err, ErrTooManyAttempts) {
			t.Fatal("too early")
		}
	}
	_, err := guard.Identify(request(token("guess")))
	wantError(t, err, ErrTooManyAttempts)
	wantError(t, err, ErrBadToken)
	_, err = guard.Identify(request(token("guess"), from("192.0.2.77:1")))
	if errors.Is(err, ErrTooManyAttempts) {
		t.Error("another address is told to wait")
	}
	if _, err := guard.Identify(request(token(text))); err != nil {
		t.Error(err)
	}
	if _, err := guard.Identify(request(basic("admin", "secret"))); err != nil {
		t.Error(err)
	}
}

func TestAccountsAtOnce(t *testing.T) {
	accounts := openAccounts(t, &shelf{})
	_, text := add(t, accounts, Account{Name: "a", Role: Viewer}, time.Time{})
	guard := open(t, Config{Accounts: accounts})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 50 {
				if _, err := guard.Identify(request(token(text))); err != nil {
					t.Error(err)
				}
				accounts.List()
			}
		})
		all.Go(func() {
			a, err := accounts.Create(t.Context(), Account{Name: fmt.Sprint(i), Role: Viewer})
			if err != nil {
				t.Error(err)
			}
			if _, _, err := accounts.AddToken(t.Context(), a.ID, "x", time.Time{}); err != nil {
				t.Error(err)
			}
			if err := accounts.saveUses(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(accounts.List()) != 9 {
		t.Errorf("%d accounts", len(accounts.List()))
	}
}

func TestRoles(t *testing.T) {
	order := []Role{"", Viewer, Editor, Admin}
	for i, r := range order {
		for j, least := range order[1:] {
			if r.Includes(least) != (i >= j+1) {
				t.Errorf("%q includes %q: %t", r, least, r.Includes(least))
			}
		}
	}
	for user, want := range map[*User][3]bool{ // may ask one, may ask two, may ask plugins
		{}:                             {},
		{Role: "Root"}:                 {},
		{DataSources: []string{"one"}}: {},
		{Role: Viewer}:                 {true, true, true},
		{Role: Admin}:                  {true, true, true},
		{Role: Viewer, DataSources: []string{"one"}}: {true, false, false},
	} {
		if got := [3]bool{user.MayAsk("one"), user.MayAsk("two"), user.MayAskPlugins()}; got != want {
			t.Errorf("%+v: %v, want %v", user, got, want)
		}
	}
	if r, err := ParseRole("viewer"); r != Viewer || err != nil {
		t.Errorf("%q, %v", r, err)
	}
	_, err := ParseRole("")
	wantError(t, err, ErrInvalid)
}

// FuzzToken holds that nothing but the token itself is let in, and that no
// error shows what was sent.
func FuzzToken(f *testing.F) {
	accounts := openAccounts(f, &shelf{})
	_, text := add(f, accounts, Account{Name: "a", Role: Viewer}, time.Time{})
	f.Add(text)
	f.Add(text[1:] + "x")
	f.Add("pb_" + strings.Repeat("a", 52) + "_00000000")
	f.Fuzz(func(t *testing.T, shown string) {
		_, err := accounts.identify(shown, time.Now())
		if (err == nil) != (shown == text) {
			t.Errorf("%q: %v", shown, err)
		}
		if err != nil && len(shown) > 20 && strings.Contains(err.Error(), shown) {
			t.Errorf("the error shows the token: %v", err)
		}
	})
}
