package gateway

import "net/http"

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
