package httpclient_test

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plugboard/plugboard/internal/sockstest"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

// TestSecureSocks asks through the proxy that the host tells of.
func TestSecureSocks(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "there") }))
	defer server.Close()
	target := strings.TrimPrefix(server.URL, "http://")
	proxy := sockstest.Start(t)
	client := plugintest.Start(t, plugin.DataSource(open))
	secrets := plugin.Secrets{"secureSocksProxyPassword": "xyzzy-do-not-tell"}
	const prefix = "GF_SECURE_SOCKS_DATASOURCE_PROXY_"
	files := maps.Clone(proxy.Config())
	for name, text := range map[string]string{"ROOT_CA_CERT": proxy.Cert, "CLIENT_CERT": proxy.Cert, "CLIENT_KEY": proxy.Key} {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		delete(files, prefix+name+"_VAL")
		delete(files, prefix+name+"_VALS")
		files[prefix+name] = file
	}
	for name, test := range map[string]struct {
		json   string
		config map[string]string
		seen   []string
		fault  string
	}{
		"not wanted":           {`{}`, proxy.Config(), nil, ""},
		"the host has none":    {`{"enableSecureSocksProxy":true}`, nil, nil, ""},
		"by uid":               {`{"enableSecureSocksProxy":true}`, proxy.Config(), []string{"by uid:xyzzy-do-not-tell -> " + target}, ""},
		"by name":              {`{"enableSecureSocksProxy":true,"secureSocksProxyUsername":"ada"}`, proxy.Config(), []string{"ada:xyzzy-do-not-tell -> " + target}, ""},
		"files":                {`{"enableSecureSocksProxy":true}`, files, []string{"files:xyzzy-do-not-tell -> " + target}, ""},
		"no certificate":       {`{"enableSecureSocksProxy":true}`, with(proxy.Config(), prefix+"CLIENT_CERT_VAL", "x"), nil, "the host's client certificate and key are not a pair"},
		"no root":              {`{"enableSecureSocksProxy":true}`, with(proxy.Config(), prefix+"ROOT_CA_CERT_VALS", ""), nil, "the host names no root certificate"},
		"another name":         {`{"enableSecureSocksProxy":true}`, with(proxy.Config(), prefix+"SERVER_NAME", "other.test"), nil, "not other.test"},
		"nobody at the target": {`{"enableSecureSocksProxy":true,"url":"http://127.0.0.1:1"}`, proxy.Config(), []string{"nobody at the target:xyzzy-do-not-tell -> 127.0.0.1:1"}, "connection refused"},
	} {
		proxy.Seen()
		c := plugin.Context{PluginID: "api", GrafanaConfig: test.config, DataSource: &plugin.DataSourceSettings{
			UID: name, URL: server.URL, JSON: []byte(test.json), Secrets: secrets,
		}}
		response, err := client.Query(t.Context(), &plugin.QueryRequest{Context: c, Queries: []plugin.DataQuery{{RefID: "A"}}})
		if err != nil {
			t.Fatal(err)
		}
		answer := response.Responses["A"]
		if (test.fault == "") != (answer.Error == "") || !strings.Contains(answer.Error, test.fault) || strings.Contains(answer.Error, "xyzzy") {
			t.Errorf("%s: %q, want %q", name, answer.Error, test.fault)
		}
		if answer.Error != "" && answer.ErrorSource != plugin.SourceDownstream {
			t.Errorf("%s: the fault is said to be of the %s", name, answer.ErrorSource)
		}
		seen := slices.DeleteFunc(proxy.Seen(), func(s string) bool { return strings.HasPrefix(s, "fault: ") })
		if seen = slices.Compact(seen); len(seen) != len(test.seen) || len(seen) > 0 && seen[0] != test.seen[0] {
			t.Errorf("%s: the proxy saw %q, want %q", name, seen, test.seen)
		}
	}
}

func with(config map[string]string, key, value string) map[string]string {
	config[key] = value
	return config
}
