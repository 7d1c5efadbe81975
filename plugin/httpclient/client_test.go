package httpclient

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plugboard/plugboard/plugin"
)

type none struct{}

// clientOf makes the client of a data source, and closes it with the test.
func clientOf(t *testing.T, s plugin.DataSourceSettings) *http.Client {
	t.Helper()
	client, err := New(plugin.Settings[none]{DataSourceSettings: s})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	return client
}

// get returns status and body, or the fault.
func get(t *testing.T, client *http.Client, url string) (int, string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(r)
	if err != nil {
		return 0, "", Fault(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// echo answers with the headers it got, as JSON.
func echo(w http.ResponseWriter, r *http.Request) {
	header := r.Header.Clone()
	header.Set("Host", r.Host)
	_ = json.NewEncoder(w).Encode(header)
}

func echoed(t *testing.T, client *http.Client, url string) http.Header {
	t.Helper()
	_, text, err := get(t, client, url)
	if err != nil {
		t.Fatal(err)
	}
	var header http.Header
	if err := json.Unmarshal([]byte(text), &header); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return header
}

func TestCredentialsOfTheSettings(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(echo))
	defer server.Close()
	for _, test := range []struct {
		name     string
		settings plugin.DataSourceSettings
		header   string
		want     string
	}{
		{"basic", plugin.DataSourceSettings{BasicAuth: true, BasicAuthUser: "ada", Secrets: plugin.Secrets{"basicAuthPassword": "pw"}}, "Authorization", "Basic YWRhOnB3"},
		{"basic in jsonData", plugin.DataSourceSettings{JSON: []byte(`{"basicAuth": true, "basicAuthUser": "ada"}`), Secrets: plugin.Secrets{"basicAuthPassword": "pw"}}, "Authorization", "Basic YWRhOnB3"},
		{"user and password", plugin.DataSourceSettings{User: "ada", Secrets: plugin.Secrets{"password": "pw"}}, "Authorization", "Basic YWRhOnB3"},
		{"bearer", plugin.DataSourceSettings{JSON: []byte(`{"httpHeaderName1": "Authorization"}`), Secrets: plugin.Secrets{"httpHeaderValue1": "Bearer b"}}, "Authorization", "Bearer b"},
		{"header", plugin.DataSourceSettings{JSON: []byte(`{"httpHeaderName1": "X-A", "httpHeaderName2": "x-b"}`), Secrets: plugin.Secrets{"httpHeaderValue2": "two"}}, "X-B", "two"},
		{"host", plugin.DataSourceSettings{JSON: []byte(`{"httpHeaderName1": "Host"}`), Secrets: plugin.Secrets{"httpHeaderValue1": "inside.example"}}, "Host", "inside.example"},
		{"none", plugin.DataSourceSettings{}, "Authorization", ""},
	} {
		if got := echoed(t, clientOf(t, test.settings), server.URL).Get(test.header); got != test.want {
			t.Errorf("%s: %s is %q, want %q", test.name, test.header, got, test.want)
		}
	}
}

func TestCredentialsStayHome(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(echo))
	defer elsewhere.Close()
	var home *httptest.Server
	home = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		case "/home":
			http.Redirect(w, r, home.URL+"/echo", http.StatusFound)
		default:
			echo(w, r)
		}
	}))
	defer home.Close()
	client := clientOf(t, plugin.DataSourceSettings{
		BasicAuth: true, BasicAuthUser: "ada",
		JSON:    []byte(`{"httpHeaderName1": "X-Key"}`),
		Secrets: plugin.Secrets{"basicAuthPassword": "pw", "httpHeaderValue1": "k"},
	})
	if away := echoed(t, client, home.URL+"/away"); away.Get("Authorization") != "" || away.Get("X-Key") != "" {
		t.Errorf("another host got %v", away)
	}
	if back := echoed(t, client, home.URL+"/home"); back.Get("Authorization") == "" || back.Get("X-Key") != "k" {
		t.Errorf("the same host got %v", back)
	}
}

// pair is a certificate that signed itself.
func pair(t *testing.T) (certPEM, keyPEM string, cert *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ada"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	rawKey, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err = x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: rawKey})), cert
}

