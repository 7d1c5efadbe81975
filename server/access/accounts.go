package access

import (
	"cmp"
	"context"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Accounts are the service accounts of a server. They are held in memory, so
// that a token is checked without a wait; the store is read once and told of
// every change. Accounts may be used from many goroutines, and what they return
// is the caller's.
type Accounts struct {
	store   AccountStore
	log     *slog.Logger
	writing sync.Mutex
	book    atomic.Pointer[book] // replaced under writing, never changed
}

// book is all accounts at one moment.
type book struct {
	accounts []Account // sorted by name, tokens' Used as stored
	shown    map[hashPart]*shownToken
}

// hashPart is the part of a hash that tokens are looked up by; who measures
// how long that takes learns nothing about the rest, which is compared in
// constant time.
type hashPart [8]byte

func (h TokenHash) part() hashPart { return hashPart(h[:8]) }

// shownToken is what Identify needs of a token.
type shownToken struct {
	id       int64
	hash     TokenHash
	expires  time.Time
	disabled bool
	user     User
	used     *atomic.Int64 // Unix seconds; the same one in every book
}

// OpenAccounts reads the accounts that store keeps. When tokens were used last
// is saved by Run; what fails there is told to log.
func OpenAccounts(ctx context.Context, store AccountStore, log *slog.Logger) (*Accounts, error) {
	accounts, err := store.Accounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the service accounts: %w", err)
	}
	a := &Accounts{store: store, log: log}
	a.book.Store(&book{})
	a.write(accounts)
	return a, nil
}

// saveUsesEvery is how much of the times of last use a crash may cost.
const saveUsesEvery = time.Minute

// Run saves when tokens were used last, now and then and when ctx ends.
func (a *Accounts) Run(ctx context.Context) error {
	ticker := time.NewTicker(saveUsesEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return a.saveUses(context.WithoutCancel(ctx))
		case <-ticker.C:
			if err := a.saveUses(ctx); err != nil {
				a.log.Warn("times of last use not saved, trying again later", "error", err)
			}
		}
	}
}

// List returns all accounts with their tokens, sorted by name without regard to
// case.
func (a *Accounts) List() []Account {
	now := a.book.Load()
	list := make([]Account, len(now.accounts))
	for i, account := range now.accounts {
		list[i] = now.withUses(account)
	}
	return list
}

// Get returns the account with the id.
func (a *Accounts) Get(id int64) (Account, error) {
	now := a.book.Load()
	i := slices.IndexFunc(now.accounts, func(account Account) bool { return account.ID == id })
	if i < 0 {
		return Account{}, fmt.Errorf("service account %d: %w", id, ErrNotFound)
	}
	return now.withUses(now.accounts[i]), nil
}

// Create adds an account without tokens, and returns it with its id and login.
func (a *Accounts) Create(ctx context.Context, account Account) (Account, error) {
	a.writing.Lock()
	defer a.writing.Unlock()
	account.ID, account.Login, account.Tokens = 0, "", nil
	account.Created = moment()
	account.Updated = account.Created
	return a.save(ctx, account)
}

// Update changes the account with the id, from the next request on. What change
// does to its id, login and tokens is of no effect.
func (a *Accounts) Update(ctx context.Context, id int64, change func(*Account)) (Account, error) {
	a.writing.Lock()
	defer a.writing.Unlock()
	stored, err := a.Get(id)
	if err != nil {
		return Account{}, err
	}
	changed := stored.clone()
	change(&changed)
	changed.ID, changed.Login, changed.Tokens = stored.ID, stored.Login, stored.Tokens
	changed.Created, changed.Updated = stored.Created, moment()
	return a.save(ctx, changed)
}

// Delete removes the account with the id and revokes its tokens.
func (a *Accounts) Delete(ctx context.Context, id int64) error {
	a.writing.Lock()
	defer a.writing.Unlock()
	if err := a.store.DeleteAccount(ctx, id); err != nil {
		return fmt.Errorf("delete service account %d: %w", id, err)
	}
	a.write(without(a.book.Load().accounts, id))
	return nil
}

