package ours

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/grafana/grafana-plugin-sdk-go/backend"
	theirs "github.com/grafana/grafana-plugin-sdk-go/backend/httpclient"

	"github.com/plugboard/plugboard/conformance/official"
	"github.com/plugboard/plugboard/plugin"
	ours "github.com/plugboard/plugboard/plugin/httpclient"
)

// request is what a server saw of one.
type request struct {
	Host, Shown, Proto string
	Header             http.Header
}

func tell(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/slow" {
		<-r.Context().Done()
		return
	}
	if strings.HasPrefix(r.UserAgent(), "Go-http-client/") { // which says whether HTTP/2 is spoken
		r.Header.Del("User-Agent")
	}
	seen := request{Host: r.Host, Header: r.Header, Proto: r.Proto}
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		seen.Shown = r.TLS.PeerCertificates[0].Subject.CommonName
	}
	_ = json.NewEncoder(w).Encode(seen)
}

// ask returns what the server saw, or false if there was no answer.
func ask(t *testing.T, client *http.Client, url string) (request, bool) {
	t.Helper()
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(r)
	if err != nil {
		return request{}, false
	}
	defer response.Body.Close()
	var seen request
	if err := json.NewDecoder(response.Body).Decode(&seen); err != nil {
		t.Fatal(err)
	}
	return seen, true
}

