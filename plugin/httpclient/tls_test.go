package httpclient

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/plugboard/plugboard/plugin"
)

func TestTLS(t *testing.T) {
	certPEM, keyPEM, cert := pair(t)
	clients := x509.NewCertPool()
	clients.AddCert(cert)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := "nobody"
		if len(r.TLS.PeerCertificates) > 0 {
			who = r.TLS.PeerCertificates[0].Subject.CommonName
		}
		_, _ = io.WriteString(w, r.Proto+" "+who)
	}))
	server.TLS = &tls.Config{ClientCAs: clients, ClientAuth: tls.VerifyClientCertIfGiven}
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	caPEM := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))

	for _, test := range []struct {
		name, json string
		secrets    plugin.Secrets
		want, err  string
	}{
		{"not trusted", `{}`, nil, "", "certificate signed by unknown authority"},
		{"skip verify", `{"tlsSkipVerify": true}`, nil, "HTTP/2.0 nobody", ""},
		{"own CA", `{"tlsAuthWithCACert": true}`, plugin.Secrets{"tlsCACert": caPEM}, "HTTP/2.0 nobody", ""},
		{"server name", `{"tlsAuthWithCACert": true, "serverName": "example.com"}`, plugin.Secrets{"tlsCACert": caPEM}, "HTTP/2.0 nobody", ""},
		{"wrong server name", `{"tlsAuthWithCACert": true, "serverName": "other.test"}`, plugin.Secrets{"tlsCACert": caPEM}, "", "not other.test"},
		{"other CA", `{"tlsAuthWithCACert": true}`, plugin.Secrets{"tlsCACert": certPEM}, "", "certificate signed by unknown authority"},
		{"client cert", `{"tlsAuthWithCACert": true, "tlsAuth": true}`,
			plugin.Secrets{"tlsCACert": caPEM, "tlsClientCert": certPEM, "tlsClientKey": keyPEM}, "HTTP/2.0 ada", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := clientOf(t, plugin.DataSourceSettings{JSON: []byte(test.json), Secrets: test.secrets})
			_, text, err := get(t, client, server.URL+"/x?key=secret")
			if test.err == "" {
				if err != nil || text != test.want {
					t.Errorf("got %q, %v; want %q", text, err, test.want)
				}
				return
			}
			failure, ok := errors.AsType[*plugin.Error](err)
			if !ok || failure.Source != plugin.SourceDownstream || failure.Status != 502 {
				t.Fatalf("got %q, %#v", text, err)
			}
			if !strings.Contains(failure.Message, test.err) || strings.Contains(failure.Message, "secret") ||
				!strings.HasPrefix(failure.Message, "GET "+server.URL+"/x: ") {
				t.Errorf("message %q", failure.Message)
			}
		})
	}
}

// TestMissingCertificates checks that a data source without them works, as it
// does with the official client, and that the log says what it does without.
func TestMissingCertificates(t *testing.T) {
	var log bytes.Buffer
	for _, secrets := range []plugin.Secrets{nil, {"tlsClientCert": "s3cret"}, {"tlsClientKey": "s3cret"}} {
		log.Reset()
		_, err := New(plugin.Settings[none]{
			DataSourceSettings: plugin.DataSourceSettings{JSON: []byte(`{"tlsAuth": true, "tlsAuthWithCACert": true}`), Secrets: secrets},
			Logger:             slog.New(slog.NewTextHandler(&log, nil)),
		})
		if text := log.String(); err != nil || !strings.Contains(text, "no certificate") || !strings.Contains(text, "no tlsCACert") || strings.Contains(text, "s3cret") {
			t.Errorf("%v; log: %s", err, text)
		}
	}
}
