package gateway

import "net/http"

// login answers POST /login with a session cookie.
func (g *Gateway) login(w http.ResponseWriter, r *http.Request) error {
	if _, err := g.guard.Login(w, r); err != nil {
		return refused(w, err)
	}
	return writeJSON(w, http.StatusOK, map[string]string{"message": "Logged in"})
}

// logout answers GET and POST /logout.
func (g *Gateway) logout(w http.ResponseWriter, r *http.Request) error {
	if err := g.guard.Logout(w, r); err != nil {
		return refused(w, err)
	}
	return writeJSON(w, http.StatusOK, map[string]string{"message": "Logged out"})
}
