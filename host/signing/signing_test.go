package signing_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/host/signing"
)

// A plugin is signed with a new key, and a host trusts that key with plugins of
// some ids.
func ExampleSign() {
	dir, err := os.MkdirTemp("", "signing")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	manifest := `{"id": "acme-panel", "type": "panel", "info": {"version": "1.0.0"}}`
	if err := os.WriteFile(filepath.Join(dir, "plugin.json"), []byte(manifest), 0o600); err != nil {
		log.Fatal(err)
	}

	secret, public, err := signing.NewKey("")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := signing.Sign(dir, secret, "", nil); err != nil {
		log.Fatal(err)
	}
	h, err := host.New(host.Config{
		PluginDirs:  []string{dir},
		TrustedKeys: []host.TrustedKey{{Name: "Acme", Key: string(public), Plugins: []string{"acme-*"}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range h.Plugins() {
		fmt.Println(p.Manifest.ID, p.Signature, "signed by", p.Signer.Org)
	}
	// Output: acme-panel valid signed by Acme
}
