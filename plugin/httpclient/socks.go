package httpclient

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/net/proxy"

	"github.com/plugboard/plugboard/plugin"
)

// socks dials through the host's secure SOCKS proxy, if there is one: the host
// says so with each call, as it does to the official SDK, or in the
// environment.
type socks struct {
	user, password string
	direct         *net.Dialer
}

// socksPrefix begins the names of what the host says.
const socksPrefix = "GF_SECURE_SOCKS_DATASOURCE_PROXY_"

// hostSays looks in the call's context, then in the environment.
type hostSays map[string]string

func (h hostSays) get(name string) string {
	return cmp.Or(h[socksPrefix+name], os.Getenv(socksPrefix+name))
}

// DialContext dials directly where the host has no such proxy.
func (s *socks) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	says := hostSays(plugin.ContextFrom(ctx).GrafanaConfig)
	if says.get("SERVER_ENABLED") != "true" {
		return s.direct.DialContext(ctx, network, address)
	}
	through, err := s.toProxy(says)
	if err != nil {
		return nil, fmt.Errorf("secure SOCKS proxy: %w", err)
	}
	dialer, err := proxy.SOCKS5("tcp", says.get("PROXY_ADDRESS"), &proxy.Auth{User: s.user, Password: s.password}, through)
	if err != nil {
		return nil, fmt.Errorf("secure SOCKS proxy: %w", err)
	}
	conn, err := dialer.(proxy.ContextDialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("secure SOCKS proxy: %w", err)
	}
	return conn, nil
}

// toProxy is how to reach the proxy itself. The errors have no file's content.
func (s *socks) toProxy(says hostSays) (proxy.Dialer, error) {
	if insecure, _ := strconv.ParseBool(says.get("ALLOW_INSECURE")); insecure {
		return s.direct, nil
	}
	roots, err := says.roots()
	if err != nil {
		return nil, err
	}
	pair, err := says.pair()
	if err != nil {
		return nil, err
	}
	return &tls.Dialer{NetDialer: s.direct, Config: &tls.Config{
		Certificates: []tls.Certificate{pair}, RootCAs: roots, ServerName: says.get("SERVER_NAME"), MinVersion: tls.VersionTLS13,
	}}, nil
}

func (h hostSays) roots() (*x509.CertPool, error) {
	texts := strings.Split(h.get("ROOT_CA_CERT_VALS"), ",")
	if texts[0] == "" {
		texts = nil
		for _, file := range strings.Fields(h.get("ROOT_CA_CERT")) {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			texts = append(texts, string(text))
		}
	}
	pool := x509.NewCertPool()
	for _, text := range texts {
		if !pool.AppendCertsFromPEM([]byte(text)) {
			return nil, errors.New("a root certificate of the host is not PEM")
		}
	}
	if len(texts) == 0 {
		return nil, errors.New("the host names no root certificate")
	}
	return pool, nil
}

func (h hostSays) pair() (tls.Certificate, error) {
	cert, key := []byte(h.get("CLIENT_CERT_VAL")), []byte(h.get("CLIENT_KEY_VAL"))
	if len(cert) == 0 && len(key) == 0 {
		var certErr, keyErr error
		cert, certErr = os.ReadFile(h.get("CLIENT_CERT"))
		key, keyErr = os.ReadFile(h.get("CLIENT_KEY"))
		if err := errors.Join(certErr, keyErr); err != nil {
			return tls.Certificate{}, err
		}
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return tls.Certificate{}, errors.New("the host's client certificate and key are not a pair in PEM")
	}
	return pair, nil
}
