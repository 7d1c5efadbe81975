package gateway

import (
	"fmt"
	"testing"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
)

func TestOrders(t *testing.T) {
	a := newAPI(t)
	for verb, done := range map[string]string{"start": "started", "stop": "stopped", "restart": "restarted"} {
		a.host.order = func(given, id string) error {
			if given != verb {
				t.Errorf("%s is taken for %s", verb, given)
			}
			if id != "p-datasource" {
				return fmt.Errorf("%w: %s is a frontend only", host.ErrNoBackend, id)
			}
			a.host.plugins[0].PID = 8
			return nil
		}
		a.want(200, `{"message":"Plugin `+done+`","process":{"state":"ready","pid":8,"restarts":0,"calls":0,"waiting":0,"streams":0}}`, "POST", "/api/plugins/p-datasource/"+verb, "")
		a.wantFailure(503, "plugin.unavailable", "Plugin unavailable: plugin an-app: the plugin has no backend", "POST", "/api/plugins/an-app/"+verb, "")
		a.wantFailure(404, "", "Plugin not found", "POST", "/api/plugins/nosuch/"+verb, "")
	}
	a.host.order = func(_, id string) error {
		return fmt.Errorf("%w: %s does not start: exit status 3", plugin.ErrUnavailable, id)
	}
	a.wantFailure(503, "plugin.unavailable", "Plugin unavailable: plugin p-datasource: does not start: exit status 3", "POST", "/api/plugins/p-datasource/restart", "")
}

func TestPluginEvents(t *testing.T) {
	a := newAPI(t)
	a.host.events = func(_ string, after int64) ([]host.Event, <-chan struct{}, error) {
		return []host.Event{
			{Number: after + 1, Time: time.UnixMilli(0).UTC(), State: host.StateBackingOff, PID: 7, Reason: "it ended: " + secret, Exit: &host.Exit{
				Code: -1, Signal: "killed", OutOfMemory: true, PeakRSS: 1 << 20, Stderr: []string{"no use for " + secret},
			}},
			{Number: after + 2, Time: time.UnixMilli(1).UTC(), State: host.StateStarting},
		}, nil, nil
	}
	a.want(200, `[{"number":4,"time":"1970-01-01T00:00:00Z","state":"backing-off","pid":7,"reason":"it ended: [secret]",`+
		`"exit":{"code":-1,"signal":"killed","outOfMemory":true,"peakRssBytes":1048576,"stderr":["no use for [secret]"]}},`+
		`{"number":5,"time":"1970-01-01T00:00:00.001Z","state":"starting","reason":""}]`, "GET", "/api/plugins/p-datasource/events?after=3", "")
	a.wantFailure(400, "", "bad request data: after", "GET", "/api/plugins/p-datasource/events?after=x", "")
	a.wantFailure(404, "", "Plugin not found", "GET", "/api/plugins/nosuch/events", "")
}

// What keeps a plugin from answering is said with what to do about it.
func TestPluginThatIsNotToRun(t *testing.T) {
	a := newAPI(t)
	var err error
	a.host.query = func(*plugin.QueryRequest) (*plugin.QueryResponse, error) { return nil, err }
	const ask = `{"queries":[{"refId":"A","datasource":{"uid":"one"}}]}`

	err = fmt.Errorf("%w: p-datasource %w: it is in quarantine: 3 crashes", plugin.ErrUnavailable, host.ErrStopped)
	a.wantFailure(503, "plugin.unavailable", "Plugin unavailable: data source \"one\" (plugin p-datasource): does not run until it is started: it is in quarantine: 3 crashes; to start it: plugboard plugin start p-datasource", "POST", "/api/ds/query", ask)
	err = fmt.Errorf("%w: p-datasource: too many calls wait: 9 are under way and 7 wait", host.ErrBusy)
	a.wantFailure(503, "plugin.busy", "Plugin busy: data source \"one\" (plugin p-datasource): too many calls wait: 9 are under way and 7 wait", "POST", "/api/ds/query", ask)
}
