package host_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
)

// identity is a certificate for 127.0.0.1 that only it has signed.
func identity(t *testing.T, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
}

// far is a plugin that runs elsewhere.
type far struct{}

func (far) Query(context.Context, plugin.Query[struct{}]) (frame.Frames, error) {
	return frame.Frames{frame.New("", frame.NewField("from", nil, []string{"far away"}))}, nil
}

// serveFar serves the plugin at an address until end is called.
func serveFar(t *testing.T, address string, own tls.Certificate, clients *x509.CertPool) (at string, end func()) {
	t.Helper()
	listener, err := tls.Listen("tcp", address, &tls.Config{
		Certificates: []tls.Certificate{own}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert, NextProtos: []string{"h2"},
	})
	if err != nil {
		t.Fatal(err)
	}
	p := plugin.DataSource(func(context.Context, plugin.Settings[struct{}]) (far, error) { return far{}, nil })
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- plugin.ServeListener(ctx, p, listener, slog.New(slog.DiscardHandler)) }()
	return listener.Addr().String(), func() {
		cancel()
		<-ended
	}
}

func remote(address string, own tls.Certificate, plugins *x509.CertPool) host.Remote {
	return host.Remote{
		Manifest: []byte(`{"id": "far-datasource", "type": "datasource", "name": "Far", "backend": true, "info": {"version": "1.0.0"}}`),
		Address:  address,
		TLS:      &tls.Config{Certificates: []tls.Certificate{own}, RootCAs: plugins},
	}
}

func askFar(t *testing.T, h *host.Host) error {
	_, err := h.Query(t.Context(), &plugin.QueryRequest{
		Context: plugin.Context{PluginID: "far-datasource", DataSource: &plugin.DataSourceSettings{ID: 1, UID: "far"}},
		Queries: []plugin.DataQuery{{RefID: "A", JSON: []byte(`{}`)}},
	})
	return err
}

// A plugin at an address is a plugin like any other: calls wait while it is
// away, however often that is.
func TestRemotePlugin(t *testing.T) {
	theirs, plugins := identity(t, "plugin")
	ours, hosts := identity(t, "host")
	address, end := serveFar(t, "127.0.0.1:0", theirs, hosts)
	h := running(t, host.Config{Remote: []host.Remote{remote(address, ours, plugins)}})
	if err := askFar(t, h); err != nil {
		t.Fatal(err)
	}
	if p, _ := h.Plugin("far-datasource"); p.State != host.StateReady || p.PID != 0 || p.Address != address || p.Sandbox != nil || p.Signature != host.SignatureRemote {
		t.Errorf("%+v", p)
	}
	for range 4 {
		end()
		eventually(t, "the end of the connection", func() bool {
			p, _ := h.Plugin("far-datasource")
			return p.State != host.StateReady
		})
		_, end = serveFar(t, address, theirs, hosts)
		if err := askFar(t, h); err != nil {
			t.Fatal(err)
		}
	}
	end()
	if err := h.Stop(t.Context(), "far-datasource"); err != nil {
		t.Error(err)
	}
}

// Neither end talks to a stranger.
func TestRemotePluginOfAStranger(t *testing.T) {
	theirs, plugins := identity(t, "plugin")
	ours, hosts := identity(t, "host")
	stranger, strangers := identity(t, "stranger")
	address, end := serveFar(t, "127.0.0.1:0", theirs, hosts)
	defer end()
	for name, config := range map[string]host.Remote{
		"certificate signed by unknown authority": remote(address, ours, strangers),
		"certificate": remote(address, stranger, plugins),
	} {
		h := running(t, host.Config{Remote: []host.Remote{config}, Wait: time.Minute})
		if err := askFar(t, h); !errors.Is(err, plugin.ErrUnavailable) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), address) {
			t.Errorf("error %v, want one with %q", err, name)
		}
	}
	faulty := remote("nowhere", ours, plugins)
	faulty.TLS = &tls.Config{InsecureSkipVerify: true}
	_, err := host.New(host.Config{Remote: []host.Remote{faulty}})
	for _, fault := range []string{`Remote[0].Address is "nowhere"`, "a plugin must know who calls", "the host must know whom it calls"} {
		if err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("error %v, want one with %q", err, fault)
		}
	}
}
