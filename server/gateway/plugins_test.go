package gateway

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/datasource"
)

func TestListPlugins(t *testing.T) {
	a := newAPI(t)
	for query, want := range map[string]string{
		"":                          "an-app p-datasource",
		"?type=app":                 "an-app",
		"?type=datasource&core=0":   "p-datasource",
		"?core=1":                   "an-app",
		"?enabled=1":                "p-datasource",
		"?enabled=0&embedded=0":     "an-app",
		"?embedded=1":               "",
		"?type=panel&enabled=&x=y%": "",
	} {
		w := a.call("GET", "/api/plugins"+query, "")
		var list []struct{ ID string }
		if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil {
			t.Fatalf("%s: %v", w.Body, err)
		}
		var ids []string
		for _, p := range list {
			ids = append(ids, p.ID)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%q lists %q, want %q", query, got, want)
		}
	}
}

func TestPluginSettings(t *testing.T) {
	a := newAPI(t)
	a.host.text = "rawSql"
	a.host.plugins[0].Manifest.Raw = []byte(`{"info":{"author":{"name":"me"},"logos":{"small":"img/s.svg"},"version":"1"},"dependencies":{"grafanaDependency":">=8"},"state":"beta","includes":[{"type":"page"}]}`)
	a.want(200, `{"name":"P","type":"datasource","id":"p-datasource","enabled":false,"pinned":false,`+
		`"info":{"author":{"name":"me","url":""},"description":"","links":null,"logos":{"small":"public/plugins/p-datasource/img/s.svg","large":"public/img/icn-datasource.svg"},"build":{},"screenshots":null,"version":"1","updated":""},`+
		`"dependencies":{"grafanaDependency":"\u003e=8","grafanaVersion":"*","plugins":[]},"latestVersion":"","hasUpdate":false,"defaultNavUrl":"","category":"","state":"beta","signature":"","signatureType":"","signatureOrg":"",`+
		`"process":{"state":"ready","pid":7,"restarts":0,"calls":0,"waiting":0,"streams":0},"module":"plugins/p-datasource/module","baseUrl":"public/plugins/p-datasource","includes":[{"type":"page"}],"jsonData":null,"secureJsonFields":{},"queryText":"rawSql"}`,
		"GET", "/api/plugins/p-datasource/settings", "")
	a.want(200, `{"message":"Plugin settings updated"}`, "POST", "/api/plugins/an-app/settings",
		`{"enabled":true,"pinned":true,"jsonData":{"a":1},"secureJsonData":{"key":"`+secret+`"}}`)
	if want := []string{"an-app/"}; !slices.Equal(a.host.renewed, want) {
		t.Errorf("streams renewed: %v, want %v", a.host.renewed, want)
	}
	w := a.call("GET", "/api/plugins/an-app/settings", "")
	if !strings.Contains(w.Body.String(), `"enabled":true,"pinned":true,`) || !strings.Contains(w.Body.String(), `"jsonData":{"a":1},"secureJsonFields":{"key":true}`) {
		t.Errorf("settings: %s", w.Body)
	}
	a.want(200, `{"message":"Plugin settings updated"}`, "POST", "/api/plugins/an-app/settings", `{"enabled":false}`)
	if want := []string{"an-app/"}; !slices.Equal(a.host.forgotten, want) || len(a.host.renewed) != 1 {
		t.Errorf("disabled: forgotten %v, want %v; renewed %v", a.host.forgotten, want, a.host.renewed)
	}
	a.wantFailure(400, "", "bad request data: jsonData is an object", "POST", "/api/plugins/an-app/settings", `{"jsonData":"x"}`)
	a.wantFailure(404, "", "Plugin not found, no installed plugin with that id", "GET", "/api/plugins/nosuch/settings", "")
	a.wantFailure(404, "", "Plugin not found, no installed plugin with that id", "POST", "/api/plugins/nosuch/settings", `{}`)
}