func TestWrongSettings(t *testing.T) {
	for _, test := range []struct {
		json    string
		secrets plugin.Secrets
		want    string
	}{
		{`[]`, nil, "jsonData is not a JSON object"},
		{`{"timeout": "soon"}`, nil, "jsonData.timeout: want seconds"},
		{`{"timeout": -1}`, nil, "jsonData.timeout: want seconds"},
		{`{"timeout": 1e300}`, nil, "jsonData.timeout: want seconds"},
		{`{"timeout": {}}`, nil, "jsonData.timeout: want seconds"},
		{`{"httpMaxIdleConns": 1.5}`, nil, "jsonData.httpMaxIdleConns: want a whole number"},
		{`{"responseLimit": 0}`, nil, "jsonData.responseLimit: want a number of bytes"},
		{`{"basicAuth": "yes"}`, nil, "jsonData.basicAuth: want true or false"},
		{`{"basicAuthUser": 7}`, nil, "jsonData.basicAuthUser: want a string"},
		{`{"serverName": 7}`, nil, "jsonData.serverName: want a string"},
		{`{"keepCookies": "a"}`, nil, "jsonData.keepCookies: want a list"},
		{`{"httpHeaderName1": 7}`, plugin.Secrets{"httpHeaderValue1": "v"}, "jsonData.httpHeaderName1: want a string"},
		{`{"httpHeaderName1": "a b"}`, plugin.Secrets{"httpHeaderValue1": "v"}, `jsonData.httpHeaderName1: "a b" is not the name of a header`},
		{`{"httpHeaderName1": "A"}`, plugin.Secrets{"httpHeaderValue1": "s3cret\n"}, "secureJsonData.httpHeaderValue1: has a character"},
		{`{"tlsAuth": true}`, plugin.Secrets{"tlsClientCert": "s3cret", "tlsClientKey": "s3cret"}, "secureJsonData.tlsClientCert: with"},
		{`{"tlsAuthWithCACert": true}`, plugin.Secrets{"tlsCACert": "s3cret"}, "secureJsonData.tlsCACert: has no certificate"},
		{`{"sigV4Auth": true}`, nil, "jsonData.sigV4Auth: is not supported"},
		{`{"enableSecureSocksProxy": "yes"}`, nil, "jsonData.enableSecureSocksProxy: want true or false"},
		{`{"timeout": [], "serverName": 1}`, nil, "jsonData.serverName"},
	} {
		_, err := New(plugin.Settings[none]{DataSourceSettings: plugin.DataSourceSettings{JSON: []byte(test.json), Secrets: test.secrets}})
		failure, ok := errors.AsType[*plugin.Error](err)
		if !ok || failure.Status != 400 || failure.Source != plugin.SourceDownstream {
			t.Errorf("%s: %#v", test.json, err)
			continue
		}
		if !strings.Contains(failure.Message, test.want) || strings.Contains(failure.Message, "s3cret") {
			t.Errorf("%s: %q, want %q", test.json, failure.Message, test.want)
		}
	}
	for _, fine := range []string{``, `null`, `{}`, `{"timeout": "60", "dialTimeout": null, "httpMaxIdleConns": 0, "responseLimit": -1}`, `{"timeout": ""}`} {
		if _, err := New(plugin.Settings[none]{DataSourceSettings: plugin.DataSourceSettings{JSON: []byte(fine)}}); err != nil {
			t.Errorf("%s: %v", fine, err)
		}
	}
}

func TestRetries(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); r.Method == http.MethodPost && string(body) != "q=1" {
			t.Errorf("body %q", body)
		}
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	client := clientOf(t, plugin.DataSourceSettings{})
	for _, test := range []struct {
		method     string
		idempotent bool
		attempts   int32
		status     int
	}{
		{http.MethodGet, false, 3, 200},
		{http.MethodPost, false, 1, 503},
		{http.MethodPost, true, 3, 200},
	} {
		asked.Store(0)
		r, err := http.NewRequestWithContext(t.Context(), test.method, server.URL, strings.NewReader("q=1"))
		if err != nil {
			t.Fatal(err)
		}
		if test.idempotent {
			r.Header["Idempotency-Key"] = nil
		}
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if asked.Load() != test.attempts || response.StatusCode != test.status {
			t.Errorf("%s, idempotent %v: %d after %d attempts", test.method, test.idempotent, response.StatusCode, asked.Load())
		}
	}
	asked.Store(-100)
	if status, _, err := get(t, client, server.URL); status != 503 || err != nil || asked.Load() != -97 {
		t.Errorf("a server that stays down: %d, %v after %d attempts", status, err, asked.Load()+100)
	}
}

