package gateway

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/server/access"
)

// schemaJSON is what forms for a plugin are drawn from.
type schemaJSON struct {
	PluginID string            `json:"pluginId"`
	Origin   host.SchemaOrigin `json:"origin"`
	// Capabilities is null if the plugin does not say.
	Capabilities []string          `json:"capabilities"`
	QueryText    string            `json:"queryText,omitempty"`
	Settings     json.RawMessage   `json:"settings"`
	QueryTypes   []queryTypeJSON   `json:"queryTypes"`
	Faults       []schemaFaultJSON `json:"faults,omitempty"`
}

type queryTypeJSON struct {
	Name           string              `json:"name"`
	Description    string              `json:"description,omitempty"`
	Discriminators []discriminatorJSON `json:"discriminators,omitempty"`
	Schema         json.RawMessage     `json:"schema"`
}

type discriminatorJSON struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

type schemaFaultJSON struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// pluginSchema answers GET /api/plugins/:id/schema. The schemas say what may be
// configured, never what is. Paths on the server's disk are for admins.
func (g *Gateway) pluginSchema(w http.ResponseWriter, r *http.Request) error {
	p, err := g.plugin(r.PathValue("id"))
	if err != nil {
		return err
	}
	s, err := g.host.Schema(r.Context(), p.Manifest.ID)
	if err != nil {
		t, targetErr := g.pluginTarget(r, p.Manifest.ID)
		if targetErr != nil {
			return targetErr
		}
		return t.failed(callSchema, err)
	}
	answer := schemaJSON{
		PluginID: p.Manifest.ID, Origin: s.Origin, Capabilities: s.Capabilities, QueryText: s.QueryText,
		Settings: orNull(s.Settings), QueryTypes: []queryTypeJSON{},
	}
	for _, q := range s.Queries {
		answer.QueryTypes = append(answer.QueryTypes, queryTypeOf(q))
	}
	if userOf(r).Role.Includes(access.Admin) {
		for _, f := range s.Faults {
			answer.Faults = append(answer.Faults, schemaFaultJSON{f.Path, f.Reason})
		}
	}
	return writeJSON(w, http.StatusOK, answer)
}

func queryTypeOf(q host.QueryType) queryTypeJSON {
	one := queryTypeJSON{Name: q.Name, Description: q.Description, Schema: q.Schema}
	for field, value := range q.Discriminators {
		one.Discriminators = append(one.Discriminators, discriminatorJSON{field, value})
	}
	slices.SortFunc(one.Discriminators, func(a, b discriminatorJSON) int { return strings.Compare(a.Field, b.Field) })
	return one
}
