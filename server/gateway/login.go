package gateway

import (
	"net/http"

	"github.com/plugboard/plugboard/server/access"
)

// login answers POST /login with a session cookie.
func login(door Door) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if _, err := door.Login(w, r); err != nil {
			return refused(w, err)
		}
		return writeJSON(w, http.StatusOK, map[string]string{"message": "Logged in"})
	}
}

// logout answers GET and POST /logout.
func logout(door Door) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := door.Logout(w, r); err != nil {
			return refused(w, err)
		}
		return writeJSON(w, http.StatusOK, map[string]string{"message": "Logged out"})
	}
}

// user answers GET /api/user with who asks: Grafana's fields, and the role.
func (g *Gateway) user(w http.ResponseWriter, r *http.Request) error {
	user := userOf(r)
	return writeJSON(w, http.StatusOK, struct {
		Login          string      `json:"login"`
		Name           string      `json:"name"`
		Email          string      `json:"email"`
		OrgID          int64       `json:"orgId"`
		IsGrafanaAdmin bool        `json:"isGrafanaAdmin"`
		Role           access.Role `json:"role"`
	}{user.Login, user.Name, user.Email, orgID, user.Role.Includes(access.Admin), user.Role})
}
