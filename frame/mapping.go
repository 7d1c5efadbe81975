package frame

import (
	"encoding/json"
	"fmt"
)

// ValueMapping shows certain values as a text or in a colour: a ValueMap,
// RangeMap or SpecialMap.
type ValueMapping interface {
	mappingType() string
}

// ValueMap maps single values, told as text.
type ValueMap map[string]MappingResult

// RangeMap maps the values between From and To; nil is no limit.
type RangeMap struct {
	From   *Float        `json:"from,omitempty"`
	To     *Float        `json:"to,omitempty"`
	Result MappingResult `json:"result"`
}

// SpecialMap maps what is hard to name otherwise.
type SpecialMap struct {
	Match  SpecialMatch  `json:"match"`
	Result MappingResult `json:"result"`
}

// SpecialMatch is what a SpecialMap maps.
type SpecialMatch string

// The special values.
const (
	MatchTrue       SpecialMatch = "true"
	MatchFalse      SpecialMatch = "false"
	MatchNull       SpecialMatch = "null"
	MatchNaN        SpecialMatch = "nan"
	MatchNullAndNaN SpecialMatch = "null+nan"
	MatchEmpty      SpecialMatch = "empty"
)

// MappingResult is what is shown instead.
type MappingResult struct {
	Text  string `json:"text,omitempty"`
	Color string `json:"color,omitempty"`
	Index int    `json:"index,omitempty"` // order in editors
}

func (ValueMap) mappingType() string   { return "value" }
func (RangeMap) mappingType() string   { return "range" }
func (SpecialMap) mappingType() string { return "special" }

// ValueMappings are tried in order.
type ValueMappings []ValueMapping

// MarshalJSON writes {"type":…,"options":…} for each mapping.
func (m ValueMappings) MarshalJSON() ([]byte, error) {
	type entry struct {
		Type    string       `json:"type"`
		Options ValueMapping `json:"options"`
	}
	entries := make([]entry, len(m))
	for i, v := range m {
		if v == nil {
			return nil, fmt.Errorf("value mapping %d is nil", i)
		}
		entries[i] = entry{v.mappingType(), v}
	}
	return json.Marshal(entries)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (m *ValueMappings) UnmarshalJSON(b []byte) error {
	var entries []struct {
		Type    string          `json:"type"`
		Options json.RawMessage `json:"options"`
	}
	if err := json.Unmarshal(b, &entries); err != nil {
		return err
	}
	mappings := make(ValueMappings, len(entries))
	for i, e := range entries {
		var err error
		switch e.Type {
		case "value":
			mappings[i], err = options[ValueMap](e.Options)
		case "range":
			mappings[i], err = options[RangeMap](e.Options)
		case "special":
			mappings[i], err = options[SpecialMap](e.Options)
		default:
			err = fmt.Errorf("type %q is none of value, range, special", e.Type)
		}
		if err != nil {
			return fmt.Errorf("value mapping %d: %w", i, err)
		}
	}
	*m = mappings
	return nil
}

func options[T ValueMapping](b json.RawMessage) (v T, err error) {
	return v, json.Unmarshal(b, &v)
}