// TestSettingsOfTheHTTPClient gives the same settings to the official client
// and to ours, and compares what a server sees of them.
func TestSettingsOfTheHTTPClient(t *testing.T) {
	cert, key, parsed := certificate(t)
	clients := x509.NewCertPool()
	clients.AddCert(parsed)
	secure := httptest.NewUnstartedServer(http.HandlerFunc(tell))
	secure.TLS = &tls.Config{ClientCAs: clients, ClientAuth: tls.VerifyClientCertIfGiven}
	secure.EnableHTTP2 = true
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}))
	plain := httptest.NewServer(http.HandlerFunc(tell))
	defer plain.Close()

	type settings = backend.DataSourceInstanceSettings
	type secrets = map[string]string
	for name, test := range map[string]struct {
		url string
		settings
	}{
		"nothing":             {plain.URL, settings{}},
		"basic":               {plain.URL, settings{BasicAuthEnabled: true, BasicAuthUser: "ada", DecryptedSecureJSONData: secrets{"basicAuthPassword": "pw"}}},
		"basic, no password":  {plain.URL, settings{BasicAuthEnabled: true, BasicAuthUser: "ada"}},
		"basic in jsonData":   {plain.URL, settings{JSONData: []byte(`{"basicAuth":true,"basicAuthUser":"ada"}`), DecryptedSecureJSONData: secrets{"basicAuthPassword": "pw"}}},
		"basic off":           {plain.URL, settings{JSONData: []byte(`{"basicAuth":false,"basicAuthUser":"ada"}`), DecryptedSecureJSONData: secrets{"basicAuthPassword": "pw"}}},
		"user":                {plain.URL, settings{User: "ada", DecryptedSecureJSONData: secrets{"password": "pw"}}},
		"user and basic":      {plain.URL, settings{User: "eve", BasicAuthEnabled: true, BasicAuthUser: "ada", DecryptedSecureJSONData: secrets{"password": "no", "basicAuthPassword": "pw"}}},
		"bearer":              {plain.URL, settings{JSONData: []byte(`{"httpHeaderName1":"Authorization"}`), DecryptedSecureJSONData: secrets{"httpHeaderValue1": "Bearer b"}}},
		"bearer before basic": {plain.URL, settings{BasicAuthEnabled: true, BasicAuthUser: "ada", JSONData: []byte(`{"httpHeaderName1":"authorization"}`), DecryptedSecureJSONData: secrets{"httpHeaderValue1": "Bearer b"}}},
		"headers": {plain.URL, settings{JSONData: []byte(`{"httpHeaderName1":"X-One","httpHeaderName2":"x-two","httpHeaderName3":"X-One","httpHeaderName4":"Host","httpHeaderName5":"X-Unset"}`),
			DecryptedSecureJSONData: secrets{"httpHeaderValue1": "1", "httpHeaderValue2": "2", "httpHeaderValue3": "3", "httpHeaderValue4": "inside.example"}}},
		"user agent":           {plain.URL, settings{JSONData: []byte(`{"httpHeaderName1":"User-Agent"}`), DecryptedSecureJSONData: secrets{"httpHeaderValue1": "me/1"}}},
		"numbers":              {plain.URL, settings{JSONData: []byte(`{"timeout":5,"dialTimeout":5,"httpKeepAlive":5,"httpTLSHandshakeTimeout":5,"httpExpectContinueTimeout":5,"httpMaxConnsPerHost":5,"httpMaxIdleConns":5,"httpMaxIdleConnsPerHost":5,"httpIdleConnTimeout":5}`)}},
		"too slow":             {plain.URL + "/slow", settings{JSONData: []byte(`{"timeout":1}`)}},
		"not trusted":          {secure.URL, settings{}},
		"skip verify":          {secure.URL, settings{JSONData: []byte(`{"tlsSkipVerify":true}`)}},
		"own CA":               {secure.URL, settings{JSONData: []byte(`{"tlsAuthWithCACert":true}`), DecryptedSecureJSONData: secrets{"tlsCACert": ca}}},
		"own CA, but off":      {secure.URL, settings{DecryptedSecureJSONData: secrets{"tlsCACert": ca}}},
		"own CA by tlsAuth":    {secure.URL, settings{JSONData: []byte(`{"tlsAuth":true}`), DecryptedSecureJSONData: secrets{"tlsCACert": ca}}},
		"own CA, but none":     {secure.URL, settings{JSONData: []byte(`{"tlsAuthWithCACert":true,"tlsSkipVerify":true}`)}},
		"server name":          {secure.URL, settings{JSONData: []byte(`{"tlsAuthWithCACert":true,"serverName":"example.com"}`), DecryptedSecureJSONData: secrets{"tlsCACert": ca}}},
		"other server name":    {secure.URL, settings{JSONData: []byte(`{"tlsAuthWithCACert":true,"serverName":"other.test"}`), DecryptedSecureJSONData: secrets{"tlsCACert": ca}}},
		"client cert":          {secure.URL, settings{JSONData: []byte(`{"tlsAuth":true,"tlsSkipVerify":true}`), DecryptedSecureJSONData: secrets{"tlsClientCert": cert, "tlsClientKey": key}}},
		"client cert by CA":    {secure.URL, settings{JSONData: []byte(`{"tlsAuthWithCACert":true}`), DecryptedSecureJSONData: secrets{"tlsCACert": ca, "tlsClientCert": cert, "tlsClientKey": key}}},
		"client cert, no key":  {secure.URL, settings{JSONData: []byte(`{"tlsAuth":true,"tlsSkipVerify":true}`), DecryptedSecureJSONData: secrets{"tlsClientCert": cert}}},
		"client cert, but off": {secure.URL, settings{JSONData: []byte(`{"tlsSkipVerify":true}`), DecryptedSecureJSONData: secrets{"tlsClientCert": cert, "tlsClientKey": key}}},
		"no cert":              {secure.URL, settings{JSONData: []byte(`{"tlsAuth":true,"tlsSkipVerify":true}`)}},
	} {
		t.Run(name, func(t *testing.T) {
			if test.JSONData == nil {
				test.JSONData = []byte(`{}`)
			}
			want, answered := ask(t, theirClient(t, test.settings), test.url)
			got, ok := ask(t, ourClient(t, test.settings), test.url)
			if ok != answered {
				t.Fatalf("theirs is answered: %v, ours: %v", answered, ok)
			}
			if test.url == secure.URL && ok && got.Proto != "HTTP/2.0" {
				t.Errorf("ours speaks %s", got.Proto)
			}
			got.Proto, want.Proto = "", ""
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("theirs, ours:\n%s", diff)
			}
		})
	}
}

