package frame

import (
	"encoding/json"
	"fmt"
)

// Meta says what a frame is and how it came about. Its JSON is the protocol's.
type Meta struct {
	// Type asserts the frame's shape: one of the Type… constants, or "".
	Type FrameType `json:"type,omitempty"`
	// TypeVersion is the [major, minor] version of Type; it is always sent.
	TypeVersion [2]uint `json:"typeVersion"`
	// Path and PathSeparator place a directory listing; the separator is "/"
	// if empty.
	Path          string `json:"path,omitempty"`
	PathSeparator string `json:"pathSeparator,omitempty"`
	// Custom is whatever the data source and its frontend agree on. It must
	// marshal to JSON; decoded, it is what json.Unmarshal makes of it.
	Custom any `json:"custom,omitempty"`
	// Stats are figures about the query.
	Stats []Stat `json:"stats,omitempty"`
	// Notices are shown to the user beside the data.
	Notices []Notice `json:"notices,omitempty"`
	// Channel is the stream that continues this data: ds/<uid>/<path>.
	Channel string `json:"channel,omitempty"`
	// Visualization is how explorers should show the frame: graph, table,
	// logs, trace, nodeGraph or flamegraph.
	Visualization string `json:"preferredVisualisationType,omitempty"`
	// VisualizationPluginID is the panel plugin to prefer to Visualization.
	VisualizationPluginID string `json:"preferredVisualisationPluginId,omitempty"`
	// ExecutedQueryString is the query as the data source saw it.
	ExecutedQueryString string `json:"executedQueryString,omitempty"`
	// DataTopic is "annotations" for a frame of annotations.
	DataTopic string `json:"dataTopic,omitempty"`
	// UniqueRowIDFields are the indices of the fields that identify a row.
	UniqueRowIDFields []int `json:"uniqueRowIdFields,omitempty"`
}

// FrameType is the shape of a frame.
type FrameType string

// The shapes that consumers know.
const (
	TypeTimeSeriesWide   FrameType = "timeseries-wide"
	TypeTimeSeriesLong   FrameType = "timeseries-long"
	TypeTimeSeriesMulti  FrameType = "timeseries-multi"
	TypeNumericWide      FrameType = "numeric-wide"
	TypeNumericLong      FrameType = "numeric-long"
	TypeNumericMulti     FrameType = "numeric-multi"
	TypeLogLines         FrameType = "log-lines"
	TypeTable            FrameType = "table"
	TypeDirectoryListing FrameType = "directory-listing"
)

// Stat is one figure about a query, with how to show it.
type Stat struct {
	Config
	Value float64 `json:"value"`
}

// Notice is a message to the user.
type Notice struct {
	Severity Severity `json:"severity"`
	Text     string   `json:"text"`
	// Link is a URL, or a path on the server.
	Link string `json:"link,omitempty"`
	// Inspect names the inspector's tab that tells more.
	Inspect InspectTab `json:"inspect,omitempty"`
}

// InspectTab is a tab of the query inspector.
type InspectTab int

// The inspector's tabs.
const (
	InspectNone InspectTab = iota
	InspectMeta
	InspectError
	InspectData
	InspectStats
)

// Severity is how grave a Notice is. The zero value is Info.
type Severity int

// The severities.
const (
	Info Severity = iota
	Warning
	Error
)

var severities = [...]string{Info: "info", Warning: "warning", Error: "error"}

// String returns info, warning or error, and "" for anything else.
func (s Severity) String() string {
	if s < 0 || int(s) >= len(severities) {
		return ""
	}
	return severities[s]
}

// MarshalJSON writes the severity's name.
func (s Severity) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// UnmarshalJSON reads the severity's name.
func (s *Severity) UnmarshalJSON(b []byte) error {
	var name string
	if err := json.Unmarshal(b, &name); err != nil {
		return err
	}
	for i, known := range severities {
		if name == known {
			*s = Severity(i)
			return nil
		}
	}
	return fmt.Errorf("notice severity %q is none of %q", name, severities)
}
