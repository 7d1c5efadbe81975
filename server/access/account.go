package access

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// The errors of Accounts. They say which account or token is meant.
var (
	// ErrInvalid: an account or token cannot be as it is given.
	ErrInvalid = errors.New("invalid")
	// ErrNotFound: there is no such service account or token.
	ErrNotFound = errors.New("not found")
	// ErrExists: another one has the name.
	ErrExists = errors.New("already exists")
)

// Account is a service account: a user for programs, who shows a token.
type Account struct {
	// ID is given by the store: unique, and never used again.
	ID int64
	// Name is unique, and so is Login, which is made of the first name and
	// stays; plugins see both.
	Name, Login string
	Role        Role
	// DataSources are the uids of the only data sources that the account may
	// see and ask; none means all. An Admin's are not limited.
	DataSources []string
	// Disabled accounts are not let in.
	Disabled         bool
	Created, Updated time.Time
	Tokens           []Token
}

// Token lets in who shows its text, as the account it belongs to.
type Token struct {
	// ID is given by the store: unique, and never used again.
	ID int64
	// Name is unique among the account's tokens.
	Name string
	// Hash is of the text, which itself is kept nowhere.
	Hash    TokenHash
	Created time.Time
	// Expires is when it ends, zero for never.
	Expires time.Time
	// Used is when it was shown last, to the second; zero for never.
	Used time.Time
}

// TokenHash is the SHA-256 of a token's text. That is enough for 32 random
// bytes; passwords are hashed slowly because they can be guessed.
type TokenHash [sha256.Size]byte

// AccountStore keeps service accounts as they are given to it. It may be used
// from many goroutines; what it returns is the caller's. Times are kept to the
// millisecond.
type AccountStore interface {
	// Accounts returns all with their tokens, both in order of their ids.
	Accounts(ctx context.Context) ([]Account, error)
	// SaveAccount adds an account whose id is 0, or puts it, with exactly its
	// tokens, in place of the one with its id: else ErrNotFound. A token whose
	// id is 0 is added. A name, a login or a hash that another one has is
	// ErrExists. It returns the account with all ids.
	SaveAccount(ctx context.Context, a Account) (Account, error)
	// DeleteAccount removes the account with its tokens, or is ErrNotFound.
	DeleteAccount(ctx context.Context, id int64) error
}

// maxName is how long the names of accounts and tokens may be.
const maxName = 100

// clean returns a as it is stored, or an error that wraps ErrInvalid.
func (a Account) clean() (Account, error) {
	if err := checkName("service account", a.Name); err != nil {
		return a, err
	}
	if a.Login == "" {
		a.Login = makeLogin(a.Name)
	}
	if !a.Role.Includes(Viewer) {
		return a, fmt.Errorf("%w: service account %q has the role %q", ErrInvalid, a.Name, a.Role)
	}
	a.DataSources = slices.Compact(slices.Sorted(slices.Values(a.DataSources)))
	if slices.Contains(a.DataSources, "") {
		return a, fmt.Errorf("%w: an empty uid among the data sources of service account %q", ErrInvalid, a.Name)
	}
	if a.Role.Includes(Admin) && len(a.DataSources) > 0 {
		return a, fmt.Errorf("%w: service account %q is to be limited to some data sources, but an Admin could lift that", ErrInvalid, a.Name)
	}
	return a, nil
}

func checkName(what, name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return fmt.Errorf("%w: a %s needs a name", ErrInvalid, what)
	case len(name) > maxName:
		return fmt.Errorf("%w: the name of a %s has %d bytes, want %d at most", ErrInvalid, what, len(name), maxName)
	case strings.TrimSpace(name) != name || strings.ContainsFunc(name, unicode.IsControl) || strings.ToValidUTF8(name, "") != name:
		return fmt.Errorf("%w: the name %q of a %s has blanks around it or control characters in it", ErrInvalid, name, what)
	}
	return nil
}

// makeLogin makes "sa-1-night-cron" of "Night cron": a service account of
// organization 1, as Grafana names them.
func makeLogin(name string) string {
	return "sa-1-" + strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) {
			return '-'
		}
		return unicode.ToLower(c)
	}, name)
}

func (a Account) clone() Account {
	a.DataSources = slices.Clone(a.DataSources)
	a.Tokens = slices.Clone(a.Tokens)
	return a
}

// user is who shows one of the account's tokens.
func (a Account) user() User {
	return User{Login: a.Login, Name: a.Name, Role: a.Role, DataSources: slices.Clone(a.DataSources)}
}
