package gateway

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/plugboard/plugboard/plugin"
)

// health answers GET /api/health.
func (g *Gateway) health(w http.ResponseWriter, r *http.Request) error {
	status, database := http.StatusOK, "ok"
	if err := g.store.Ping(r.Context()); err != nil {
		status, database = http.StatusServiceUnavailable, "failing"
		g.log.Error("the store does not answer", keyError, err)
	}
	return writeJSON(w, status, struct {
		Commit   string `json:"commit"`
		Database string `json:"database"`
		Version  string `json:"version"`
	}{g.commit, database, g.version})
}

// sourceHealth answers /api/datasources/uid/:uid/health and its form by id.
func (g *Gateway) sourceHealth(w http.ResponseWriter, r *http.Request) error {
	t, err := g.namedSource(r)
	if err != nil {
		return err
	}
	return g.checkHealth(w, r, t)
}

// pluginHealth answers /api/plugins/:id/health.
func (g *Gateway) pluginHealth(w http.ResponseWriter, r *http.Request) error {
	t, err := g.pluginTarget(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	return g.checkHealth(w, r, t)
}

// checkHealth answers 200 if the target is well, 400 if it says it is not.
func (g *Gateway) checkHealth(w http.ResponseWriter, r *http.Request, t target) error {
	start := time.Now()
	h, err := g.host.CheckHealth(r.Context(), &plugin.HealthRequest{Context: t.Context, Headers: callHeaders(r, t)})
	if errors.Is(err, plugin.ErrNotImplemented) {
		h, err = plugin.Health{Message: "Health check not implemented"}, nil
	}
	g.observe(callHealth, t, start, err)
	if err != nil {
		return t.failed(callHealth, err)
	}
	if len(h.Details) > 0 {
		if err := checkObject(h.Details); err != nil {
			return t.failed(callHealth, &plugin.Error{Message: "the details of its answer are no JSON object", Source: plugin.SourcePlugin})
		}
	}
	status := http.StatusOK
	if h.Status != plugin.HealthOK {
		status = http.StatusBadRequest
	}
	return writeJSON(w, status, struct {
		Details json.RawMessage `json:"details,omitempty"`
		Message string          `json:"message"`
		Status  string          `json:"status"`
	}{h.Details, t.redact(h.Message), h.Status.String()})
}
