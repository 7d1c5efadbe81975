package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"

	"go.yaml.in/yaml/v3"

	"github.com/plugboard/plugboard/host"
)

// remote reads the plugins that run elsewhere:
//
//	remote:
//	  - manifest: weather/plugin.json
//	    address: plugins.example.com:7000
//	    ca: plugins.pem
//	    certificate: this-host.pem
//	    key: this-host.key
//
// Files are relative to the configuration's folder.
func (d *document) remote(n *yaml.Node, field, folder string) []host.Remote {
	var remotes []host.Remote
	d.items(n, field, func(n *yaml.Node, field string) {
		values := map[string]string{}
		reads := map[string]read{}
		for _, name := range []string{"manifest", "address", "ca", "certificate", "key"} {
			reads[name] = func(n *yaml.Node, field string) { values[name] = d.text(n, field) }
		}
		if d.fields(n, field, reads, func(key *yaml.Node, field string) {
			d.fault(key, field, "is not known, want manifest, address, ca, certificate or key")
		}) {
			remotes = append(remotes, d.remoteOf(n, field, folder, values))
		}
	})
	return remotes
}

func (d *document) remoteOf(n *yaml.Node, field, folder string, values map[string]string) host.Remote {
	files := map[string][]byte{}
	for _, name := range []string{"manifest", "ca", "certificate", "key"} {
		if values[name] == "" {
			d.fault(n, join(field, name), "is missing: a file")
			continue
		}
		content, err := os.ReadFile(inFolder(folder, []string{values[name]})[0])
		if err != nil {
			d.fault(n, join(field, name), err.Error())
		}
		files[name] = content
	}
	remote := host.Remote{Address: values["address"], Manifest: files["manifest"], TLS: &tls.Config{RootCAs: x509.NewCertPool()}}
	if _, _, err := net.SplitHostPort(remote.Address); err != nil {
		d.fault(n, join(field, "address"), fmt.Sprintf("is %q, want host:port", remote.Address))
	}
	if files["ca"] != nil && !remote.TLS.RootCAs.AppendCertsFromPEM(files["ca"]) {
		d.fault(n, join(field, "ca"), "holds no certificate in PEM form")
	}
	if files["certificate"] != nil && files["key"] != nil {
		pair, err := tls.X509KeyPair(files["certificate"], files["key"])
		if err != nil {
			d.fault(n, join(field, "certificate"), "does not go with key: "+err.Error())
		}
		remote.TLS.Certificates = []tls.Certificate{pair}
	}
	return remote
}
