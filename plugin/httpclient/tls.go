package httpclient

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/plugboard/plugboard/plugin"
)

// tls reads how to trust the server and what to show it. Nothing of the
// secrets is in an error. As with the official client, either of tlsAuth and
// tlsAuthWithCACert makes use of all secrets that there are, and one that is
// missing is done without: data sources in the field rely on both.
func (r *reader) tls(secrets plugin.Secrets) *tls.Config {
	config := &tls.Config{InsecureSkipVerify: r.bool("tlsSkipVerify")}
	showCert, ownCA := r.bool("tlsAuth"), r.bool("tlsAuthWithCACert")
	serverName := r.string("serverName")
	if !showCert && !ownCA {
		return config
	}
	config.ServerName = serverName
	config.Certificates = r.certificate(secrets, showCert)
	config.RootCAs = r.authority(secrets, ownCA)
	return config
}

func (r *reader) certificate(secrets plugin.Secrets, wanted bool) []tls.Certificate {
	cert, key := secrets["tlsClientCert"], secrets["tlsClientKey"]
	if cert == "" || key == "" {
		if wanted {
			r.warn("jsonData.tlsAuth is true, but secureJsonData has no tlsClientCert with its tlsClientKey: the server is shown no certificate")
		}
		return nil
	}
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		r.secretFault("tlsClientCert", "with secureJsonData.tlsClientKey it is not a certificate with its key in PEM")
		return nil
	}
	return []tls.Certificate{pair}
}

func (r *reader) authority(secrets plugin.Secrets, wanted bool) *x509.CertPool {
	pem := secrets["tlsCACert"]
	if pem == "" {
		if wanted {
			r.warn("jsonData.tlsAuthWithCACert is true, but secureJsonData has no tlsCACert: the system's authorities are trusted")
		}
		return nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(pem)) {
		r.secretFault("tlsCACert", "has no certificate in PEM")
		return nil
	}
	return pool
}