func TestResponseLimit(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 100))
	}))
	defer server.Close()
	if _, text, err := get(t, clientOf(t, plugin.DataSourceSettings{JSON: []byte(`{"responseLimit": 100}`)}), server.URL); err != nil || len(text) != 100 {
		t.Errorf("at the limit: %d bytes, %v", len(text), err)
	}
	_, text, err := get(t, clientOf(t, plugin.DataSourceSettings{JSON: []byte(`{"responseLimit": 99}`)}), server.URL+"?k=secret")
	if len(text) != 99 || !errors.Is(err, ErrTooLong) {
		t.Errorf("above the limit: %d bytes, %v", len(text), err)
	}
	failure, ok := errors.AsType[*plugin.Error](err)
	if !ok || failure.Source != plugin.SourceDownstream || !strings.Contains(failure.Message, "longer than 99 bytes") || strings.Contains(failure.Message, "secret") {
		t.Errorf("%#v", err)
	}
}

func TestFaults(t *testing.T) {
	hold := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			select {
			case <-hold:
			case <-r.Context().Done():
			}
		case "/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "short")
		}
	}))
	defer server.Close()
	defer close(hold)
	client := clientOf(t, plugin.DataSourceSettings{JSON: []byte(`{"timeout": 0.05}`)})

	_, _, err := get(t, client, server.URL+"/slow?key=secret")
	failure, ok := errors.AsType[*plugin.Error](err)
	if !ok || failure.Status != 504 || failure.Source != plugin.SourceDownstream || strings.Contains(err.Error(), "secret") {
		t.Errorf("slow: %#v", err)
	}
	_, _, err = get(t, client, server.URL+"/cut?key=secret")
	failure, ok = errors.AsType[*plugin.Error](err)
	if !ok || failure.Status != 502 || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "read the response: unexpected EOF") {
		t.Errorf("cut: %#v", err)
	}
	_, _, err = get(t, client, "http://user:secret@127.0.0.1:1/x")
	failure, ok = errors.AsType[*plugin.Error](err)
	if !ok || failure.Status != 502 || strings.Contains(err.Error(), "secret") || !strings.HasPrefix(err.Error(), "GET http://127.0.0.1:1/x: ") {
		t.Errorf("unreachable: %#v", err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	if _, err := client.Do(r); !errors.Is(Fault(err), context.Canceled) {
		t.Errorf("given up: %v", Fault(err))
	}
	if Fault(nil) != nil {
		t.Error("nil is a fault")
	}
}

func TestRefusals(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "http://u:secret@api.test/v1?key=secret", nil)
	for _, test := range []struct {
		code, status int
		source       plugin.ErrorSource
	}{
		{200, 0, ""}, {204, 0, ""},
		{304, 502, plugin.SourceDownstream},
		{400, 400, plugin.SourceDownstream},
		{401, 502, plugin.SourceDownstream},
		{403, 502, plugin.SourceDownstream},
		{404, 404, plugin.SourceDownstream},
		{405, 405, plugin.SourcePlugin},
		{414, 414, plugin.SourcePlugin},
		{429, 429, plugin.SourceDownstream},
		{500, 500, plugin.SourceDownstream},
		{501, 501, plugin.SourcePlugin},
		{503, 503, plugin.SourceDownstream},
	} {
		err := Refusal(&http.Response{StatusCode: test.code, Request: r})
		if test.status == 0 {
			if err != nil {
				t.Errorf("%d: %v", test.code, err)
			}
			continue
		}
		failure, ok := errors.AsType[*plugin.Error](err)
		if !ok || failure.Status != test.status || failure.Source != test.source || !strings.HasPrefix(failure.Message, "GET http://api.test/v1: ") {
			t.Errorf("%d: %#v", test.code, err)
		}
	}
}

// FuzzSettings checks that no settings panic, and that no secret is in what is
// said of them.
func FuzzSettings(f *testing.F) {
	f.Add(`{"timeout": 1, "httpHeaderName1": "A", "tlsAuth": true, "tlsAuthWithCACert": true}`)
	f.Add(`{"keepCookies": [null], "basicAuth": 1}`)
	f.Fuzz(func(t *testing.T, jsonData string) {
		secrets := plugin.Secrets{"httpHeaderValue1": "s3cret\n", "tlsClientCert": "s3cret", "tlsClientKey": "s3cret", "tlsCACert": "s3cret"}
		_, err := New(plugin.Settings[none]{DataSourceSettings: plugin.DataSourceSettings{JSON: []byte(jsonData), Secrets: secrets}})
		if err != nil && strings.Contains(err.Error(), "s3cret") && !strings.Contains(jsonData, "s3cret") {
			t.Errorf("%s: %v", jsonData, err)
		}
	})
}
