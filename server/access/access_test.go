package access

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// memory keeps password hashes.
type memory map[string]string

func (m memory) PasswordHash(_ context.Context, login string) (string, error) { return m[login], nil }

func (m memory) SavePasswordHash(_ context.Context, login, hash string) error {
	m[login] = hash
	return nil
}

func open(t testing.TB, c Config) *Guard {
	t.Helper()
	if c.Passwords == nil {
		c.Passwords = memory{}
	}
	c.cost = bcrypt.MinCost
	guard, _, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return guard
}

func request(change ...func(r *http.Request)) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:3030/api/ds/query", nil)
	for _, f := range change {
		f(r)
	}
	return r
}

func basic(login, password string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(login, password) }
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func host(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }

func from(address string) func(*http.Request) {
	return func(r *http.Request) { r.RemoteAddr = address }
}

func TestPasswordIsMadeUpOnce(t *testing.T) {
	passwords := memory{}
	_, first, err := Open(t.Context(), Config{Passwords: passwords, cost: bcrypt.MinCost})
	if err != nil || len(first) < 20 {
		t.Fatalf("generated %q, error %v", first, err)
	}
	if hash := passwords[AdminLogin]; hash == "" || strings.Contains(hash, first) {
		t.Errorf("kept %q", hash)
	}
	again, second, err := Open(t.Context(), Config{Passwords: passwords, cost: bcrypt.MinCost})
	if err != nil || second != "" {
		t.Errorf("second start generated %q, error %v", second, err)
	}
	if _, err := again.Identify(request(basic(AdminLogin, first))); err != nil {
		t.Error(err)
	}
}

func TestConfiguredPasswordReplacesTheKeptOne(t *testing.T) {
	passwords := memory{}
	open(t, Config{Passwords: passwords, AdminPassword: "one"})
	kept := passwords[AdminLogin]
	open(t, Config{Passwords: passwords, AdminPassword: "one"})
	if passwords[AdminLogin] != kept {
		t.Error("the same password was hashed again")
	}
	open(t, Config{Passwords: passwords, AdminPassword: "two"})
	guard := open(t, Config{Passwords: passwords})
	if _, err := guard.Identify(request(basic(AdminLogin, "two"))); err != nil {
		t.Error(err)
	}
	_, err := guard.Identify(request(basic(AdminLogin, "one")))
	wantError(t, err, ErrBadPassword)

	long := strings.Repeat("x", 73)
	_, _, err = Open(t.Context(), Config{Passwords: passwords, AdminPassword: long})
	if err == nil || strings.Contains(err.Error(), long) {
		t.Errorf("a password that bcrypt would cut: %v", err)
	}
}

func TestIdentify(t *testing.T) {
	guard := open(t, Config{AdminPassword: "secret"})
	demo := open(t, Config{AdminPassword: "secret", Anonymous: true})
	long := "secret" + strings.Repeat("x", 100)
	for _, test := range []struct {
		what  string
		guard *Guard
		r     *http.Request
		login string
		err   error
	}{
		{"nobody", guard, request(), "", ErrUnauthorized},
		{"right password", guard, request(basic("admin", "secret")), "admin", nil},
		{"wrong password", guard, request(basic("admin", "Secret")), "", ErrBadPassword},
		{"wrong login", guard, request(basic("root", "secret")), "", ErrBadPassword},
		{"no password", guard, request(basic("admin", "")), "", ErrBadPassword},
		{"long password", guard, request(basic("admin", long)), "", ErrBadPassword},
		{"unknown scheme", guard, request(header("Authorization", "Digest x")), "", ErrUnauthorized},
		{"unknown cookie", guard, request(header("Cookie", CookieName+"=x")), "", ErrUnauthorized},
		{"anonymous", demo, request(), "anonymous", nil},
		{"anonymous on localhost", demo, request(host("localhost:3030")), "anonymous", nil},
		{"anonymous on IPv6", demo, request(host("[::1]:3030")), "anonymous", nil},
		{"anonymous by a stranger's name", demo, request(host("rebound.example:3030")), "", ErrUnauthorized},
		{"anonymous from another site", demo, request(header("Origin", "http://evil.example")), "", ErrOrigin},
		{"anonymous with a wrong password", demo, request(basic("admin", "x")), "", ErrBadPassword},
	} {
		user, err := test.guard.Identify(test.r)
		if user.Login != test.login || !errors.Is(err, test.err) {
			t.Errorf("%s: %q, %v; want %q, %v", test.what, user.Login, err, test.login, test.err)
		}
		if err == nil && user.Role != Admin {
			t.Errorf("%s: role %q", test.what, user.Role)
		}
	}
}

// The texts that clients see.
func TestErrorTexts(t *testing.T) {
	guard := open(t, Config{AdminPassword: "secret"})
	_, err := guard.Identify(request())
	if err.Error() != "Unauthorized" {
		t.Error(err)
	}
	_, err = guard.Identify(request(basic("admin", "wrong")))
	if err.Error() != "invalid username or password" {
		t.Error(err)
	}
}

