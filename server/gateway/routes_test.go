package gateway

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/access"
)

var updateGolden = flag.Bool("update", false, "rewrite testdata/routes.txt")

// TestWhoMayDoWhat walks all routes there are, as everybody there is, and keeps
// the statuses in testdata/routes.txt. A new route shows up there by itself. The
// limited user is a Viewer who may ask the data source "one" only.
func TestWhoMayDoWhat(t *testing.T) {
	var table bytes.Buffer
	columns := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "REQUEST\tNOBODY\tLIMITED\tVIEWER\tEDITOR\tADMIN")
	for _, request := range requests(newGuarded(t)) {
		fmt.Fprintf(columns, "%s %s", request.method, request.path)
		for _, who := range []string{"", "limited", "viewer", "editor", "admin"} {
			fmt.Fprintf(columns, "\t%d", newGuarded(t).ask(who, request.method, request.path, request.body).Code)
		}
		fmt.Fprintln(columns)
	}
	if err := columns.Flush(); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/routes.txt"
	if *updateGolden {
		if err := os.WriteFile(golden, table.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, table.Bytes()) {
		t.Errorf("the table is not that of %s (-update, if it should be):\n%s", golden, table.String())
	}
}

type walked struct{ method, path, body string }

// requests makes requests of every route: what names a data source is asked for
// "one" and for "two".
func requests(g *guarded) []walked {
	bodies := map[string]string{
		"POST /api/ds/query":                    `{"queries":[{"datasource":{"uid":"UID"}}]}`,
		"POST /api/live/publish":                `{"channel":"ds/UID/x"}`,
		"POST /api/datasources":                 `{"name":"New","type":"p-datasource"}`,
		"PUT":                                   `{"name":"New","type":"p-datasource"}`,
		"POST /api/plugins/{id}/settings":       `{}`,
		"POST /api/serviceaccounts":             `{"name":"new"}`,
		"POST /api/serviceaccounts/{id}/tokens": `{"name":"new"}`,
		"PATCH /api/serviceaccounts/{id}":       `{"role":"Editor"}`,
		"POST /login":                           `{"user":"admin","password":"wrong"}`,
	}
	var list []walked
	for _, route := range g.routes(g.config) {
		method, pattern, found := strings.Cut(route.pattern, " ")
		if !found {
			method, pattern = http.MethodGet, route.pattern
		}
		body := cmp.Or(bodies[route.pattern], bodies[method])
		paths := []string{pattern}
		switch pattern {
		case resourcePattern:
			paths = []string{"/api/datasources/uid/UID/resources/x", "/api/datasources/ID/resources/x", "/api/plugins/an-app/resources/x"}
		case "/api/live/sse":
			paths = []string{pattern + "?channel=ds/UID/x", pattern + "?channel=plugin/an-app/x"}
		case "/api/datasources/uid/{uid}/query":
			paths = []string{pattern + "?query={}"}
		case "/":
			paths = []string{"/nowhere"}
		}
		for _, path := range paths {
			path = strings.NewReplacer(
				"/api/plugins/{id}", "/api/plugins/an-app", "/plugins/{id}", "/plugins/an-app",
				"/api/serviceaccounts/{id}", fmt.Sprint("/api/serviceaccounts/", g.victim.ID),
				"{token}", fmt.Sprint(g.victimToken.ID), "{rest...}", "health", "{file...}", "logo.svg",
				"{uid}", "UID", "{name}", "NAME", "{id}", "ID",
			).Replace(path)
			one := strings.NewReplacer("UID", "one", "NAME", "One", "ID", "1")
			two := strings.NewReplacer("UID", "two", "NAME", "Two", "ID", "2")
			list = append(list, walked{method, one.Replace(path), one.Replace(body)})
			if one.Replace(path+body) != two.Replace(path+body) {
				list = append(list, walked{method, two.Replace(path), two.Replace(body)})
			}
		}
	}
	for i, request := range list { // so that the table says what is asked
		if uid := regexp.MustCompile(`"uid":"(\w+)"|ds/(\w+)/`).FindStringSubmatch(request.body); uid != nil {
			list[i].path += "?of=" + uid[1] + uid[2]
		}
	}
	return list
}