// TestForwardedHeaders asks a plugin of each kind, started by the official
// client side, and compares what the web API behind it sees.
func TestForwardedHeaders(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(tell))
	defer api.Close()
	theirs, ours := startTheirs(t), startEverything(t)
	for name, test := range map[string]struct {
		basic   bool
		headers map[string]string
	}{
		"none":                {false, nil},
		"of the host":         {false, map[string]string{"http_X-Panel-Id": "7", "http_X-Rule-Name": "r", "http_X-Team-May-See": "label=1", "http_X-Grafana-User": "ada"}},
		"token":               {false, map[string]string{"Authorization": "Bearer t", "X-ID-Token": "id"}},
		"prefixed token":      {false, map[string]string{"http_Authorization": "Bearer t", "http_X-Id-Token": "id"}},
		"cookie":              {false, map[string]string{"Cookie": "kept=1; too=2"}},
		"alert":               {false, map[string]string{"FromAlert": "true"}},
		"basic before token":  {true, map[string]string{"Authorization": "Bearer t"}},
		"settings before all": {false, map[string]string{"http_X-Set": "no"}},
	} {
		c := seattle()
		c.PluginVersion = "1.2.3"
		c.DataSourceInstanceSettings.UID = name
		c.DataSourceInstanceSettings.URL = api.URL
		c.DataSourceInstanceSettings.BasicAuthEnabled = test.basic
		c.DataSourceInstanceSettings.BasicAuthUser = "ada"
		c.DataSourceInstanceSettings.JSONData = []byte(`{"oauthPassThru":true,"keepCookies":["kept","too"],"httpHeaderName1":"X-Set"}`)
		c.DataSourceInstanceSettings.DecryptedSecureJSONData = map[string]string{"httpHeaderValue1": "yes", "basicAuthPassword": "pw"}
		var seen [2]request
		for i, h := range []*official.Client{theirs, ours} {
			answer := queryData(t, h, &backend.QueryDataRequest{PluginContext: c, Headers: test.headers, Queries: []backend.DataQuery{
				query("A", `{"do":"fetch","mode":"fetch"}`),
			}})["A"]
			if answer.Error != nil {
				t.Fatal(answer.Error)
			}
			if err := json.Unmarshal([]byte(column(answer.Frames[0])), &seen[i]); err != nil {
				t.Fatal(err)
			}
			seen[i].Header.Del("User-Agent")  // theirs has none where the binary was not built by its tool
			seen[i].Header.Del("Traceparent") // theirs has none where nothing is traced
		}
		if diff := cmp.Diff(seen[0], seen[1]); diff != "" {
			t.Errorf("%s: theirs, ours:\n%s", name, diff)
		}
	}
}

// startTheirs builds and starts the plugin on the official SDK that can fetch.
func startTheirs(t *testing.T) *official.Client {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "gpx_theirs")
	if output, err := exec.Command("go", "build", "-o", binary, "../plugins/everything").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return start(t, exec.Command(binary))
}

func theirClient(t *testing.T, s backend.DataSourceInstanceSettings) *http.Client {
	t.Helper()
	options, err := s.HTTPClientOptions(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	client, err := theirs.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func ourClient(t *testing.T, s backend.DataSourceInstanceSettings) *http.Client {
	t.Helper()
	client, err := ours.New(plugin.Settings[struct{}]{DataSourceSettings: plugin.DataSourceSettings{
		UID: s.UID, User: s.User, BasicAuth: s.BasicAuthEnabled, BasicAuthUser: s.BasicAuthUser, JSON: s.JSONData, Secrets: s.DecryptedSecureJSONData,
	}})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// certificate is one of a client that signed itself.
func certificate(t *testing.T) (cert, key string, parsed *x509.Certificate) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ada"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err = x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})), parsed
}
