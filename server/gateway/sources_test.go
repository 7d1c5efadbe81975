package gateway

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestSources(t *testing.T) {
	a := newAPI(t)
	const one = `{"id":1,"uid":"one","orgId":1,"name":"One","type":"p-datasource","typeLogoUrl":"","access":"proxy","url":"http://one","user":"","database":"","basicAuth":false,"basicAuthUser":"","withCredentials":false,"isDefault":false,"jsonData":{"keepCookies":["kept","plugboard_session"]},"secureJsonFields":{"token":true},"version":1,"readOnly":false}`
	for _, path := range []string{"uid/one", "1", "name/One"} {
		a.want(200, one, "GET", "/api/datasources/"+path, "")
	}
	a.want(200, `{"id":1}`, "GET", "/api/datasources/id/One", "")

	const three = `"uid":"three","orgId":1,"name":"Three","type":"p-datasource","typeLogoUrl":"","access":"proxy","url":"db:5432","user":"u","database":"d","basicAuth":true,"basicAuthUser":"bu","withCredentials":true,"isDefault":true,`
	a.want(200, `{"datasource":{"id":3,`+three+`"jsonData":{"a":1},"secureJsonFields":{"a":true,"b":true},"version":1,"readOnly":false},"id":3,"message":"Datasource added","name":"Three"}`,
		"POST", "/api/datasources", `{"uid":"three","name":"Three","type":"p-datasource","url":"db:5432","user":"u","database":"d","basicAuth":true,"basicAuthUser":"bu","withCredentials":true,"isDefault":true,"jsonData":{"a":1},"secureJsonData":{"a":"`+secret+`","b":"`+secret+`"}}`)
	a.want(200, `{"datasource":{"id":3,"uid":"three","orgId":1,"name":"III","type":"p-datasource","typeLogoUrl":"","access":"direct","url":"","user":"","database":"","basicAuth":false,"basicAuthUser":"","withCredentials":false,"isDefault":false,"jsonData":{},"secureJsonFields":{"a":true},"version":2,"readOnly":false},"id":3,"message":"Datasource updated","name":"III"}`,
		"PUT", "/api/datasources/uid/three", `{"name":"III","type":"p-datasource","access":"direct","version":1,"secureJsonData":{"b":""}}`)
	if got := a.store.sources[3].Secrets["a"]; got != secret {
		t.Errorf("the secret that was not mentioned is %q", got)
	}
	a.wantFailure(409, "", "data source has been changed by somebody else", "PUT", "/api/datasources/3", `{"name":"III","type":"p-datasource","version":1}`)
	a.want(200, `{"id":3,"message":"Data source deleted"}`, "DELETE", "/api/datasources/name/III", "")
	if want := []string{"p-datasource/three"}; !slices.Equal(a.host.renewed, want) || !slices.Equal(a.host.forgotten, want) {
		t.Errorf("streams renewed: %v, forgotten: %v, want %v each", a.host.renewed, a.host.forgotten, want)
	}
	a.wantFailure(404, "", "Data source not found: ", "GET", "/api/datasources/3", "")
	a.wantFailure(404, "", "Data source not found: ", "DELETE", "/api/datasources/uid/three", "")
}

func TestListSources(t *testing.T) {
	a := newAPI(t)
	a.host.plugins = slices.Delete(a.host.plugins, 0, 1)
	w := a.call("GET", "/api/datasources", "")
	var list []struct {
		ID             int
		Name, TypeName string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list) != 2 || list[0].Name != "One" || list[1].ID != 2 {
		t.Errorf("%v: %s", err, w.Body)
	}
}

func TestBadSources(t *testing.T) {
	a := newAPI(t)
	for _, test := range []struct {
		status  int
		message string
		body    string
	}{
		{400, "bad request data: unexpected end", `{`},
		{400, "bad request data: a data source needs a name", `{"type":"x"}`},
		{400, "bad request data: a data source needs a name", `{"name":"x"}`},
		{400, "bad request data: access is", `{"name":"x","type":"y","access":"z"}`},
		{400, "bad request data: jsonData is an object", `{"name":"x","type":"y","jsonData":[]}`},
		{400, "bad request data: json: cannot unmarshal number", `{"name":"x","type":"y","secureJsonData":{"a":1}}`},
		{400, "Validation error, invalid URL", `{"name":"x","type":"y","url":"http://a b:c"}`},
		{409, "data source with the same name or uid already exists", `{"name":"One","type":"y"}`},
	} {
		a.wantFailure(test.status, "", test.message, "POST", "/api/datasources", test.body)
	}
	d := a.store.sources[1]
	d.ReadOnly = true
	a.store.sources[1] = d
	a.wantFailure(403, "", "data source is provisioned and read-only", "PUT", "/api/datasources/1", `{"name":"x","type":"y"}`)
	a.wantFailure(403, "", "data source is provisioned and read-only", "DELETE", "/api/datasources/1", "")
}

// Where a data source comes from is for those who may change that.
func TestProvenance(t *testing.T) {
	g := newGuarded(t)
	d := g.store.sources[1]
	d.ReadOnly, d.Provenance = true, "datasources/a.yaml"
	g.store.sources[1] = d
	for who, sees := range map[string]bool{"viewer": false, "editor": false, "admin": true} {
		if w := g.ask(who, "GET", "/api/datasources/uid/one", ""); w.Code != 200 || strings.Contains(w.Body.String(), `"provenance":"datasources/a.yaml"`) != sees {
			t.Errorf("%s: %d %s", who, w.Code, w.Body)
		}
	}
}