func TestOrigin(t *testing.T) {
	guard := open(t, Config{AdminPassword: "x"})
	for _, test := range []struct {
		origin, host string
		same         bool
	}{
		{"http://127.0.0.1:3030", "127.0.0.1:3030", true},
		{"http://127.0.0.1:8000", "127.0.0.1:3030", false},
		{"http://localhost:3030", "127.0.0.1:3030", false},
		{"https://board.example", "board.example", true},
		{"https://board.example", "board.example:443", true},
		{"http://board.example", "board.example:80", true},
		{"http://board.example", "board.example:443", false},
		{"https://board.example:8443", "board.example", true}, // behind a proxy that drops the port
		{"https://evil.example", "board.example", false},
		{"https://board.example.evil.example", "board.example", false},
		{"http://[::1]:3030", "[::1]:3030", true},
		{"null", "board.example", false},
		{"null", "null", false},
		{"://", "board.example", false},
	} {
		r := request(host(test.host), header("Origin", test.origin),
			header("Cookie", CookieName+"="+guard.sessions.begin(time.Now())))
		_, err := guard.Identify(r)
		if (err == nil) != test.same || err != nil && !errors.Is(err, ErrOrigin) {
			t.Errorf("%s asking %s: %v", test.origin, test.host, err)
		}
		r.Method = http.MethodHead
		if _, err := guard.Identify(r); err != nil {
			t.Errorf("HEAD, which changes nothing: %v", err)
		}
	}
}

func TestGuessingStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		guard := open(t, Config{AdminPassword: "secret"})
		guess := func(address, password string) error {
			_, err := guard.Identify(request(from(address), basic("admin", password)))
			return err
		}
		for i := range maxFailures {
			wantError(t, guess(fmt.Sprintf("192.0.2.1:%d", 1000+i), "guess"), ErrBadPassword)
		}
		err := guess("192.0.2.1:5000", "secret")
		wantError(t, err, ErrTooManyAttempts)
		var wait *TooManyAttempts
		if !errors.As(err, &wait) || wait.RetryAfter != failureWindow {
			t.Errorf("told to come back: %v", err)
		}
		if err := guess("192.0.2.2:1000", "secret"); err != nil {
			t.Errorf("another address: %v", err)
		}
		if err := guess("192.0.2.1:5000", "secret"); err != nil {
			t.Errorf("what is remembered to be right needs no guess: %v", err)
		}
		time.Sleep(failureWindow)
		wantError(t, guess("192.0.2.1:5000", "guess"), ErrBadPassword)
		if err := guess("192.0.2.1:5000", "secret"); err != nil {
			t.Errorf("after the wait: %v", err)
		}
	})
}

func TestGuessersAreOneNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1:1000":          "192.0.2.1",
		"[::ffff:192.0.2.1]:1000": "192.0.2.1",
		"[2001:db8::1]:1000":      "2001:db8::/64",
		"[fe80::1%eth0]:1000":     "fe80::/64",
		"@":                       "@",
	} {
		if got := clientNetwork(request(from(address))); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	a := attempts{failed: map[string]failures{}}
	now := time.Now()
	for i := range maxNetworks + 5 {
		a.fail(fmt.Sprint(i), now.Add(time.Duration(i)))
	}
	if _, kept := a.failed["4"]; kept || len(a.failed) != maxNetworks {
		t.Errorf("%d networks are watched", len(a.failed))
	}
}

// A verified password costs no bcrypt for a while; fifty at once cost one.
func TestRightPasswordIsRemembered(t *testing.T) {
	guard := open(t, Config{AdminPassword: "secret"})
	var calls sync.WaitGroup
	for range 50 {
		calls.Go(func() {
			if _, err := guard.Identify(request(basic("admin", "secret"))); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	guard.password.hash = nil // whoever asks for it now fails
	if _, err := guard.Identify(request(basic("admin", "secret"))); err != nil {
		t.Errorf("was not remembered: %v", err)
	}
	guard.password.until = time.Now()
	_, err := guard.Identify(request(basic("admin", "secret")))
	wantError(t, err, ErrBadPassword)
}

func TestWaitingForAPasswordObeysTheRequest(t *testing.T) {
	guard := open(t, Config{AdminPassword: "secret"})
	guard.password.slow <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := guard.Identify(request(basic("admin", "secret")).WithContext(ctx))
	wantError(t, err, context.Canceled)
}

func TestGuardShowsNoSecret(t *testing.T) {
	guard := open(t, Config{AdminPassword: "hunter2-hunter2"})
	if _, err := guard.Identify(request(basic("admin", "hunter2-hunter2"))); err != nil {
		t.Fatal(err)
	}
	shown := fmt.Appendf(nil, "%+v", guard)
	if bytes.Contains(shown, []byte("hunter2")) || bytes.Contains(shown, []byte(base64.StdEncoding.EncodeToString([]byte("admin:hunter2-hunter2")))) {
		t.Error("the password is kept in clear")
	}
}

// Every request pays this. The password's cost is that of one remembered; "bcrypt"
// is what it would be without.
func BenchmarkIdentify(b *testing.B) {
	store := &shelf{}
	for i := range 1000 {
		_, hash := makeToken()
		_, _ = store.SaveAccount(b.Context(), Account{Name: fmt.Sprint(i), Role: Viewer, Tokens: []Token{{Hash: hash}}})
	}
	accounts := openAccounts(b, store)
	_, text := add(b, accounts, Account{Name: "poller", Role: Viewer, DataSources: []string{"one", "two"}}, time.Now().Add(time.Hour))
	guard := open(b, Config{AdminPassword: "secret", Accounts: accounts})
	session := request(header("Cookie", CookieName+"="+guard.sessions.begin(time.Now())))
	slow, _, err := Open(b.Context(), Config{Passwords: memory{}, AdminPassword: "secret"})
	if err != nil {
		b.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		guard  *Guard
		forget bool
		r      *http.Request
	}{
		{"token", guard, false, request(token(text))},
		{"session", guard, false, session},
		{"basic", guard, false, request(basic("admin", "secret"))},
		{"bcrypt", slow, true, request(basic("admin", "secret"))},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if test.forget {
					test.guard.password.until = time.Time{}
				}
				if _, err := test.guard.Identify(test.r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func wantError(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("error %v, want %v", got, want)
	}
}