// AddToken adds a token to the account with the id. Its text is returned this
// once and kept nowhere. A zero expires means never.
func (a *Accounts) AddToken(ctx context.Context, id int64, name string, expires time.Time) (token Token, text string, err error) {
	a.writing.Lock()
	defer a.writing.Unlock()
	account, err := a.Get(id)
	if err != nil {
		return Token{}, "", err
	}
	if err := checkName("token", name); err != nil {
		return Token{}, "", err
	}
	if !expires.IsZero() && !expires.After(time.Now()) {
		return Token{}, "", fmt.Errorf("%w: token %q would have expired already", ErrInvalid, name)
	}
	text, hash := makeToken()
	account.Tokens = append(account.Tokens, Token{Name: name, Hash: hash, Created: moment(), Expires: expires.UTC()})
	if account, err = a.save(ctx, account); err != nil {
		return Token{}, "", err
	}
	i := slices.IndexFunc(account.Tokens, func(t Token) bool { return t.Hash == hash })
	return account.Tokens[i], text, nil
}

// RemoveToken revokes a token of the account with the id.
func (a *Accounts) RemoveToken(ctx context.Context, id, tokenID int64) error {
	a.writing.Lock()
	defer a.writing.Unlock()
	account, err := a.Get(id)
	if err != nil {
		return err
	}
	kept := slices.DeleteFunc(slices.Clone(account.Tokens), func(t Token) bool { return t.ID == tokenID })
	if len(kept) == len(account.Tokens) {
		return fmt.Errorf("token %d of service account %q: %w", tokenID, account.Name, ErrNotFound)
	}
	account.Tokens = kept
	_, err = a.save(ctx, account)
	return err
}

// identify returns who shows the text of a token.
func (a *Accounts) identify(text string, now time.Time) (User, error) {
	hash, ok := hashToken(text)
	if !ok {
		return User{}, badToken(text)
	}
	t := a.book.Load().shown[hash.part()]
	if t == nil || subtle.ConstantTimeCompare(t.hash[:], hash[:]) != 1 {
		return User{}, badToken(text)
	}
	if t.disabled {
		return User{}, fmt.Errorf("%w: %s", ErrDisabledAccount, t.user.Login)
	}
	if !t.expires.IsZero() && !now.Before(t.expires) {
		return User{}, fmt.Errorf("%w: the token of %s ended at %s", ErrExpiredToken, t.user.Login, t.expires.Format(time.RFC3339))
	}
	if second := now.Unix(); t.used.Load() < second {
		t.used.Store(second)
	}
	return t.user, nil
}

// save stores an account and, if that worked, makes it valid.
func (a *Accounts) save(ctx context.Context, account Account) (Account, error) {
	account, err := account.clean()
	if err != nil {
		return Account{}, err
	}
	saved, err := a.store.SaveAccount(ctx, account)
	if err != nil {
		return Account{}, fmt.Errorf("save service account %q: %w", account.Name, err)
	}
	a.write(append(without(a.book.Load().accounts, saved.ID), saved.clone()))
	return saved, nil
}

// saveUses stores the accounts whose tokens were used since they were stored.
func (a *Accounts) saveUses(ctx context.Context) error {
	a.writing.Lock()
	defer a.writing.Unlock()
	now := a.book.Load()
	for _, account := range now.accounts {
		used := now.withUses(account)
		if slices.Equal(used.Tokens, account.Tokens) {
			continue
		}
		if _, err := a.save(ctx, used); err != nil {
			return err
		}
	}
	return nil
}

// write makes a new book. Tokens that the old one has keep counting their use.
func (a *Accounts) write(accounts []Account) {
	old := map[int64]*atomic.Int64{}
	for _, t := range a.book.Load().shown {
		old[t.id] = t.used
	}
	next := &book{accounts: accounts, shown: map[hashPart]*shownToken{}}
	slices.SortFunc(next.accounts, func(a, b Account) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	for _, account := range accounts {
		for _, t := range account.Tokens {
			used := old[t.ID]
			if used == nil {
				used = new(atomic.Int64)
				used.Store(t.Used.Unix())
			}
			next.shown[t.Hash.part()] = &shownToken{
				id: t.ID, hash: t.Hash, expires: t.Expires, disabled: account.Disabled, user: account.user(), used: used,
			}
		}
	}
	a.book.Store(next)
}

// withUses returns a copy of an account with the uses since it was stored.
func (b *book) withUses(account Account) Account {
	account = account.clone()
	for i, t := range account.Tokens {
		if shown := b.shown[t.Hash.part()]; shown.used.Load() > t.Used.Unix() {
			account.Tokens[i].Used = time.Unix(shown.used.Load(), 0).UTC()
		}
	}
	return account
}

func without(accounts []Account, id int64) []Account {
	return slices.DeleteFunc(slices.Clone(accounts), func(a Account) bool { return a.ID == id })
}

// moment is the time as it is stored.
func moment() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
