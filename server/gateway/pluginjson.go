package gateway

import (
	"context"
	"encoding/json"
	"maps"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/server/access"
)

// pluginJSON is a plugin in the list of all.
type pluginJSON struct {
	Name          string           `json:"name"`
	Type          string           `json:"type"`
	ID            string           `json:"id"`
	Enabled       bool             `json:"enabled"`
	Pinned        bool             `json:"pinned"`
	Info          infoJSON         `json:"info"`
	Dependencies  dependenciesJSON `json:"dependencies"`
	LatestVersion string           `json:"latestVersion"`
	HasUpdate     bool             `json:"hasUpdate"`
	DefaultNavURL string           `json:"defaultNavUrl"`
	Category      string           `json:"category"`
	State         string           `json:"state"`
	Signature     host.Signature   `json:"signature"`
	SignatureType string           `json:"signatureType"`
	SignatureOrg  string           `json:"signatureOrg"`
	Process       processJSON      `json:"process"`
}

// settingsJSON is a plugin with its settings. Secrets are told by name only.
type settingsJSON struct {
	pluginJSON
	Module           string          `json:"module"`
	BaseURL          string          `json:"baseUrl"`
	AutoEnabled      bool            `json:"autoEnabled,omitempty"`
	Includes         json.RawMessage `json:"includes"`
	JSONData         json.RawMessage `json:"jsonData"`
	SecureJSONFields map[string]bool `json:"secureJsonFields"`
	QueryText        string          `json:"queryText,omitempty"`
}

// processJSON is what Grafana does not tell: how the plugin's process is.
type processJSON struct {
	State     host.State `json:"state"`
	PID       int        `json:"pid,omitempty"`
	Since     *time.Time `json:"since,omitempty"`
	NextStart *time.Time `json:"nextStart,omitempty"`
	Restarts  int        `json:"restarts"`
	Calls     int        `json:"calls"`
	Waiting   int        `json:"waiting"`
	Streams   int        `json:"streams"`
	LastError string     `json:"lastError,omitempty"`
	// Address is where a plugin is that runs elsewhere.
	Address string `json:"address,omitempty"`
	// Level and Sandbox tell how the process is confined.
	Level   string     `json:"level,omitempty"`
	Sandbox []tierJSON `json:"sandbox,omitempty"`
}

// tierJSON is one means of confining a process: what it does, or why it is not
// on.
type tierJSON struct {
	Tier   string `json:"tier"`
	On     bool   `json:"on"`
	Detail string `json:"detail"`
}

type infoJSON struct {
	Author      authorJSON      `json:"author"`
	Description string          `json:"description"`
	Keywords    []string        `json:"keywords,omitempty"`
	Links       json.RawMessage `json:"links"`
	Logos       logosJSON       `json:"logos"`
	Build       json.RawMessage `json:"build"`
	Screenshots json.RawMessage `json:"screenshots"`
	Version     string          `json:"version"`
	Updated     string          `json:"updated"`
}

type authorJSON struct {
	Name  string `json:"name"`
	Email string `json:"email,omitempty"`
	URL   string `json:"url"`
}

type logosJSON struct {
	Small string `json:"small"`
	Large string `json:"large"`
}

type dependenciesJSON struct {
	GrafanaDependency string            `json:"grafanaDependency"`
	GrafanaVersion    string            `json:"grafanaVersion"`
	Plugins           []json.RawMessage `json:"plugins"`
}

// describe returns what the API tells of a plugin: its plugin.json, the
// settings saved for it, and its process.
func (g *Gateway) describe(ctx context.Context, p host.Plugin) (settingsJSON, error) {
	m := p.Manifest
	app, err := g.app(ctx, m.ID)
	if err != nil {
		return settingsJSON{}, err
	}
	var file struct {
		Info         infoJSON
		Dependencies dependenciesJSON
		Includes     json.RawMessage
		State        string
		AutoEnabled  bool
	}
	_ = json.Unmarshal(m.Raw, &file) // the host has read what matters; a field of a wrong type stays empty
	base := "public/plugins/" + m.ID
	file.Info.complete(base, m.Type)
	if file.Dependencies.GrafanaVersion == "" {
		file.Dependencies.GrafanaVersion = "*"
	}
	if file.Dependencies.Plugins == nil {
		file.Dependencies.Plugins = []json.RawMessage{}
	}
	settings := settingsJSON{
		pluginJSON: pluginJSON{
			Name: m.Name, Type: m.Type, ID: m.ID,
			Enabled: app.Enabled || file.AutoEnabled && app.Updated.IsZero(), Pinned: app.Pinned,
			Info: file.Info, Dependencies: file.Dependencies,
			Category: m.Category, State: file.State, Signature: p.Signature,
			SignatureType: p.Signer.Type, SignatureOrg: p.Signer.Org,
			Process: processOf(p),
		},
		Module: "plugins/" + m.ID + "/module", BaseURL: base,
		AutoEnabled: file.AutoEnabled, Includes: orNull(file.Includes),
		JSONData: orNull(app.JSON), SecureJSONFields: map[string]bool{},
	}
	for name := range maps.Keys(app.Secrets) {
		settings.SecureJSONFields[name] = true
	}
	return settings, nil
}

// showTo removes what is not for a user: how a plugin is configured, and what
// its process said before it died, is the admins' business.
func (s *settingsJSON) showTo(user access.User) {
	if !user.Role.Includes(access.Admin) {
		s.JSONData, s.SecureJSONFields = orNull(nil), map[string]bool{}
		s.Process.PID, s.Process.LastError, s.Process.Address = 0, "", ""
		s.Process.Level, s.Process.Sandbox = "", nil
	}
}

// complete fills in what a plugin.json may leave out, and makes its paths those
// of this server.
func (i *infoJSON) complete(base, kind string) {
	i.Links, i.Screenshots = orNull(i.Links), orNull(i.Screenshots)
	if len(i.Build) == 0 {
		i.Build = json.RawMessage("{}")
	}
	for _, logo := range []*string{&i.Logos.Small, &i.Logos.Large} {
		if *logo == "" {
			*logo = "public/img/icn-" + kind + ".svg"
		} else {
			*logo = base + "/" + *logo
		}
	}
}

func orNull(text json.RawMessage) json.RawMessage {
	if len(text) == 0 {
		return json.RawMessage("null")
	}
	return text
}