// guarded is a gateway behind the real guard, with service accounts.
type guarded struct {
	*api
	config      Config
	accounts    *access.Accounts
	tokens      map[string]string
	ids         map[string]int64
	victim      access.Account
	victimToken access.Token
}

func newGuarded(t testing.TB) *guarded {
	t.Helper()
	g := &guarded{api: newAPI(t), tokens: map[string]string{}, ids: map[string]int64{}}
	var err error
	if g.accounts, err = access.OpenAccounts(t.Context(), &shelf{}, g.log); err != nil {
		t.Fatal(err)
	}
	for name, account := range map[string]access.Account{
		"limited": {Role: access.Viewer, DataSources: []string{"one"}},
		"viewer":  {Role: access.Viewer},
		"editor":  {Role: access.Editor},
		"admin":   {Role: access.Admin},
	} {
		account.Name = name
		g.ids[name], _, g.tokens[name] = g.add(account)
	}
	var id int64
	id, g.victimToken, _ = g.add(access.Account{Name: "victim", Role: access.Viewer})
	if g.victim, err = g.accounts.Get(id); err != nil {
		t.Fatal(err)
	}
	hashes := &passwords{}
	hashes.Store(access.AdminLogin, "no password has this hash")
	guard, _, err := access.Open(t.Context(), access.Config{Passwords: hashes, Accounts: g.accounts})
	if err != nil {
		t.Fatal(err)
	}
	g.config = Config{
		Host: g.host, Store: g.store, Guard: guard, Accounts: g.accounts, Logger: g.log, History: aDay{},
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "up 1\n") }),
	}
	fake := g.Gateway.subscribe
	g.Gateway = New(g.config)
	g.Gateway.subscribe = fake
	g.answer()
	return g
}

// answer makes the host answer everything.
func (g *guarded) answer() {
	g.host.query = func(req *plugin.QueryRequest) (*plugin.QueryResponse, error) {
		return &plugin.QueryResponse{Responses: map[string]plugin.Response{"A": {Status: 200}}}, nil
	}
	g.host.health = func(*plugin.HealthRequest) (plugin.Health, error) { return plugin.Health{Status: plugin.HealthOK}, nil }
	g.host.resource = func(_ *plugin.ResourceRequest, send func(plugin.ResourceResponse) error) error {
		return send(plugin.ResourceResponse{Status: 200})
	}
	g.host.order = func(string, string) error { return nil }
	g.host.events = func(string, int64) ([]host.Event, <-chan struct{}, error) { return nil, nil, nil }
	g.host.logs = func(string, int64) ([]host.LogLine, <-chan struct{}, error) { return nil, nil, nil }
	g.host.metrics = func(string) ([]byte, error) { return nil, nil }
	g.host.publish = func(*plugin.StreamRequest) (plugin.StreamReply, error) { return plugin.StreamReply{}, nil }
	g.host.subscribe = func(*plugin.StreamRequest, renewal) (subscription, error) {
		p := &packets{next: make(chan []byte), end: io.EOF}
		close(p.next)
		return p, nil
	}
}

func (g *guarded) add(account access.Account) (int64, access.Token, string) {
	g.t.Helper()
	account, err := g.accounts.Create(g.t.Context(), account)
	if err != nil {
		g.t.Fatal(err)
	}
	token, text, err := g.accounts.AddToken(g.t.Context(), account.ID, "one", time.Time{})
	if err != nil {
		g.t.Fatal(err)
	}
	return account.ID, token, text
}

// ask makes a request with somebody's token, or nobody's. No token may be in an
// answer or in the log.
func (g *guarded) ask(who, method, target, body string) *httptest.ResponseRecorder {
	g.t.Helper()
	r, w := httptest.NewRequest(method, target, strings.NewReader(body)), httptest.NewRecorder()
	if who != "" {
		r.Header.Set("Authorization", "Bearer "+g.tokens[who])
	}
	g.ServeHTTP(w, r)
	for _, token := range g.tokens {
		if strings.Contains(w.Body.String(), token) || strings.Contains(g.logs.String(), token) {
			g.t.Errorf("%s %s shows a token: %s\n%s", method, target, w.Body, g.logs.String())
		}
	}
	return w
}
