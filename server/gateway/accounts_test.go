package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/access"
)

type renewal = func(context.Context) (plugin.Context, error)

// shelf keeps service accounts in memory.
type shelf struct {
	kept []access.Account
	last int64
}

func (s *shelf) Accounts(context.Context) ([]access.Account, error) { return s.kept, nil }

func (s *shelf) SaveAccount(_ context.Context, a access.Account) (access.Account, error) {
	if slices.ContainsFunc(s.kept, func(other access.Account) bool { return other.ID != a.ID && other.Name == a.Name }) {
		return a, access.ErrExists
	}
	if a.ID == 0 {
		s.last++
		a.ID = s.last
	}
	a.Tokens = slices.Clone(a.Tokens)
	for i := range a.Tokens {
		if a.Tokens[i].ID == 0 {
			s.last++
			a.Tokens[i].ID = s.last
		}
	}
	s.kept = append(slices.DeleteFunc(s.kept, func(other access.Account) bool { return other.ID == a.ID }), a)
	return a, nil
}

func (s *shelf) DeleteAccount(_ context.Context, id int64) error {
	s.kept = slices.DeleteFunc(s.kept, func(a access.Account) bool { return a.ID == id })
	return nil
}

// wantOf asks as somebody, and looks for the whole answer, times left out.
func (g *guarded) wantOf(who string, status int, answer, method, target, body string) {
	g.t.Helper()
	w := g.ask(who, method, target, body)
	got := regexp.MustCompile(`"20[^"]*Z"`).ReplaceAllString(strings.TrimSpace(w.Body.String()), "NOW")
	if w.Code != status || got != answer {
		g.t.Errorf("%s %s as %s answers %d %s\nwant %d %s", method, target, who, w.Code, got, status, answer)
	}
}

// wantRefusal asks as somebody, and looks for the beginning of the message.
func (g *guarded) wantRefusal(who string, status int, message, method, target, body string) {
	g.t.Helper()
	w := g.ask(who, method, target, body)
	var got struct{ Message string }
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != status || !strings.HasPrefix(got.Message, message) {
		g.t.Errorf("%s %s as %s answers %d %s\nwant %d %s", method, target, who, w.Code, w.Body, status, message)
	}
}

