package frame

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Config says how to show a field. Its JSON is the protocol's; what is empty is
// left out.
type Config struct {
	DisplayName string `json:"displayName,omitempty"`
	// DisplayNameFromDS is the name that the data source prefers.
	DisplayNameFromDS string `json:"displayNameFromDS,omitempty"`
	// Path identifies the field within the data source.
	Path        string `json:"path,omitempty"`
	Description string `json:"description,omitempty"`
	// Filterable says that the data source can filter by this field.
	Filterable *bool `json:"filterable,omitempty"`
	// Writeable says that the data source can change the values.
	Writeable *bool `json:"writeable,omitempty"`

	Unit     string  `json:"unit,omitempty"`
	Decimals *uint16 `json:"decimals,omitempty"`
	Min      *Float  `json:"min,omitempty"`
	Max      *Float  `json:"max,omitempty"`
	// Interval is the usual step between values, in milliseconds for times.
	Interval float64 `json:"interval,omitempty"`

	Mappings   ValueMappings  `json:"mappings,omitempty"`
	Thresholds *Thresholds    `json:"thresholds,omitempty"`
	Color      map[string]any `json:"color,omitempty"`
	Links      []DataLink     `json:"links,omitempty"`
	// NoValue is shown where there is no value.
	NoValue string      `json:"noValue,omitempty"`
	Type    *TypeConfig `json:"type,omitempty"`
	// Custom is for panels.
	Custom map[string]any `json:"custom,omitempty"`
}

// Float is a float64 whose JSON is null for NaN and the infinities. Read into a
// Float, null becomes -Inf.
type Float float64

// MarshalJSON writes the shortest form, with an exponent below 1e-4 and from
// 1e21 on: 1e-05, 1e+21.
func (f Float) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
		return []byte("null"), nil
	}
	return fmt.Appendf(nil, "%v", float64(f)), nil
}

// UnmarshalJSON reads a number or null.
func (f *Float) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*f = Float(math.Inf(-1))
		return nil
	}
	v, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return fmt.Errorf("%s is not a number", b)
	}
	*f = Float(v)
	return nil
}

// Thresholds colour values by their size.
type Thresholds struct {
	Mode  ThresholdMode `json:"mode"`
	Steps []Threshold   `json:"steps"` // by ascending Value; the first is -Inf
}

// ThresholdMode says what the values of thresholds are.
type ThresholdMode string

// The threshold modes.
const (
	Absolute   ThresholdMode = "absolute"
	Percentage ThresholdMode = "percentage" // between Config.Min and Config.Max
)

// Threshold is one step: it holds from Value on.
type Threshold struct {
	Value Float  `json:"value"` // -Inf is null in JSON
	Color string `json:"color,omitempty"`
	State string `json:"state,omitempty"`
}

// UnmarshalJSON reads a step; without a value it starts at -Inf.
func (t *Threshold) UnmarshalJSON(b []byte) error {
	type plain Threshold
	p := plain{Value: Float(math.Inf(-1))}
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	*t = Threshold(p)
	return nil
}

// DataLink is a link behind every value of a field.
type DataLink struct {
	Title       string            `json:"title,omitempty"`
	TargetBlank bool              `json:"targetBlank,omitempty"`
	URL         string            `json:"url,omitempty"`
	Internal    *InternalDataLink `json:"internal,omitempty"`
}

// InternalDataLink is a link to a query of another data source.
type InternalDataLink struct {
	Query           any                  `json:"query,omitempty"`
	DatasourceUID   string               `json:"datasourceUid,omitempty"`
	DatasourceName  string               `json:"datasourceName,omitempty"`
	PanelsState     any                  `json:"panelsState,omitempty"`
	Transformations []LinkTransformation `json:"transformations,omitzero"`
	TimeRange       *LinkTimeRange       `json:"timeRange,omitempty"`
}

// LinkTimeRange is the time range that a link asks for.
type LinkTimeRange struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// LinkTransformation takes a variable for a link out of a field.
type LinkTransformation struct {
	Type       string `json:"type,omitempty"` // regex or logfmt
	Field      string `json:"field,omitempty"`
	Expression string `json:"expression,omitempty"`
	MapValue   string `json:"mapValue,omitempty"`
}

// TypeConfig is what only fields of one type need.
type TypeConfig struct {
	Enum *EnumConfig `json:"enum,omitempty"`
}

// EnumConfig gives each Enum its text, and perhaps more, by index.
type EnumConfig struct {
	Text        []string `json:"text"`
	Color       []string `json:"color,omitempty"`
	Icon        []string `json:"icon,omitempty"`
	Description []string `json:"description,omitempty"`
}
