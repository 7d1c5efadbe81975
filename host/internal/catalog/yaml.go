package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"go.yaml.in/yaml/v3"
)

// What a YAML file may hold, aliases written out.
const (
	mostNodes = 200_000
	mostDepth = 200
	mostBytes = 8 << 20
)

// yamlToJSON writes a YAML document as JSON, keys in their order. Errors have
// the line.
func yamlToJSON(raw []byte) (out []byte, err error) {
	defer func() { // whoever wrote the file, it is not to take the host down
		if cause := recover(); cause != nil {
			err = fmt.Errorf("it is no YAML that can be read: %v", cause)
		}
	}()
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(raw))
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return []byte("null"), nil
	case err != nil:
		return nil, fmt.Errorf("it is no valid YAML: %w", err)
	}
	var w yamlWriter
	if err := w.node(&document, 0); err != nil {
		return nil, err
	}
	return w.out.Bytes(), nil
}

type yamlWriter struct {
	out   bytes.Buffer
	nodes int
}

func (w *yamlWriter) node(n *yaml.Node, depth int) error {
	w.nodes++
	if w.nodes > mostNodes || depth > mostDepth || w.out.Len() > mostBytes {
		return misplaced(n, "there is too much in it")
	}
	switch n.Kind {
	case yaml.DocumentNode:
		return w.node(n.Content[0], depth+1)
	case yaml.AliasNode:
		return w.node(n.Alias, depth+1)
	case yaml.MappingNode:
		return w.mapping(n, depth)
	case yaml.SequenceNode:
		w.out.WriteByte('[')
		for i, element := range n.Content {
			if i > 0 {
				w.out.WriteByte(',')
			}
			if err := w.node(element, depth+1); err != nil {
				return err
			}
		}
		w.out.WriteByte(']')
		return nil
	}
	return w.scalar(n)
}

func (w *yamlWriter) mapping(n *yaml.Node, depth int) error {
	seen := map[string]bool{}
	w.out.WriteByte('{')
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case key.Kind != yaml.ScalarNode:
			return misplaced(key, "a key is no string")
		case key.ShortTag() == "!!merge":
			return misplaced(key, "<< is not read")
		case seen[key.Value]:
			return misplaced(key, fmt.Sprintf("the key %q is there twice", key.Value))
		}
		seen[key.Value] = true
		if i > 0 {
			w.out.WriteByte(',')
		}
		if err := w.json(key, key.Value); err != nil {
			return err
		}
		w.out.WriteByte(':')
		if err := w.node(n.Content[i+1], depth+1); err != nil {
			return err
		}
	}
	w.out.WriteByte('}')
	return nil
}

func (w *yamlWriter) scalar(n *yaml.Node) error {
	switch n.ShortTag() {
	case "!!int", "!!float", "!!bool", "!!null":
		var value any
		if err := n.Decode(&value); err != nil {
			return misplaced(n, err.Error())
		}
		if f, ok := value.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
			return misplaced(n, "JSON has no such number")
		}
		return w.json(n, value)
	}
	return w.json(n, n.Value)
}

func (w *yamlWriter) json(n *yaml.Node, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return misplaced(n, err.Error())
	}
	w.out.Write(raw)
	return nil
}

func misplaced(n *yaml.Node, reason string) error {
	return fmt.Errorf("line %d, column %d: %s", n.Line, n.Column, reason)
}