// TestServiceAccounts goes the way of Grafana's clients.
func TestServiceAccounts(t *testing.T) {
	g := newGuarded(t)
	const cron = `{"id":11,"name":"cron","login":"sa-1-cron","orgId":1,"isDisabled":false,"createdAt":NOW,"updatedAt":NOW,"role":"%s","tokens":%d,"dataSources":%s}`
	g.wantOf("admin", 201, fmt.Sprintf(cron, "Viewer", 0, `["one"]`), "POST", "/api/serviceaccounts", `{"name":"cron","role":"viewer","dataSources":["one"]}`)
	g.wantOf("admin", 200, fmt.Sprintf(cron, "Viewer", 0, `["one"]`), "GET", "/api/serviceaccounts/11", "")
	g.wantOf("admin", 200, `{"totalCount":1,"serviceAccounts":[`+fmt.Sprintf(cron, "Viewer", 0, `["one"]`)+`],"page":1,"perPage":1000}`,
		"GET", "/api/serviceaccounts/search?query=CRO", "")
	g.wantOf("admin", 200, `{"totalCount":6,"serviceAccounts":[],"page":9,"perPage":2}`, "GET", "/api/serviceaccounts/search?perpage=2&page=9", "")
	g.wantOf("admin", 200, `{"id":11,"message":"Service account updated","name":"cron","serviceaccount":`+fmt.Sprintf(cron, "Editor", 0, `["one"]`)+`}`,
		"PATCH", "/api/serviceaccounts/11", `{"role":"Editor"}`)

	w := g.ask("admin", "POST", "/api/serviceaccounts/11/tokens", `{"name":"first","secondsToLive":604800}`)
	var made struct {
		ID        int64
		Name, Key string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != 200 || made.ID == 0 || made.Name != "first" || !strings.HasPrefix(made.Key, "pb_") {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	g.tokens["cron"] = made.Key // from here on it may be shown nowhere
	listed := g.ask("admin", "GET", "/api/serviceaccounts/11/tokens", "").Body.String()
	if !regexp.MustCompile(`^\[{"id":12,"name":"first","created":"20\S+Z","lastUsedAt":null,"expiration":"20\S+Z","secondsUntilExpiration":6047\d\d\.\d+,"hasExpired":false,"isRevoked":false}\]\s$`).MatchString(listed) {
		t.Error(listed)
	}
	if w := g.ask("cron", "GET", "/api/datasources", ""); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if listed := g.ask("admin", "GET", "/api/serviceaccounts/11/tokens", "").Body.String(); !strings.Contains(listed, `"lastUsedAt":"20`) {
		t.Errorf("the use does not show: %s", listed)
	}

	g.wantOf("admin", 200, `{"message":"Service account token deleted"}`, "DELETE", "/api/serviceaccounts/11/tokens/12", "")
	g.wantRefusal("cron", 401, "Invalid API key: the token was revoked", "GET", "/api/datasources", "")
	g.wantOf("admin", 200, `{"message":"Service account deleted"}`, "DELETE", "/api/serviceaccounts/11", "")
	g.wantRefusal("admin", 404, "service account 11: not found", "GET", "/api/serviceaccounts/11", "")
}

func TestBadServiceAccounts(t *testing.T) {
	g := newGuarded(t)
	victim := fmt.Sprint("/api/serviceaccounts/", g.victim.ID)
	for _, test := range []struct {
		status                        int
		message, method, target, body string
	}{
		{400, "bad request data: unexpected end", "POST", "/api/serviceaccounts", `{`},
		{400, "bad request data: invalid: a service account needs a name", "POST", "/api/serviceaccounts", `{}`},
		{400, `bad request data: invalid: the role is Viewer, Editor or Admin, not "root"`, "POST", "/api/serviceaccounts", `{"name":"x","role":"root"}`},
		{400, `bad request data: dataSources: there is no data source with the uid "nosuch"`, "POST", "/api/serviceaccounts", `{"name":"x","dataSources":["one","nosuch"]}`},
		{400, `bad request data: invalid: service account "x" is to be limited`, "POST", "/api/serviceaccounts", `{"name":"x","role":"Admin","dataSources":["one"]}`},
		{409, `save service account "viewer": already exists`, "POST", "/api/serviceaccounts", `{"name":"viewer"}`},
		{400, "bad request data: secondsToLive is", "POST", victim + "/tokens", `{"name":"x","secondsToLive":-1}`},
		{400, "bad request data: invalid: a token needs a name", "POST", victim + "/tokens", `{}`},
		{400, "bad request data: json: cannot unmarshal", "POST", victim + "/tokens", `[]`},
		{400, "bad request data: perpage", "GET", "/api/serviceaccounts/search?perpage=x", ""},
		{400, "bad request data: page: it starts at 1", "GET", "/api/serviceaccounts/search?page=0", ""},
		{400, "Service account ID is invalid", "GET", "/api/serviceaccounts/x", ""},
		{400, "Token ID is invalid", "DELETE", victim + "/tokens/x", ""},
		{404, `token 99 of service account "victim": not found`, "DELETE", victim + "/tokens/99", ""},
		{404, "service account 99: not found", "POST", "/api/serviceaccounts/99/tokens", `{"name":"x"}`},
	} {
		g.wantRefusal("admin", test.status, test.message, test.method, test.target, test.body)
	}
}

// TestLimitedUser holds that who may ask one data source is told of no other,
// and of its configuration nothing.
func TestLimitedUser(t *testing.T) {
	g := newGuarded(t)
	const one = `{"id":1,"uid":"one","orgId":1,"name":"One","type":"p-datasource","typeLogoUrl":"","access":"proxy","url":"","user":"","database":"","basicAuth":false,"basicAuthUser":"","withCredentials":false,"isDefault":false,"jsonData":{},"secureJsonFields":{},"version":1,"readOnly":false}`
	g.wantOf("limited", 200, one, "GET", "/api/datasources/uid/one", "")
	g.wantOf("viewer", 200, one, "GET", "/api/datasources/1", "")
	list := g.ask("limited", "GET", "/api/datasources", "").Body.String()
	if strings.Contains(list, "two") || !strings.Contains(list, `"uid":"one"`) || strings.Contains(list, "http://one") || strings.Contains(list, "keepCookies") {
		t.Error(list)
	}
	for _, path := range []string{"uid/two", "2", "name/Two", "id/Two", "uid/nosuch", "99", "name/Nosuch"} {
		g.wantRefusal("limited", 403, "Access denied to data source: sa-1-limited may not ask the one with the ", "GET", "/api/datasources/"+path, "")
	}
	g.wantRefusal("viewer", 404, "Data source not found", "GET", "/api/datasources/uid/nosuch", "")
	g.wantRefusal("limited", 403, `Access denied to plugin "an-app"`, "GET", "/api/plugins/an-app/health", "")
}

// TestForbiddenSourceInAQuery holds that a mixed query is asked whole or not at
// all.
func TestForbiddenSourceInAQuery(t *testing.T) {
	g := newGuarded(t)
	var asked []*plugin.User
	g.host.query = func(req *plugin.QueryRequest) (*plugin.QueryResponse, error) {
		asked = append(asked, req.Context.User)
		for name, value := range req.Headers {
			if strings.Contains(name+value, "pb_") {
				t.Errorf("the plugin is sent the token: %s: %s", name, value)
			}
		}
		return &plugin.QueryResponse{}, nil
	}
	const mixed = `{"queries":[{"refId":"A","datasource":{"uid":"one"}},{"refId":"B","datasource":{"uid":"two"}}]}`
	g.wantRefusal("limited", 403, `Access denied to data source: sa-1-limited may not ask the one with the uid "two"`, "POST", "/api/ds/query", mixed)
	if len(asked) != 0 {
		t.Errorf("asked all the same: %v", asked)
	}
	g.ask("limited", "POST", "/api/ds/query", `{"queries":[{"datasourceId":1}]}`)
	if len(asked) != 1 || *asked[0] != (plugin.User{Login: "sa-1-limited", Name: "limited", Role: "Viewer"}) {
		t.Errorf("asked for %+v", asked)
	}
}

// TestTokenStaysHere holds that a resource call takes the token off.
func TestTokenStaysHere(t *testing.T) {
	g := newGuarded(t)
	g.host.resource = func(req *plugin.ResourceRequest, send func(plugin.ResourceResponse) error) error {
		if sent := fmt.Sprintf("%+v", req); strings.Contains(sent, "pb_") {
			t.Errorf("the plugin is sent the token: %s", sent)
		}
		return send(plugin.ResourceResponse{Status: 200})
	}
	if w := g.ask("limited", "GET", "/api/datasources/uid/one/resources/x", ""); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestStreamEndsWithTheToken holds that a stream that is open ends when its
// token is revoked or loses the data source, be the stream quiet or busy.
func TestStreamEndsWithTheToken(t *testing.T) {
	revoke := func(g *guarded) error { return g.accounts.Delete(t.Context(), g.ids["limited"]) }
	move := func(g *guarded) error {
		_, err := g.accounts.Update(t.Context(), g.ids["limited"], func(a *access.Account) { a.DataSources = []string{"two"} })
		return err
	}
	for _, test := range []struct {
		change func(*guarded) error
		says   string
		busy   bool
	}{
		{revoke, "Invalid API key: ", false},
		{revoke, "Invalid API key: ", true},
		{move, "access denied", false},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newGuarded(t)
			ended := make(chan bool)
			p := &packets{next: make(chan []byte), end: io.EOF}
			g.host.subscribe = func(*plugin.StreamRequest, renewal) (subscription, error) { return p, nil }
			go func() {
				for test.busy {
					select {
					case p.next <- []byte(`1`):
						time.Sleep(time.Millisecond)
					case <-ended:
						return
					}
				}
			}()
			var w *httptest.ResponseRecorder
			go func() {
				w = g.ask("limited", "GET", "/api/live/sse?channel=ds/one/x", "")
				close(ended)
			}()
			time.Sleep(3 * heartbeat)
			select {
			case <-ended:
				t.Fatalf("ended early: %s", w.Body)
			default:
			}
			if err := test.change(g); err != nil {
				t.Fatal(err)
			}
			time.Sleep(heartbeat + time.Second)
			synctest.Wait()
			select {
			case <-ended:
			default:
				t.Fatal("goes on")
			}
			if !strings.Contains(w.Body.String(), ": ended: "+test.says) || !p.closed {
				t.Errorf("%.200s", w.Body)
			}
		})
	}
}
