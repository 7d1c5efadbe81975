package gateway

import (
	"errors"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/host"
)

// aDay is a history of which one point is left of every plugin.
type aDay struct{}

func (aDay) Frame(pluginID string, back time.Duration) *frame.Frame {
	return frame.New(pluginID, frame.NewField("back", nil, []string{back.String()}))
}

func TestPluginHistory(t *testing.T) {
	g := newGuarded(t)
	const schema = `{"schema":{"name":"an-app","fields":[{"name":"back","type":"string","typeInfo":{"frame":"string"}}]},"data":{"values":[["`
	for query, back := range map[string]string{"": "1h0m0s", "?back=24h": "24h0m0s"} {
		if w := g.ask("admin", "GET", "/api/plugins/an-app/history"+query, ""); w.Code != 200 || w.Body.String() != schema+back+"\"]]}}\n" {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
	for _, back := range []string{"x", "0s", "-1h"} {
		if w := g.ask("admin", "GET", "/api/plugins/an-app/history?back="+back, ""); w.Code != 400 {
			t.Errorf("back=%s: %d %s", back, w.Code, w.Body)
		}
	}
	if w := g.ask("admin", "GET", "/api/plugins/nosuch/history", ""); w.Code != 404 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestPluginVersions(t *testing.T) {
	a := newAPI(t)
	a.host.plugins[0].Manifest.Info.Version = "2.0.0"
	a.want(200, `{"version":"2.0.0"}`, "GET", "/api/plugins/p-datasource/versions", "")
	a.host.versions = host.Versions{
		Former: &host.Version{Version: "1.0.0", Fault: errors.New("its signature is modified")},
		Folder: &host.Version{Version: "2.0.1", Installed: true},
	}
	a.want(200, `{"version":"2.0.0","former":{"version":"1.0.0","installed":false,"fault":"its signature is modified"},"folder":{"version":"2.0.1","installed":true}}`,
		"GET", "/api/plugins/p-datasource/versions", "")
	a.wantFailure(404, "", "Plugin not found", "GET", "/api/plugins/nosuch/versions", "")
}
