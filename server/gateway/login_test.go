package gateway

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/plugboard/plugboard/server/access"
)

// passwords keeps hashes in memory.
type passwords struct{ sync.Map }

func (p *passwords) PasswordHash(_ context.Context, login string) (string, error) {
	hash, _ := p.Load(login)
	text, _ := hash.(string)
	return text, nil
}

func (p *passwords) SavePasswordHash(_ context.Context, login, hash string) error {
	p.Store(login, hash)
	return nil
}

// TestLogin goes through the door with the real guard.
func TestLogin(t *testing.T) {
	a := newAPI(t)
	guard, _, err := access.Open(t.Context(), access.Config{Passwords: &passwords{}, AdminPassword: secret})
	if err != nil {
		t.Fatal(err)
	}
	gateway := New(Config{Host: a.host, Store: a.store, Guard: guard})
	ask := func(status int, answer, method, path, body string, prepare func(*http.Request)) *httptest.ResponseRecorder {
		t.Helper()
		r, w := httptest.NewRequest(method, path, strings.NewReader(body)), httptest.NewRecorder()
		if prepare != nil {
			prepare(r)
		}
		if gateway.ServeHTTP(w, r); w.Code != status || !strings.Contains(w.Body.String(), answer) || strings.Contains(w.Body.String(), secret) {
			t.Errorf("%s %s answers %d %s, want %d %s", method, path, w.Code, w.Body, status, answer)
		}
		return w
	}
	ask(401, `"message":"Unauthorized"`, "GET", "/api/datasources", "", nil)
	ask(200, `"uid":"one"`, "GET", "/api/datasources", "", func(r *http.Request) { r.SetBasicAuth("admin", secret) })
	ask(401, `"message":"invalid username or password"`, "GET", "/api/datasources", "", func(r *http.Request) { r.SetBasicAuth("admin", "wrong") })
	ask(401, `"message":"invalid username or password"`, "POST", "/login", `{"user":"admin","password":"wrong"}`, nil)
	ask(400, `"message":"bad login data`, "POST", "/login", `{"user":"admin`, nil)
	login := `{"user":"admin","password":"` + secret + `"}`
	ask(403, `"message":"origin not allowed`, "POST", "/login", login, func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") })

	cookie := ask(200, `"message":"Logged in"`, "POST", "/login", login, nil).Result().Cookies()[0]
	withCookie := func(r *http.Request) { r.AddCookie(cookie) }
	ask(200, `"uid":"one"`, "GET", "/api/datasources", "", withCookie)
	ask(403, `"message":"origin not allowed`, "DELETE", "/api/datasources/1", "", func(r *http.Request) {
		withCookie(r)
		r.Header.Set("Origin", "http://evil.example")
	})
	ask(200, `"message":"Logged out"`, "POST", "/logout", "", withCookie)
	ask(401, `"message":"Unauthorized"`, "GET", "/api/datasources", "", withCookie)

	for range 10 {
		r, w := httptest.NewRequest("POST", "/login", strings.NewReader(`{"user":"admin","password":"guess"}`)), httptest.NewRecorder()
		gateway.ServeHTTP(w, r)
	}
	if w := ask(429, `"message":"too many failed logins`, "POST", "/login", `{"user":"admin","password":"guess"}`, nil); w.Header().Get("Retry-After") == "" {
		t.Error("nobody is told when to try again")
	}
}
