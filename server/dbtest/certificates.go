package dbtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"time"
)

// certificates are a CA and what it signed, as PEM.
type certificates struct {
	ca                    string
	serverCert, serverKey string // for localhost
	clientCert, clientKey string // for a user
}

func newCertificates(user string) (*certificates, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	authority := template(1, "Plugboard's tests")
	authority.IsCA, authority.BasicConstraintsValid = true, true
	authority.KeyUsage = x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, authority, authority, key.Public(), key)
	if err != nil {
		return nil, err
	}
	c := &certificates{ca: encode("CERTIFICATE", der)}
	server := template(2, "localhost")
	server.DNSNames = []string{"localhost"}
	if c.serverCert, c.serverKey, err = sign(server, authority, key); err != nil {
		return nil, err
	}
	c.clientCert, c.clientKey, err = sign(template(3, user), authority, key)
	return c, err
}

func template(number int64, name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(number), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
}

func sign(of, authority *x509.Certificate, by *ecdsa.PrivateKey) (cert, key string, err error) {
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	der, err := x509.CreateCertificate(rand.Reader, of, authority, own.Public(), by)
	if err != nil {
		return "", "", err
	}
	private, err := x509.MarshalPKCS8PrivateKey(own)
	return encode("CERTIFICATE", der), encode("PRIVATE KEY", private), err
}

func encode(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
