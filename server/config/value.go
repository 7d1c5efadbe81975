package config

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"go.yaml.in/yaml/v3"
)

// object reads a mapping as a JSON object with texts expanded, keys sorted.
func (d *document) object(n *yaml.Node, field string) json.RawMessage {
	if n = d.resolve(n); n == nil || isNull(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		d.fault(n, field, "is "+kind(n)+", want a mapping")
		return nil
	}
	object, err := json.Marshal(d.value(n, field, 0))
	if err != nil {
		d.fault(n, field, "cannot become JSON: "+err.Error())
	}
	return object
}

func (d *document) value(n *yaml.Node, field string, depth int) any {
	if n = d.resolve(n); n == nil {
		return nil
	}
	if depth > maxDepth {
		d.endless(n, field)
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		object := map[string]any{}
		d.entries(n, field, func(key, value *yaml.Node, field string) { object[key.Value] = d.value(value, field, depth+1) })
		return object
	case yaml.SequenceNode:
		array := []any{}
		d.items(n, field, func(n *yaml.Node, field string) { array = append(array, d.value(n, field, depth+1)) })
		return array
	default:
		return d.scalar(n, field)
	}
}

// endless ends the reading: something stands in an alias of itself.
func (d *document) endless(n *yaml.Node, field string) {
	d.fault(n, field, "is nested too deep")
	d.left = -1
}

// scalar reads a value by its YAML type; a date is text.
func (d *document) scalar(n *yaml.Node, field string) any {
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		var value bool
		if n.Decode(&value) == nil {
			return value
		}
	case "!!int", "!!float":
		if number, ok := number(n); ok {
			return number
		}
	default:
		return d.expanded(n, field)
	}
	d.fault(n, field, fmt.Sprintf("is %s, which JSON cannot say", n.Value))
	return nil
}

// number keeps a number as it is written where JSON writes it so too.
func number(n *yaml.Node) (any, bool) {
	if json.Valid([]byte(n.Value)) && strings.ContainsRune("-0123456789", rune(n.Value[0])) {
		return json.Number(n.Value), true
	}
	var integer int64
	if n.ShortTag() == "!!int" && n.Decode(&integer) == nil {
		return integer, true
	}
	var float float64
	err := n.Decode(&float)
	return float, err == nil && !math.IsInf(float, 0) && !math.IsNaN(float)
}
