// Command app is an app plugin: a list of notes, served as a web server would.
package main

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"

	"github.com/plugboard/plugboard/plugin"
)

func main() { plugin.Main(plugin.App(open)) }

type settings struct {
	// Limit is how many notes are kept; 0 means 100.
	Limit int `json:"limit"`
}

type note struct {
	By   string `json:"by"`
	Text string `json:"text"`
}

// notes is the app of one tenant. The mux makes it an http.Handler: its routes
// are the app's resources.
type notes struct {
	*http.ServeMux
	limit int

	mu   sync.Mutex
	kept []note
}

func open(_ context.Context, s plugin.Settings[settings]) (*notes, error) {
	n := &notes{ServeMux: http.NewServeMux(), limit: s.Values.Limit}
	if n.limit == 0 {
		n.limit = 100
	}
	n.HandleFunc("GET /notes", n.list)
	n.HandleFunc("POST /notes", n.add)
	return n, nil
}

func (n *notes) CheckHealth(context.Context) (plugin.Health, error) {
	if n.limit < 0 {
		return plugin.Health{}, plugin.BadRequest("limit must not be negative")
	}
	return plugin.Health{Message: "ready for notes"}, nil
}

func (n *notes) list(w http.ResponseWriter, _ *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(n.kept) // the caller has gone
}

func (n *notes) add(w http.ResponseWriter, r *http.Request) {
	var added note
	if err := json.NewDecoder(r.Body).Decode(&added); err != nil {
		http.Error(w, "a note is an object: "+err.Error(), http.StatusBadRequest)
		return
	}
	if user := plugin.ContextFrom(r.Context()).User; user != nil {
		added.By = user.Login
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.kept) >= n.limit {
		http.Error(w, "there is no room for more notes", http.StatusInsufficientStorage)
		return
	}
	n.kept = append(n.kept, added)
	w.WriteHeader(http.StatusCreated)
}
