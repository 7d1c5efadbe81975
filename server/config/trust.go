package config

import (
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/plugboard/plugboard/host"
)

// trust reads the keys that may sign plugins:
//
//	trust:
//	  - key: grafana
//	    plugins: ['*']
//	  - name: acme
//	    key-file: acme.pub
//	    plugins: ['acme-*']
//
// Files are relative to the configuration's folder. An empty list trusts
// nobody.
func (d *document) trust(n *yaml.Node, field, folder string) []host.TrustedKey {
	keys := []host.TrustedKey{}
	d.items(n, field, func(n *yaml.Node, field string) {
		var key host.TrustedKey
		var file string
		ok := d.fields(n, field, map[string]read{
			"name":     func(n *yaml.Node, field string) { key.Name = d.text(n, field) },
			"key":      func(n *yaml.Node, field string) { key.Key = strings.TrimSpace(d.text(n, field)) },
			"key-file": func(n *yaml.Node, field string) { file = d.text(n, field) },
			"plugins":  func(n *yaml.Node, field string) { key.Plugins = d.texts(n, field, true) },
			"orgs":     func(n *yaml.Node, field string) { key.Orgs = d.texts(n, field, true) },
		}, func(key *yaml.Node, field string) {
			d.fault(key, field, "is not known, want name, key, key-file, plugins or orgs")
		})
		if !ok {
			return
		}
		if (key.Key == "") == (file == "") {
			d.fault(n, field, "has to have one of key and key-file")
			return
		}
		if file != "" {
			text, err := os.ReadFile(inFolder(folder, []string{file})[0])
			if err != nil {
				d.fault(n, join(field, "key-file"), err.Error())
				return
			}
			key.Key = string(text)
		}
		if len(key.Plugins) == 0 {
			d.fault(n, join(field, "plugins"), "is missing: the ids of plugins that the key may sign, such as 'acme-*'")
		}
		if err := key.Validate(); err != nil {
			d.fault(n, field, err.Error())
		}
		keys = append(keys, key)
	})
	return keys
}
