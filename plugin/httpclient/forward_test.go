package httpclient_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/httpclient"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

type settings struct {
	URL string `json:"url"`
}

// api is a data source that asks its URL and answers with the body.
type api struct {
	url    string
	client *http.Client
}

func open(_ context.Context, s plugin.Settings[settings]) (*api, error) {
	client, err := httpclient.New(s)
	if err != nil {
		return nil, err
	}
	return &api{s.Values.URL, client}, nil
}

func (a *api) ask(ctx context.Context) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url, nil)
	if err != nil {
		return "", plugin.BadRequest("settings: url: %w", err)
	}
	response, err := a.client.Do(r)
	if err != nil {
		return "", httpclient.Fault(err)
	}
	defer response.Body.Close()
	if err := httpclient.Refusal(response); err != nil {
		return "", err
	}
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

func (a *api) Query(ctx context.Context, _ plugin.Query[struct{}]) (frame.Frames, error) {
	text, err := a.ask(ctx)
	if err != nil {
		return nil, err
	}
	return frame.Frames{frame.New("", frame.NewField("body", nil, []string{text}))}, nil
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, err := a.ask(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	_, _ = io.WriteString(w, text)
}

func (a *api) Close() error {
	a.client.CloseIdleConnections()
	return nil
}

func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _, _ := r.BasicAuth()
		fmt.Fprint(w, "hello "+user)
	}))
	defer server.Close()

	source, err := open(context.Background(), plugin.Settings[settings]{
		Values: settings{URL: server.URL},
		DataSourceSettings: plugin.DataSourceSettings{
			BasicAuth: true, BasicAuthUser: "ada", Secrets: plugin.Secrets{"basicAuthPassword": "pw"},
		},
	})
	if err != nil {
		panic(err)
	}
	defer source.Close()
	fmt.Println(source.ask(context.Background()))
	// Output: hello ada <nil>
}

// TestForwarding asks through a plugin, by a query and as a resource.
func TestForwarding(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(r.Header)
	}))
	defer server.Close()
	client := plugintest.Start(t, plugin.DataSource(open))
	sent := http.Header{
		"Authorization": {"Bearer person"}, "X-Id-Token": {"id"}, "Cookie": {"kept=1; other=2"},
		"X-Grafana-User": {"ada"}, "X-Panel-Id": {"7"}, "X-Forwarded-For": {"1.2.3.4"}, "X-Team-May-See": {"everything"}, "Content-Type": {"text/x"}, "Accept-Encoding": {"br"},
	}
	for _, test := range []struct {
		name, json string
		settings   plugin.DataSourceSettings
		want       map[string]string // beside those always passed on
	}{
		{"nothing", `{}`, plugin.DataSourceSettings{}, nil},
		{"token", `{"oauthPassThru": true}`, plugin.DataSourceSettings{}, map[string]string{"Authorization": "Bearer person", "X-Id-Token": "id"}},
		{"cookies", `{"keepCookies": ["kept"]}`, plugin.DataSourceSettings{}, map[string]string{"Cookie": "kept=1"}},
		{"basic before token", `{"oauthPassThru": true}`, plugin.DataSourceSettings{BasicAuth: true, BasicAuthUser: "ada", Secrets: plugin.Secrets{"basicAuthPassword": "pw"}},
			map[string]string{"Authorization": "Basic YWRhOnB3", "X-Id-Token": "id"}},
	} {
		want := map[string]string{"X-Grafana-User": "ada", "X-Panel-Id": "7", "User-Agent": "Grafana/12.0.0 (linux; amd64) api/1.0.0", "Accept-Encoding": "gzip"}
		maps.Copy(want, test.want)
		s := test.settings
		s.UID, s.URL, s.JSON = test.name, server.URL, []byte(test.json)
		source := plugin.Context{PluginID: "api", PluginVersion: "1.0.0", UserAgent: "Grafana/12.0.0 (linux; amd64)", DataSource: &s}

		var body []byte
		err := client.CallResource(t.Context(), &plugin.ResourceRequest{Context: source, Method: "GET", Path: "x", URL: "x", Header: sent},
			func(r plugin.ResourceResponse) error { body = append(body, r.Body...); return nil })
		if err != nil {
			t.Fatal(err)
		}
		compare(t, test.name+", resource", body, want)

		headers := map[string]string{"Authorization": "Bearer person", "X-Id-Token": "id", "Cookie": "kept=1; other=2", "FromAlert": "true"}
		plugin.SetHeader(headers, "X-Grafana-User", "ada")
		plugin.SetHeader(headers, "X-Panel-Id", "7")
		plugin.SetHeader(headers, "X-Team-May-See", "label=1")
		want["Fromalert"], want["X-Team-May-See"] = "true", "label=1"
		response, err := client.Query(t.Context(), &plugin.QueryRequest{Context: source, Headers: headers, Queries: []plugin.DataQuery{{RefID: "A"}}})
		if err != nil {
			t.Fatal(err)
		}
		frames, err := response.Responses["A"].Decode()
		if err != nil || len(frames) != 1 {
			t.Fatal(response.Responses["A"].Error, err)
		}
		compare(t, test.name+", query", []byte(frames[0].Fields[0].At(0).(string)), want)
	}
}

func compare(t *testing.T, what string, body []byte, want map[string]string) {
	t.Helper()
	var got http.Header
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatalf("%s: %v: %s", what, err, body)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got.Get(name) != want[name] {
			t.Errorf("%s: %s is %q, want %q", what, name, got.Get(name), want[name])
		}
		got.Del(name)
	}
	if len(got) > 0 {
		t.Errorf("%s: also got %v", what, got)
	}
}
