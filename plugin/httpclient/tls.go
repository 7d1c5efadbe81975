package httpclient

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/plugboard/plugboard/plugin"
)

// tls reads how to trust the server and what to show it. Nothing of the
// secrets is in an error.
func (r *reader) tls(secrets plugin.Secrets) *tls.Config {
	config := &tls.Config{InsecureSkipVerify: r.bool("tlsSkipVerify")}
	showCert, ownCA := r.bool("tlsAuth"), r.bool("tlsAuthWithCACert")
	serverName := r.string("serverName")
	if showCert || ownCA {
		config.ServerName = serverName
	}
	if showCert {
		config.Certificates = r.certificate(secrets)
	}
	if ownCA {
		config.RootCAs = r.authority(secrets)
	}
	return config
}

func (r *reader) certificate(secrets plugin.Secrets) []tls.Certificate {
	cert, key := secrets["tlsClientCert"], secrets["tlsClientKey"]
	if cert == "" {
		r.secretFault("tlsClientCert", "is missing, though jsonData.tlsAuth is true")
	}
	if key == "" {
		r.secretFault("tlsClientKey", "is missing, though jsonData.tlsAuth is true")
	}
	if cert == "" || key == "" {
		return nil
	}
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		r.secretFault("tlsClientCert", "with secureJsonData.tlsClientKey it is not a certificate with its key in PEM")
		return nil
	}
	return []tls.Certificate{pair}
}

func (r *reader) authority(secrets plugin.Secrets) *x509.CertPool {
	pem := secrets["tlsCACert"]
	if pem == "" {
		r.secretFault("tlsCACert", "is missing, though jsonData.tlsAuthWithCACert is true")
		return nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(pem)) {
		r.secretFault("tlsCACert", "has no certificate in PEM")
		return nil
	}
	return pool
}
