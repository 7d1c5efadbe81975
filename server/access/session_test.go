package access

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func login(guard *Guard, kind, body string) (*http.Response, error) {
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:3030/login", strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	w := httptest.NewRecorder()
	_, err := guard.Login(w, r)
	return w.Result(), err
}

const asJSON, asForm = "application/json", "application/x-www-form-urlencoded; charset=utf-8"

func TestLoginAndLogout(t *testing.T) {
	guard := open(t, Config{AdminPassword: "p&ss"})
	for kind, body := range map[string]string{
		asJSON: `{"user":"admin","password":"p&ss","email":"ignored"}`,
		asForm: "user=admin&password=p%26ss",
	} {
		answer, err := login(guard, kind, body)
		if err != nil {
			t.Fatal(err)
		}
		cookie := answer.Cookies()[0]
		if cookie.Name != CookieName || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Secure {
			t.Errorf("cookie %v", cookie)
		}
		r := request(func(r *http.Request) { r.AddCookie(cookie) })
		if user, err := guard.Identify(r); err != nil || user.Login != AdminLogin {
			t.Errorf("with the cookie: %v, %v", user, err)
		}
		w := httptest.NewRecorder()
		if err := guard.Logout(w, r); err != nil {
			t.Error(err)
		}
		if gone := w.Result().Cookies()[0]; gone.MaxAge >= 0 || gone.Value != "" {
			t.Errorf("cookie after logout: %v", gone)
		}
		_, err = guard.Identify(r)
		wantError(t, err, ErrUnauthorized)
	}
}

func TestLoginRefused(t *testing.T) {
	guard := open(t, Config{AdminPassword: "secret"})
	for _, test := range []struct {
		kind, body string
		err        error
	}{
		{asJSON, `{"user":"admin","password":"SECRET"}`, ErrBadPassword},
		{asJSON, `{}`, ErrBadPassword},
		{asJSON, `{"user":"admin","password":"leak-me`, ErrBadRequest},
		{asJSON, ``, ErrBadRequest},
		{asForm, `user=%zz&password=leak-me`, ErrBadRequest},
	} {
		answer, err := login(guard, test.kind, test.body)
		wantError(t, err, test.err)
		if strings.Contains(err.Error(), "leak-me") {
			t.Errorf("the error shows the password: %v", err)
		}
		if len(answer.Cookies()) != 0 {
			t.Errorf("%s: got a cookie", test.body)
		}
	}
	r := request(header("Origin", "http://evil.example"))
	_, err := guard.Login(httptest.NewRecorder(), r)
	wantError(t, err, ErrOrigin)
	wantError(t, guard.Logout(httptest.NewRecorder(), r), ErrOrigin)
}

func TestSecureCookieOverTLS(t *testing.T) {
	guard := open(t, Config{AdminPassword: "secret"})
	r := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader(`{"user":"admin","password":"secret"}`))
	r.Header.Set("X-Forwarded-Proto", "https")
	w := httptest.NewRecorder()
	if _, err := guard.Login(w, r); err != nil {
		t.Fatal(err)
	}
	if !w.Result().Cookies()[0].Secure {
		t.Error("the cookie may travel in clear")
	}
}

func TestSessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sessions{byHash: map[sessionHash]session{}}
		idle, busy := s.begin(time.Now()), s.begin(time.Now())
		for day := range 30 {
			if alive := s.touch(busy, time.Now()); !alive {
				t.Fatalf("a session in use ended on day %d", day)
			}
			time.Sleep(24 * time.Hour)
		}
		if s.touch(busy, time.Now()) || s.touch(idle, time.Now()) {
			t.Error("sessions live longer than they may")
		}
		s.begin(time.Now())
		if len(s.byHash) != 1 {
			t.Errorf("%d sessions are kept, one is alive", len(s.byHash))
		}
	})
}
