package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/plugboard/plugboard/server/datasource"
)

// source is a data source as the API tells and takes it.
type source struct {
	UID              string            `json:"uid"`
	Name             string            `json:"name"`
	Type             string            `json:"type"`
	Access           string            `json:"access,omitempty"`
	URL              string            `json:"url"`
	User             string            `json:"user"`
	Database         string            `json:"database"`
	BasicAuth        bool              `json:"basicAuth"`
	BasicAuthUser    string            `json:"basicAuthUser"`
	WithCredentials  bool              `json:"withCredentials"`
	IsDefault        bool              `json:"isDefault"`
	JSONData         json.RawMessage   `json:"jsonData"`
	SecureJSONData   map[string]string `json:"secureJsonData,omitempty"`
	SecureJSONFields map[string]bool   `json:"secureJsonFields,omitempty"`
	Version          int64             `json:"version,omitempty"`
	ReadOnly         bool              `json:"readOnly,omitempty"`
}

// configure writes what --set and --secret say into a data source.
func (s *source) configure(set []string, secrets map[string]string) error {
	d := datasource.DataSource{
		URL: s.URL, User: s.User, Database: s.Database, BasicAuth: s.BasicAuth,
		BasicAuthUser: s.BasicAuthUser, Name: s.Name, JSON: s.JSONData,
	}
	if err := applySettings(&d, set); err != nil {
		return err
	}
	s.URL, s.User, s.Database, s.BasicAuth = d.URL, d.User, d.Database, d.BasicAuth
	s.BasicAuthUser, s.Name, s.JSONData = d.BasicAuthUser, d.Name, d.JSON
	s.SecureJSONData = secrets
	return nil
}

func sourcePath(uid string) string { return "/api/datasources/uid/" + url.PathEscape(uid) }

// readSource returns a data source of a server, and the server's own words.
func readSource(ctx context.Context, server *api, uid string) (source, []byte, error) {
	var s source
	answer, err := server.read(ctx, sourcePath(uid), &s)
	return s, answer, err
}

// read is get, and returns the answer as it came.
func (a *api) read(ctx context.Context, path string, into any) ([]byte, error) {
	var raw json.RawMessage
	if err := a.get(ctx, path, &raw); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return nil, failed("read the server's answer to GET %s: %w", path, err)
	}
	return raw, nil
}

// checkSource asks a data source whether it works, and returns what it says.
func checkSource(ctx context.Context, server *api, uid string) (string, error) {
	status, answer, err := server.fetch(ctx, http.MethodGet, sourcePath(uid)+"/health", nil)
	if err != nil {
		return "", err
	}
	var health struct{ Status, Message string }
	if json.Unmarshal(answer, &health) != nil || health.Status == "" {
		return "", refusal(status, answer)
	}
	if status != http.StatusOK {
		return "", failed("data source %s does not work: %s", uid, printable(health.Message))
	}
	return health.Message, nil
}
