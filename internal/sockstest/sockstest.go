// Package sockstest is a SOCKS5 proxy behind TLS, as Grafana's private data
// source connect has it, for tests.
package sockstest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Name is what the proxy's certificate is for.
const Name = "proxy.test"

// Proxy connects whoever shows its certificate and a name with a password.
type Proxy struct {
	Address string
	// Cert and Key are the client's and the proxy's, and their own authority.
	Cert, Key string

	mu   sync.Mutex
	seen []string
}

// Start runs a Proxy until the test ends.
func Start(t testing.TB) *Proxy {
	t.Helper()
	p := &Proxy{}
	certificate, pool := p.certificate(t)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{certificate}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13,
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Address = listener.Addr().String()
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				if err := p.serve(conn); err != nil {
					p.note("fault: " + err.Error())
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
	return p
}

// Config is what a host tells plugins of the proxy, by the keys of the
// official SDK.
func (p *Proxy) Config() map[string]string {
	const prefix = "GF_SECURE_SOCKS_DATASOURCE_PROXY_"
	return map[string]string{
		prefix + "SERVER_ENABLED": "true", prefix + "PROXY_ADDRESS": p.Address, prefix + "SERVER_NAME": Name, prefix + "ALLOW_INSECURE": "false",
		prefix + "CLIENT_CERT_VAL": p.Cert, prefix + "CLIENT_KEY_VAL": p.Key, prefix + "ROOT_CA_CERT_VALS": p.Cert,
	}
}

// Seen returns "user:password -> target" for each connection since the last
// time.
func (p *Proxy) Seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := p.seen
	p.seen = nil
	return seen
}

func (p *Proxy) note(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = append(p.seen, what)
}

// serve follows RFC 1928 and 1929, as far as CONNECT with a password goes.
func (p *Proxy) serve(conn net.Conn) error {
	methods, err := field(conn, 1)
	if err != nil || !bytes.Contains(methods, []byte{2}) {
		return fmt.Errorf("methods %v: %w", methods, err)
	}
	if _, err := conn.Write([]byte{5, 2}); err != nil {
		return err
	}
	user, err := field(conn, 1)
	if err != nil {
		return err
	}
	password, err := field(conn, 0)
	if err != nil {
		return err
	}
	if _, err := conn.Write([]byte{1, 0}); err != nil {
		return err
	}
	target, err := readTarget(conn)
	if err != nil {
		return err
	}
	p.note(string(user) + ":" + string(password) + " -> " + target)
	far, err := net.Dial("tcp", target)
	if err != nil {
		_, err = conn.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0})
		return err
	}
	defer far.Close()
	if _, err := conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0}); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(far, conn)
		_ = far.Close()
	}()
	_, _ = io.Copy(conn, far)
	return nil
}

// field reads bytes behind their count, after so many others.
func field(r io.Reader, after int) ([]byte, error) {
	head := make([]byte, after+1)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	value := make([]byte, head[after])
	_, err := io.ReadFull(r, value)
	return value, err
}

func readTarget(r io.Reader) (string, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(r, head); err != nil {
		return "", err
	}
	var host string
	switch head[3] {
	case 1:
		ip := make([]byte, 4)
		if _, err := io.ReadFull(r, ip); err != nil {
			return "", err
		}
		host = net.IP(ip).String()
	case 3:
		name, err := field(r, 0)
		if err != nil {
			return "", err
		}
		host = string(name)
	default:
		return "", errors.New("IPv6")
	}
	port := make([]byte, 2)
	_, err := io.ReadFull(r, port)
	return net.JoinHostPort(host, strconv.Itoa(int(binary.BigEndian.Uint16(port)))), err
}

func (p *Proxy) certificate(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, DNSNames: []string{Name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	rawKey, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	p.Cert = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	p.Key = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: rawKey}))
	pair, err := tls.X509KeyPair([]byte(p.Cert), []byte(p.Key))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(p.Cert))
	return pair, pool
}
