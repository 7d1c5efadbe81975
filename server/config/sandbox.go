package config

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/plugboard/plugboard/host"
)

// readPolicies reads what plugins may do, by id; "*" stands for all others. A
// policy is a level or a mapping. Its paths are relative to folder.
func readPolicies(doc *document, n *yaml.Node, field, folder string) map[string]host.Policy {
	policies := map[string]host.Policy{}
	doc.entries(n, field, func(id, n *yaml.Node, field string) {
		if id.Value != "*" && !validPluginID(id.Value) {
			doc.fault(id, field, fmt.Sprintf("has %q, want the id of a plugin, or *", id.Value))
			return
		}
		policy := readPolicy(doc, n, field, folder)
		if err := policy.Validate(); err != nil {
			doc.fault(n, field, strings.ReplaceAll(err.Error(), "\n", "; "))
		}
		policies[id.Value] = policy
	})
	return policies
}

func readPolicy(doc *document, n *yaml.Node, field, folder string) (p host.Policy) {
	if n = doc.resolve(n); n == nil {
		return p
	}
	if n.Kind == yaml.ScalarNode {
		p.Level = levelOf(doc.text(n, field))
		return p
	}
	paths := func(to *[]string) read {
		return func(n *yaml.Node, field string) {
			for _, path := range inFolder(folder, doc.texts(n, field, true)) {
				if absolute, err := filepath.Abs(path); err == nil {
					path = absolute
				}
				*to = append(*to, path)
			}
		}
	}
	count := func(to *int) read {
		return func(n *yaml.Node, field string) { *to = int(limit(doc, n, field, strconv.ParseFloat)) }
	}
	doc.fields(n, field, map[string]read{
		"level":     func(n *yaml.Node, field string) { p.Level = levelOf(doc.text(n, field)) },
		"read":      paths(&p.Read),
		"write":     paths(&p.Write),
		"network":   func(n *yaml.Node, field string) { p.Network = strings.Join(doc.texts(n, field, true), ",") },
		"memory":    func(n *yaml.Node, field string) { p.Memory = int64(limit(doc, n, field, parseBytes)) },
		"cpu":       func(n *yaml.Node, field string) { p.CPU = limit(doc, n, field, strconv.ParseFloat) },
		"processes": count(&p.Processes),
		"files":     count(&p.Files),
		"required":  func(n *yaml.Node, field string) { p.Required = doc.texts(n, field, true) },
	}, func(key *yaml.Node, field string) {
		doc.fault(key, field, "is not part of a policy, want one of level, read, write, network, memory, cpu, processes, files, required")
	})
	return p
}

// levelOf puts right what YAML 1.1 makes of the word off.
func levelOf(text string) string {
	if text == "false" {
		return "off"
	}
	return text
}

// unlimited is the word for no limit.
const unlimited = "unlimited"

// limit reads a number above 0, or "unlimited", which is -1.
func limit(doc *document, n *yaml.Node, field string, parse func(string, int) (float64, error)) float64 {
	text := doc.text(n, field)
	if text == "" {
		return 0
	}
	if text == unlimited {
		return -1
	}
	value, err := parse(text, 64)
	if err != nil || !(value > 0 && value < 1<<60) {
		doc.fault(n, field, fmt.Sprintf("is %q, want a number above 0, as 512MiB for memory, or %s", text, unlimited))
		return 0
	}
	return value
}

var byteUnits = []struct {
	suffix string
	bytes  float64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}}

// parseBytes reads 512MiB, or bytes.
func parseBytes(text string, bits int) (float64, error) {
	for _, unit := range byteUnits {
		if number, found := strings.CutSuffix(text, unit.suffix); found {
			value, err := strconv.ParseFloat(strings.TrimSpace(number), bits)
			return value * unit.bytes, err
		}
	}
	return strconv.ParseFloat(text, bits)
}
