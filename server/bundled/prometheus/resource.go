package prometheus

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/httpclient"
)

// maxFormBytes bounds the body of a resource's call.
const maxFormBytes = 1 << 20

// questions are the endpoints, after api/v1/, that may be asked by GET and
// POST; readings those by GET alone. What changes a server is not among them.
var (
	questions = []string{"query", "query_range", "query_exemplars", "labels", "series", "format_query", "parse_query"}
	readings  = []string{"metadata", "rules", "alerts", "alertmanagers", "targets", "targets/metadata", "scrape_pools", "notifications"}
)

// pass passes a call on to the server, and its answer back. version-detect is
// Grafana's name for api/v1/status/buildinfo, completions is ours.
func (s *server) pass(w http.ResponseWriter, r *http.Request) error {
	path := strings.TrimPrefix(r.URL.Path, "/")
	if path == "completions" && r.Method == http.MethodGet {
		return s.complete(w, r)
	}
	if path == "version-detect" {
		path = "api/v1/status/buildinfo"
	}
	endpoint, found := strings.CutPrefix(path, "api/v1/")
	asks, reads := slices.Contains(questions, endpoint), isReading(endpoint)
	if !found || !asks && !reads {
		return &plugin.Error{Message: "data source " + s.name + ": no resource " + path, Source: plugin.SourceDownstream, Status: http.StatusNotFound}
	}
	if r.Method != http.MethodGet && (r.Method != http.MethodPost || !asks) {
		return &plugin.Error{Message: "data source " + s.name + ": no " + r.Method + " of " + path, Source: plugin.SourceDownstream, Status: http.StatusMethodNotAllowed}
	}
	values, err := parameters(r)
	if err != nil {
		return plugin.BadRequest("data source %s: %w", s.name, err)
	}
	method := s.method
	if reads {
		method = http.MethodGet
	}
	response, err := s.send(r.Context(), method, path, values)
	if err != nil {
		return s.failed(err)
	}
	defer response.Body.Close()
	return s.passBack(w, r, response)
}

func isReading(endpoint string) bool {
	if label, ok := strings.CutPrefix(endpoint, "label/"); ok {
		name, values := strings.CutSuffix(label, "/values")
		return values && name != "" && !strings.Contains(name, "/") && name != "." && name != ".."
	}
	if status, ok := strings.CutPrefix(endpoint, "status/"); ok {
		return status != "" && !strings.ContainsAny(status, "/.")
	}
	return slices.Contains(readings, endpoint)
}

// parameters are those of the URL and of a form in the body.
func parameters(r *http.Request) (url.Values, error) {
	values := r.URL.Query()
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxFormBytes))
	if err != nil {
		return nil, err
	}
	more, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	add(values, more)
	return values, nil
}

// passBack hands the server's answer on, with none of its headers but what the
// body is. Where the settings' credentials are refused, it is not the person's
// login that was.
func (s *server) passBack(w http.ResponseWriter, r *http.Request, response *http.Response) error {
	switch response.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return s.failed(httpclient.Refusal(response))
	}
	if kind := response.Header.Get("Content-Type"); kind != "" {
		w.Header().Set("Content-Type", kind)
	}
	if wish := r.Header.Get("X-Grafana-Cache"); wish != "" && response.StatusCode == http.StatusOK {
		w.Header().Set("X-Grafana-Cache", "y")
		w.Header().Set("Cache-Control", wish)
	}
	w.WriteHeader(response.StatusCode)
	_, _ = io.Copy(w, response.Body) // too late to say more than that it ends
	return nil
}

// build is what the server says of itself, as Grafana puts it; nil if nothing.
func (s *server) build(ctx context.Context) json.RawMessage {
	response, err := s.send(ctx, http.MethodGet, "api/v1/status/buildinfo", nil)
	if err != nil {
		return nil
	}
	defer response.Body.Close()
	var info struct {
		Data struct {
			Application string            `json:"application"`
			Version     string            `json:"version"`
			Features    map[string]string `json:"features"`
		} `json:"data"`
	}
	if json.NewDecoder(response.Body).Decode(&info) != nil || info.Data.Version == "" {
		return nil
	}
	if info.Data.Application == "" {
		info.Data.Application = "Prometheus"
	}
	details, err := json.Marshal(map[string]any{
		"application": info.Data.Application,
		"version":     info.Data.Version,
		"features":    map[string]bool{"rulerApiEnabled": info.Data.Features["ruler_config_api"] == "true"},
	})
	if err != nil {
		return nil
	}
	return details
}
