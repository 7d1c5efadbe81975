// Package access says who asks, and whether they may: one admin with a
// password, who logs in with a session cookie or basic auth, and service
// accounts with tokens, which have a role and data sources that they may ask.
package access

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// AdminLogin is the login of the one admin.
const AdminLogin = "admin"

var (
	admin     = User{Login: AdminLogin, Name: AdminLogin, Email: "admin@localhost", Role: Admin}
	anonymous = User{Login: "anonymous", Name: "Anonymous", Email: "anonymous@localhost", Role: Admin}
)

// The errors of Identify and Login, with the texts that clients of Grafana
// expect. The status to answer is in the comment.
var (
	// ErrUnauthorized: nobody we know asks. 401.
	ErrUnauthorized = errors.New("Unauthorized") // the text is an API
	// ErrBadPassword: the login or password is wrong. 401.
	ErrBadPassword = errors.New("invalid username or password")
	// ErrTooManyAttempts: too many wrong passwords, or wrong tokens, came from
	// this address. 429; the error wraps a *TooManyAttempts.
	ErrTooManyAttempts = errors.New("too many failed logins")
	// ErrOrigin: a page of another site made the request. 403.
	ErrOrigin = errors.New("origin not allowed")
	// ErrBadRequest: what was posted to Login cannot be read. 400.
	ErrBadRequest = errors.New("bad login data")
)

// Passwords keeps password hashes.
type Passwords interface {
	// PasswordHash returns the hash saved for login, "" if there is none.
	PasswordHash(ctx context.Context, login string) (string, error)
	// SavePasswordHash saves the hash in place of the one before.
	SavePasswordHash(ctx context.Context, login, hash string) error
}

// Config is what a Guard needs to know.
type Config struct {
	// Passwords keeps the admin's; required.
	Passwords Passwords
	// Accounts are let in by their tokens; nil means that there are none.
	Accounts *Accounts
	// AdminPassword becomes the admin's password, in place of the one that is
	// kept. Default: the one that is kept, else a random one.
	AdminPassword string
	// Anonymous lets in as admin who shows no credentials. It is for a server
	// that only this machine can reach: requests must be made to an IP address
	// or to localhost, as the page of another site can point its own host name
	// at this machine.
	Anonymous bool

	cost int // of bcrypt; 0 means its default, tests take less
}

// Guard knows who asks. It may be used from many goroutines.
type Guard struct {
	anonymous bool
	password  *password
	accounts  *Accounts
	sessions  sessions
	attempts  attempts
	// wrongTokens are counted apart: the old token of a script that nobody
	// looks after is not to keep people from logging in.
	wrongTokens attempts
}

// Open returns a Guard with the admin's password settled. If it had to make
// one up, generated is the password, to be shown once: only its hash is kept.
func Open(ctx context.Context, c Config) (guard *Guard, generated string, err error) {
	hash, err := c.Passwords.PasswordHash(ctx, AdminLogin)
	if err != nil {
		return nil, "", err
	}
	wanted := c.AdminPassword
	if wanted == "" && hash == "" {
		generated = randomText(18)
		wanted = generated
	}
	if wanted != "" && bcrypt.CompareHashAndPassword([]byte(hash), []byte(wanted)) != nil {
		if hash, err = savePassword(ctx, c, wanted); err != nil {
			return nil, "", err
		}
	}
	return &Guard{
		anonymous:   c.Anonymous,
		password:    newPassword(hash),
		accounts:    c.Accounts,
		sessions:    sessions{byHash: map[sessionHash]session{}},
		attempts:    attempts{failed: map[string]failures{}},
		wrongTokens: attempts{failed: map[string]failures{}},
	}, generated, nil
}

func savePassword(ctx context.Context, c Config, password string) (hash string, err error) {
	if len(password) > maxPassword {
		return "", fmt.Errorf("the admin password has %d bytes, want %d at most", len(password), maxPassword)
	}
	made, err := bcrypt.GenerateFromPassword([]byte(password), c.cost)
	if err != nil {
		return "", fmt.Errorf("hash the admin password: %w", err)
	}
	return string(made), c.Passwords.SavePasswordHash(ctx, AdminLogin, string(made))
}

// Identify returns who makes the request: by a token ("Authorization: Bearer"),
// by basic auth, by session cookie, or anonymously where that is allowed.
// Credentials that are shown must be right, even if none were needed; a session
// that has ended counts as none.
//
// Browsers add all but tokens by themselves, so a request that a page of another
// site made is refused with ErrOrigin: its Origin is not the Host it asks.
func (g *Guard) Identify(r *http.Request) (User, error) {
	if token, ok := bearer(r); ok {
		return g.checkToken(r, token)
	}
	user, err := g.identify(r)
	if err != nil {
		return User{}, err
	}
	if err := checkOrigin(r); err != nil {
		return User{}, err
	}
	return user, nil
}

func (g *Guard) identify(r *http.Request) (User, error) {
	if login, password, ok := r.BasicAuth(); ok {
		return g.check(r, login, password)
	}
	if cookie, err := r.Cookie(CookieName); err == nil && g.sessions.touch(cookie.Value, time.Now()) {
		return admin, nil
	}
	if g.anonymous && localHost(r.Host) {
		return anonymous, nil
	}
	return User{}, ErrUnauthorized
}

func (g *Guard) check(r *http.Request, login, password string) (User, error) {
	if err := g.password.check(r.Context(), login, password, clientNetwork(r), &g.attempts); err != nil {
		return User{}, err
	}
	return admin, nil
}

// checkToken never refuses a right token: 32 random bytes are not guessed, so
// wrong ones are counted only to slow down who keeps sending them.
func (g *Guard) checkToken(r *http.Request, token string) (User, error) {
	if g.accounts == nil {
		return User{}, ErrBadToken
	}
	now := time.Now()
	user, err := g.accounts.identify(token, now)
	if !errors.Is(err, ErrBadToken) {
		return user, err
	}
	network := clientNetwork(r)
	if closed := g.wrongTokens.allowed(network, now); closed != nil {
		return User{}, fmt.Errorf("%w: %w", ErrBadToken, closed)
	}
	g.wrongTokens.fail(network, now)
	return User{}, err
}

// randomText returns n random bytes as text for cookies and passwords.
func randomText(n int) string {
	random := make([]byte, n)
	rand.Read(random) // never fails
	return base64.RawURLEncoding.EncodeToString(random)
}
