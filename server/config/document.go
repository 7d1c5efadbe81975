package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// document reads one YAML file by hand, so that every fault names its line and
// field, and all faults are found at once.
type document struct {
	name     string
	faults   Faults
	warnings Faults
	// expand replaces variables in texts; nil leaves them as they are.
	expand func(text string) (string, []string, error)
	// left is how many nodes may still be read: an alias repeats what it
	// names, and aliases of aliases repeat it without end.
	left int
}

const (
	maxNodes = 1_000_000
	maxDepth = 100
)

// read reads the value of one field.
type read func(n *yaml.Node, field string)

func newDocument(name string, expand func(string) (string, []string, error)) *document {
	return &document{name: name, expand: expand, left: maxNodes}
}

func (d *document) fault(n *yaml.Node, field, problem string) {
	d.faults = append(d.faults, Fault{File: d.name, Line: n.Line, Field: field, Problem: problem})
}

func (d *document) warn(n *yaml.Node, field, remark string) {
	d.warnings = append(d.warnings, Fault{File: d.name, Line: n.Line, Field: field, Problem: remark})
}

var yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(?s:(.*))$`)

// parse returns the root, nil for an empty file or one that is not YAML.
func (d *document) parse(text []byte) *yaml.Node {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var root yaml.Node
	err := decoder.Decode(&root)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		fault := Fault{File: d.name, Problem: "is not YAML: " + err.Error()}
		if parts := yamlError.FindStringSubmatch(err.Error()); parts != nil {
			fault.Line, _ = strconv.Atoi(parts[1])
			fault.Problem = "is not YAML: " + parts[2]
		}
		d.faults = append(d.faults, fault)
		return nil
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		d.warn(&root, "", "has more than one document: only the first is read")
	}
	if len(root.Content) != 1 || isNull(root.Content[0]) {
		return nil
	}
	return root.Content[0]
}

// fields reads a mapping whose keys are known, and reports whether it is one.
func (d *document) fields(n *yaml.Node, field string, known map[string]read, unknown read) bool {
	return d.entries(n, field, func(key, value *yaml.Node, field string) {
		if readValue, ok := known[key.Value]; ok {
			readValue(value, field)
			return
		}
		unknown(key, field)
	})
}

// entries visits the entries of a mapping, and reports whether n is one; nil
// and null count as one without entries.
func (d *document) entries(n *yaml.Node, field string, visit func(key, value *yaml.Node, field string)) bool {
	if n = d.resolve(n); n == nil || isNull(n) {
		return true
	}
	if n.Kind != yaml.MappingNode {
		d.fault(n, field, "is "+kind(n)+", want a mapping")
		return false
	}
	lines := map[string]int{}
	for _, e := range d.merged(n, field, 0) {
		name := e.key.Value
		if e.key.Kind != yaml.ScalarNode {
			d.fault(e.key, field, "has "+kind(e.key)+" for a key, want text")
			continue
		}
		if first, again := lines[name]; again {
			if !e.fromMerge {
				d.fault(e.key, join(field, name), fmt.Sprintf("is given twice, first in line %d", first))
			}
			continue
		}
		lines[name] = e.key.Line
		visit(e.key, e.value, join(field, name))
	}
	return true
}

type mapEntry struct {
	key, value *yaml.Node
	fromMerge  bool
}

// merged returns the entries of a mapping, those of its "<<" last.
func (d *document) merged(n *yaml.Node, field string, depth int) []mapEntry {
	var own, inherited []mapEntry
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], d.resolve(n.Content[i+1])
		if value == nil {
			return nil
		}
		if key.ShortTag() != "!!merge" {
			if key = d.resolve(key); key != nil {
				own = append(own, mapEntry{key, value, false})
			}
			continue
		}
		parents := []*yaml.Node{value}
		if value.Kind == yaml.SequenceNode {
			parents = value.Content
		}
		for _, parent := range parents {
			if parent = d.resolve(parent); parent == nil {
				break
			}
			if parent.Kind != yaml.MappingNode {
				d.fault(key, field, "has a << that is no mapping")
				continue
			}
			if depth > maxDepth {
				d.endless(key, field)
				break
			}
			for _, e := range d.merged(parent, field, depth+1) {
				e.fromMerge = true
				inherited = append(inherited, e)
			}
		}
	}
	return append(own, inherited...)
}

// items visits the items of a list; nil and null have none.
func (d *document) items(n *yaml.Node, field string, visit read) {
	if n = d.resolve(n); n == nil || isNull(n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.fault(n, field, "is "+kind(n)+", want a list")
		return
	}
	for i, item := range n.Content {
		if item = d.resolve(item); item != nil {
			visit(item, fmt.Sprintf("%s[%d]", field, i))
		}
	}
}

// text reads any scalar as text; null is "".
func (d *document) text(n *yaml.Node, field string) string {
	if n = d.resolve(n); n == nil || isNull(n) {
		return ""
	}
	if n.Kind != yaml.ScalarNode {
		d.fault(n, field, "is "+kind(n)+", want text")
		return ""
	}
	return d.expanded(n, field)
}

func (d *document) expanded(n *yaml.Node, field string) string {
	if d.expand == nil {
		return n.Value
	}
	text, unset, err := d.expand(n.Value)
	if err != nil {
		d.fault(n, field, err.Error())
	}
	for _, name := range unset {
		d.warn(n, field, "the variable "+name+" is not set: it counts as empty")
	}
	return text
}

// texts reads one text, or a list of texts if many is allowed.
func (d *document) texts(n *yaml.Node, field string, many bool) []string {
	if n = d.resolve(n); n == nil || isNull(n) {
		return nil
	}
	if !many || n.Kind == yaml.ScalarNode {
		return []string{d.text(n, field)}
	}
	var texts []string
	d.items(n, field, func(n *yaml.Node, field string) { texts = append(texts, d.text(n, field)) })
	return texts
}

func (d *document) textMap(n *yaml.Node, field string) map[string]string {
	texts := map[string]string{}
	d.entries(n, field, func(key, value *yaml.Node, field string) { texts[key.Value] = d.text(value, field) })
	return texts
}

// boolean reads true, false, or a text that becomes one when expanded; null
// and "" are false.
func (d *document) boolean(n *yaml.Node, field string) bool {
	text := d.text(n, field)
	if text == "" {
		return false
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		d.fault(n, field, fmt.Sprintf("is %q, want true or false", d.resolve(n).Value))
	}
	return value
}

// integer reads like boolean; null and "" are 0.
func (d *document) integer(n *yaml.Node, field string) int64 {
	text := d.text(n, field)
	if text == "" {
		return 0
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		d.fault(n, field, fmt.Sprintf("is %q, want a whole number", d.resolve(n).Value))
	}
	return value
}

// resolve follows aliases. It returns nil, once with a fault, when the
// document is too large.
func (d *document) resolve(n *yaml.Node) *yaml.Node {
	if n == nil || d.left < 0 {
		return nil
	}
	if d.left--; d.left < 0 {
		d.fault(n, "", fmt.Sprintf("has more than %d values, aliases counted as often as they are used", maxNodes))
		return nil
	}
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func kind(n *yaml.Node) string {
	kinds := []yaml.Kind{yaml.MappingNode, yaml.SequenceNode}
	names := []string{"a mapping", "a list"}
	if i := slices.Index(kinds, n.Kind); i >= 0 {
		return names[i]
	}
	return "a single value"
}

func join(field, name string) string {
	if field == "" {
		return name
	}
	return field + "." + name
}
