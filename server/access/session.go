package access

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// CookieName is the cookie that carries a session. It is never to be passed on
// to a plugin.
const CookieName = "plugboard_session"

const (
	// A session ends so long after it was used last, and after it began.
	sessionIdle = 7 * 24 * time.Hour
	sessionLife = 30 * 24 * time.Hour
	// maxLogin is how much Login reads.
	maxLogin = 64 << 10
)

// sessions are kept in memory, so they end with the server. Only a hash of the
// token is kept: what leaks from memory is no cookie.
type sessions struct {
	mu     sync.Mutex
	byHash map[sessionHash]session
}

type sessionHash [sha256.Size]byte

type session struct{ began, used time.Time }

func (s session) over(now time.Time) bool {
	return now.Sub(s.used) >= sessionIdle || now.Sub(s.began) >= sessionLife
}

// begin returns the new session's token, and forgets those that are over.
func (s *sessions) begin(now time.Time) string {
	token := randomText(32)
	s.mu.Lock()
	defer s.mu.Unlock()
	for hash, old := range s.byHash {
		if old.over(now) {
			delete(s.byHash, hash)
		}
	}
	s.byHash[sha256.Sum256([]byte(token))] = session{began: now, used: now}
	return token
}

// touch reports whether the session goes on, and that it was used.
func (s *sessions) touch(token string, now time.Time) bool {
	hash := sha256.Sum256([]byte(token))
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.byHash[hash]
	if !ok || found.over(now) {
		delete(s.byHash, hash)
		return false
	}
	found.used = now
	s.byHash[hash] = found
	return true
}

func (s *sessions) end(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byHash, sha256.Sum256([]byte(token)))
}

// Login begins a session for who posts {"user": …, "password": …}, as JSON or
// as a form, and sets its cookie on w. It writes nothing else: the answer is
// the caller's.
func (g *Guard) Login(w http.ResponseWriter, r *http.Request) (User, error) {
	if err := checkOrigin(r); err != nil {
		return User{}, err
	}
	login, password, err := credentials(r)
	if err != nil {
		return User{}, err
	}
	user, err := g.check(r, login, password)
	if err != nil {
		return User{}, err
	}
	http.SetCookie(w, cookie(r, g.sessions.begin(time.Now()), int(sessionLife.Seconds())))
	return user, nil
}

// Logout ends the session that r carries, if any, and removes its cookie.
func (g *Guard) Logout(w http.ResponseWriter, r *http.Request) error {
	if err := checkOrigin(r); err != nil {
		return err
	}
	if carried, err := r.Cookie(CookieName); err == nil {
		g.sessions.end(carried.Value)
	}
	http.SetCookie(w, cookie(r, "", -1))
	return nil
}

func cookie(r *http.Request, token string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name:     CookieName,
		Value:    token,
		Path:     "/",
		MaxAge:   maxAge,
		HttpOnly: true,
		Secure:   r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
		SameSite: http.SameSiteLaxMode,
	}
}

func credentials(r *http.Request) (login, password string, err error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxLogin))
	if err != nil {
		return "", "", fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/x-www-form-urlencoded" {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return "", "", fmt.Errorf("%w: want user=…&password=…", ErrBadRequest)
		}
		return form.Get("user"), form.Get("password"), nil
	}
	var posted struct{ User, Password string }
	if err := json.Unmarshal(body, &posted); err != nil { // whose text could show the password
		return "", "", fmt.Errorf(`%w: want {"user": "…", "password": "…"}`, ErrBadRequest)
	}
	return posted.User, posted.Password, nil
}
