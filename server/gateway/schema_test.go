package gateway

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
)

func TestPluginSchema(t *testing.T) {
	a := newAPI(t)
	a.host.schema = host.Schema{Origin: host.SchemaUnknown}
	a.want(200, `{"pluginId":"an-app","origin":"none","capabilities":null,"settings":null,"queryTypes":[]}`, "GET", "/api/plugins/an-app/schema", "")
	a.host.schema = host.Schema{
		Origin: host.SchemaOfPlugin, Capabilities: []string{"query"}, QueryText: "expr",
		Settings: json.RawMessage(`{"type":"object"}`),
		Queries:  []host.QueryType{{Name: "n", Description: "d", Discriminators: map[string]string{"b": "2", "a": "1"}, Schema: json.RawMessage(`{"z":1,"a":2}`)}},
		Faults:   []host.Fault{{Path: "/p/schema.yaml", PluginID: "p-datasource", Reason: "line 1"}},
	}
	a.want(200, `{"pluginId":"p-datasource","origin":"plugin","capabilities":["query"],"queryText":"expr","settings":{"type":"object"},`+
		`"queryTypes":[{"name":"n","description":"d","discriminators":[{"field":"a","value":"1"},{"field":"b","value":"2"}],"schema":{"z":1,"a":2}}],`+
		`"faults":[{"path":"/p/schema.yaml","reason":"line 1"}]}`, "GET", "/api/plugins/p-datasource/schema", "")
	a.host.schemaErr = plugin.ErrUnavailable
	a.wantFailure(503, "plugin.unavailable", "Plugin unavailable", "GET", "/api/plugins/p-datasource/schema", "")
	a.wantFailure(404, "", "Plugin not found", "GET", "/api/plugins/nosuch/schema", "")
}

func TestPathsInSchemaFaultsAreForAdmins(t *testing.T) {
	g := newGuarded(t)
	g.host.schema = host.Schema{Faults: []host.Fault{{Path: "/p/schema.yaml"}}}
	for who, sees := range map[string]bool{"viewer": false, "editor": false, "admin": true} {
		if w := g.ask(who, "GET", "/api/plugins/an-app/schema", ""); w.Code != 200 || strings.Contains(w.Body.String(), "/p/schema.yaml") != sees {
			t.Errorf("%s: %d %s", who, w.Code, w.Body)
		}
	}
}
