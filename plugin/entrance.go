package plugin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/user"
	"runtime"
	"strconv"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// The handshake, as every host and plugin of this protocol knows it:
// HashiCorp's go-plugin, of any version.
const (
	cookieKey       = "grafana_plugin_type"
	cookieValue     = "datasource"
	coreProtocol    = 1
	protocolVersion = 2
)

// What a host that starts a plugin says in the environment. It says, too, in
// PLUGIN_PROTOCOL_VERSIONS which versions it speaks: a plugin that has one
// names that, and leaves it to the host to refuse it.
const (
	socketDirKey   = "PLUGIN_UNIX_SOCKET_DIR"
	socketGroupKey = "PLUGIN_UNIX_SOCKET_GROUP" // a name or a number
	minPortKey     = "PLUGIN_MIN_PORT"
	maxPortKey     = "PLUGIN_MAX_PORT"
	certificateKey = "PLUGIN_CLIENT_CERT" // PEM; asks for mutual TLS
	multiplexKey   = "PLUGIN_MULTIPLEX_GRPC"
)

// entrance is where the host that started this process comes in.
type entrance struct {
	listener    net.Listener
	credentials credentials.TransportCredentials
	certificate []byte // DER; nil without TLS
}

func openEntrance() (*entrance, error) {
	e := &entrance{credentials: insecure.NewCredentials()}
	var err error
	if host := os.Getenv(certificateKey); host != "" {
		if e.credentials, e.certificate, err = mutualTLS([]byte(host)); err != nil {
			return nil, err
		}
	}
	if runtime.GOOS == "windows" {
		e.listener, err = listenTCP(os.Getenv(minPortKey), os.Getenv(maxPortKey))
	} else {
		e.listener, err = listenUnix(os.Getenv(socketDirKey), os.Getenv(socketGroupKey))
	}
	return e, err
}

// announce tells the host where to come, in the one line that it reads.
func (e *entrance) announce(to io.Writer) error {
	addr := e.listener.Addr()
	line := fmt.Sprintf("%d|%d|%s|%s|grpc|%s", coreProtocol, protocolVersion,
		addr.Network(), addr, base64.RawStdEncoding.EncodeToString(e.certificate))
	if os.Getenv(multiplexKey) != "" { // hosts from before it was thought of take six fields only
		line += "|false"
	}
	_, err := io.WriteString(to, line+"\n")
	return err
}

// listenUnix listens at a socket with a name of its own, which is removed when
// the listener is closed. It is the owner's alone, or the group's too.
func listenUnix(dir, group string) (net.Listener, error) {
	name, err := os.CreateTemp(dir, "plugin")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(name.Close(), os.Remove(name.Name())); err != nil {
		return nil, err
	}
	listener, err := net.Listen("unix", name.Name())
	if err != nil || group == "" {
		return listener, err
	}
	if err := shareWith(group, name.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", socketGroupKey, err), listener.Close())
	}
	return listener, nil
}

func shareWith(group, path string) error {
	id, err := strconv.Atoi(group)
	if err != nil {
		found, err := user.LookupGroup(group)
		if err != nil {
			return err
		}
		if id, err = strconv.Atoi(found.Gid); err != nil {
			return err
		}
	}
	return errors.Join(os.Chown(path, -1, id), os.Chmod(path, 0o660))
}

// listenTCP listens at the first free port of this machine that the host would
// have; at any if it said nothing.
func listenTCP(first, last string) (net.Listener, error) {
	from, to := 0, 0
	var err1, err2 error
	if first != "" {
		from, err1 = strconv.Atoi(first)
	}
	if last != "" {
		to, err2 = strconv.Atoi(last)
	}
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("%s, %s: %w", minPortKey, maxPortKey, err)
	}
	for port := from; port <= to; port++ {
		if listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return listener, nil
		}
	}
	return nil, fmt.Errorf("no port from %d (%s) to %d (%s) is free", from, minPortKey, to, maxPortKey)
}

// mutualTLS is for the host with that certificate and nobody else. Our own is
// made for the occasion, and travels in the handshake.
func mutualTLS(hostPEM []byte) (_ credentials.TransportCredentials, certificate []byte, err error) {
	hosts := x509.NewCertPool()
	if !hosts.AppendCertsFromPEM(hostPEM) {
		return nil, nil, fmt.Errorf("%s holds no certificate", certificateKey)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	const host = "localhost" // whom go-plugin's hosts expect
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: host},
		DNSNames:     []string{host},
		NotBefore:    now.Add(-time.Minute),
		NotAfter:     now.AddDate(30, 0, 0), // the process will have ended
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IsCA:         true, BasicConstraintsValid: true, // the host has it for its only root
	}
	certificate, err = x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	return credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    hosts,
		MinVersion:   tls.VersionTLS12,
	}), certificate, nil
}