// TestAppSettings: an app is called with what was saved for it.
func TestAppSettings(t *testing.T) {
	a := newAPI(t)
	a.store.apps["an-app"] = datasource.App{PluginID: "an-app", JSON: []byte(`{"a":1}`), Secrets: map[string]string{"key": secret}, Updated: time.UnixMilli(5)}
	a.host.health = func(req *plugin.HealthRequest) (plugin.Health, error) {
		if app := req.Context.App; app == nil || string(app.JSON) != `{"a":1}` || app.Secrets["key"] != secret || app.Updated.UnixMilli() != 5 {
			t.Errorf("app settings: %+v", app)
		}
		return plugin.Health{Status: plugin.HealthError, Message: "bad key " + secret}, nil
	}
	a.want(400, `{"message":"bad key [secret]","status":"ERROR"}`, "GET", "/api/plugins/an-app/health", "")
}

func TestPluginMetrics(t *testing.T) {
	a := newAPI(t)
	a.host.metrics = func(string) ([]byte, error) { return []byte("up 1"), nil }
	a.want(200, "up 1", "GET", "/api/plugins/p-datasource/metrics", "")
	a.host.metrics = func(string) ([]byte, error) { return nil, plugin.ErrNotImplemented }
	a.want(200, "", "GET", "/api/plugins/p-datasource/metrics", "")
	a.host.metrics = func(string) ([]byte, error) { return nil, plugin.ErrUnavailable }
	a.wantFailure(503, "plugin.unavailable", "Plugin unavailable", "GET", "/api/plugins/p-datasource/metrics", "")
	a.wantFailure(404, "", "Plugin not found", "GET", "/api/plugins/nosuch/metrics", "")
}

func TestPluginErrors(t *testing.T) {
	a := newAPI(t)
	a.want(200, `[]`, "GET", "/api/plugins/errors", "")
	a.host.faults = []host.Fault{
		{Path: "/p", PluginID: "x", Reason: "unsigned", Signature: host.SignatureUnsigned},
		{Path: "/p", PluginID: "y", Reason: "a file", Signature: host.SignatureModified},
		{Path: "/p", PluginID: "z", Reason: "a key", Signature: host.SignatureInvalid},
		{Path: "/q/plugin.json", Reason: "broken"},
	}
	a.want(200, `[{"errorCode":"signatureMissing","pluginId":"x","path":"/p","reason":"unsigned"},`+
		`{"errorCode":"signatureModified","pluginId":"y","path":"/p","reason":"a file"},`+
		`{"errorCode":"signatureInvalid","pluginId":"z","path":"/p","reason":"a key"},{"errorCode":"pluginNotLoaded","pluginId":"","path":"/q/plugin.json","reason":"broken"}]`,
		"GET", "/api/plugins/errors", "")
}

func TestPluginFile(t *testing.T) {
	a := newAPI(t)
	dir := t.TempDir()
	plugins := filepath.Join(dir, "plugins")
	for path, text := range map[string]string{"plugins/img/logo.svg": "<svg/>", "outside.txt": "private"} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "outside.txt"), filepath.Join(plugins, "link.txt")); err != nil {
		t.Fatal(err)
	}
	a.host.plugins[0].Dir = plugins
	a.want(200, "<svg/>", "GET", "/public/plugins/p-datasource/img/logo.svg", "")
	for _, file := range []string{"nosuch", "img", "", "link.txt", "%2e%2e/outside.txt", "img/%2e%2e/%2e%2e/outside.txt", "%2fetc%2fpasswd"} {
		if w := a.call("GET", "/public/plugins/p-datasource/"+file, ""); w.Code == 200 || strings.Contains(w.Body.String(), "private") {
			t.Errorf("%s answers %d %s", file, w.Code, w.Body)
		}
	}
	a.wantFailure(404, "", "Plugin file not found: plugin an-app is bundled", "GET", "/public/plugins/an-app/x", "")
	a.wantFailure(404, "", "Plugin not found", "GET", "/public/plugins/nosuch/x", "")
}
