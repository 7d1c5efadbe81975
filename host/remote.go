package host

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"time"

	"github.com/plugboard/plugboard/host/internal/process"
)

// Remote is a plugin that runs elsewhere, and is called over gRPC with mutual
// TLS. It is a plugin like any other, but that the host cannot start it: it
// connects again and again until something answers, and neither policy, log nor
// environment is its business. On our SDK, plugin.ServeListener serves one.
type Remote struct {
	// Manifest is its plugin.json.
	Manifest []byte
	// Address is its host:port.
	Address string
	// TLS has the host's certificate, and whose the plugin's must be: RootCAs,
	// or VerifyConnection. Both ends must know each other. It holds a private
	// key, which is not to be written anywhere.
	TLS *tls.Config `json:"-"`
	// Aliases are further ids it answers to.
	Aliases []string
}

func (r Remote) connect(timeout time.Duration) func(context.Context) (peer, error) {
	return func(ctx context.Context) (peer, error) {
		remote, err := process.Connect(ctx, process.RemoteConfig{Address: r.Address, TLS: r.TLS, StartTimeout: timeout})
		if err != nil {
			return nil, err
		}
		return remote, nil
	}
}

// remote returns the remote plugin of an id.
func (c Config) remote(id string) (Remote, bool) {
	for _, r := range c.Remote {
		var manifest struct{ ID string }
		if json.Unmarshal(r.Manifest, &manifest) == nil && manifest.ID == id {
			return r, true
		}
	}
	return Remote{}, false
}

func (c Config) checkRemote() []error {
	var faults []error
	for i, r := range c.Remote {
		if _, _, err := net.SplitHostPort(r.Address); err != nil {
			faults = append(faults, fmt.Errorf("Remote[%d].Address is %q, want host:port", i, r.Address))
		}
		if r.TLS == nil || len(r.TLS.Certificates) == 0 && r.TLS.GetClientCertificate == nil {
			faults = append(faults, fmt.Errorf("Remote[%d].TLS has no certificate of the host's: a plugin must know who calls", i))
		}
		if r.TLS != nil && r.TLS.InsecureSkipVerify && r.TLS.VerifyConnection == nil && r.TLS.VerifyPeerCertificate == nil {
			faults = append(faults, fmt.Errorf("Remote[%d].TLS verifies nobody: the host must know whom it calls", i))
		}
	}
	return faults
}
