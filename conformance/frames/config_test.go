package frames

import (
	"math"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/plugboard/plugboard/frame"
)

// Every key of meta and config, through both libraries.

var ourMeta = &frame.Meta{
	Type: frame.TypeTimeSeriesMulti, TypeVersion: [2]uint{0, 1}, Path: "p<", PathSeparator: "/",
	Custom: map[string]any{"k": 1e-7, "<": []any{nil, "\u2028\b"}},
	Stats: []frame.Stat{
		{Config: frame.Config{DisplayName: "rows", Unit: "s"}, Value: 3},
		{Value: 1e-7}, {Value: 1e21},
	},
	Notices: []frame.Notice{
		{Severity: frame.Warning, Text: "w", Link: "http://a?b=c&d", Inspect: frame.InspectStats},
		{Text: "i"}, {Severity: frame.Error, Text: ""},
	},
	Channel: "ds/uid/path", Visualization: "logs", VisualizationPluginID: "x",
	ExecutedQueryString: "select <1>", DataTopic: "annotations", UniqueRowIDFields: []int{0, 2},
}

var theirMeta = &data.FrameMeta{
	Type: data.FrameTypeTimeSeriesMulti, TypeVersion: data.FrameTypeVersion{0, 1}, Path: "p<", PathSeparator: "/",
	Custom: map[string]any{"k": 1e-7, "<": []any{nil, "\u2028\b"}},
	Stats: []data.QueryStat{
		{FieldConfig: data.FieldConfig{DisplayName: "rows", Unit: "s"}, Value: 3},
		{Value: 1e-7}, {Value: 1e21},
	},
	Notices: []data.Notice{
		{Severity: data.NoticeSeverityWarning, Text: "w", Link: "http://a?b=c&d", Inspect: data.InspectTypeStats},
		{Text: "i"}, {Severity: data.NoticeSeverityError, Text: ""},
	},
	Channel: "ds/uid/path", PreferredVisualization: data.VisTypeLogs, PreferredVisualizationPluginID: "x",
	ExecutedQueryString: "select <1>", DataTopic: data.DataTopicAnnotations, UniqueRowIDFields: []int{0, 2},
}

var (
	from = time.Date(2024, 1, 2, 3, 4, 5, 6, time.UTC)
	to   = time.Date(2024, 1, 3, 0, 0, 0, 0, zone)
)

var ourConfig = &frame.Config{
	DisplayName: "D", DisplayNameFromDS: "<DS>", Path: "p", Description: "d\u2028",
	Filterable: new(false), Writeable: new(true),
	Unit: "s", Decimals: new(uint16(2)), Min: new(frame.Float(0.00001)), Max: new(frame.Float(math.NaN())), Interval: 1e-7,
	Mappings: frame.ValueMappings{
		frame.ValueMap{"b": {Text: "<two>", Color: "red", Index: 1}, "1": {Text: "one"}},
		frame.RangeMap{From: new(frame.Float(1e6)), To: new(frame.Float(1e21)), Result: frame.MappingResult{Color: "blue"}},
		frame.RangeMap{},
		frame.SpecialMap{Match: frame.MatchNullAndNaN, Result: frame.MappingResult{Text: "-"}},
	},
	Thresholds: &frame.Thresholds{Mode: frame.Percentage, Steps: []frame.Threshold{
		{Value: frame.Float(math.Inf(-1)), Color: "green"}, {Value: 80, Color: "red", State: "bad"},
	}},
	Color: map[string]any{"mode": "fixed", "fixedColor": "<red>"},
	Links: []frame.DataLink{{Title: "x", TargetBlank: true, URL: "http://a?b&c", Internal: &frame.InternalDataLink{
		Query: map[string]any{"expr": "a<b"}, DatasourceUID: "u", DatasourceName: "n",
		PanelsState:     map[string]any{"trace": map[string]any{"spanId": "1"}},
		Transformations: []frame.LinkTransformation{{Type: "regex", Field: "f", Expression: "(.*)", MapValue: "v"}},
		TimeRange:       &frame.LinkTimeRange{From: from, To: to},
	}}, {Internal: &frame.InternalDataLink{Transformations: []frame.LinkTransformation{}}}, {}},
	NoValue: "none",
	Type: &frame.TypeConfig{Enum: &frame.EnumConfig{
		Text: []string{"off", "on"}, Color: []string{"a", "b"}, Icon: []string{"i", "j"}, Description: []string{"", "<"},
	}},
	Custom: map[string]any{"z": 1.0, "a": []any{true}},
}

var theirConfig = (&data.FieldConfig{
	DisplayName: "D", DisplayNameFromDS: "<DS>", Path: "p", Description: "d\u2028",
	Filterable: new(false), Writeable: new(true),
	Unit: "s", Interval: 1e-7,
	Mappings: data.ValueMappings{
		data.ValueMapper{"b": {Text: "<two>", Color: "red", Index: 1}, "1": {Text: "one"}},
		data.RangeValueMapper{From: new(data.ConfFloat64(1e6)), To: new(data.ConfFloat64(1e21)), Result: data.ValueMappingResult{Color: "blue"}},
		data.RangeValueMapper{},
		data.SpecialValueMapper{Match: data.SpecialValueNullAndNaN, Result: data.ValueMappingResult{Text: "-"}},
	},
	Thresholds: &data.ThresholdsConfig{Mode: data.ThresholdsModePercentage, Steps: []data.Threshold{
		data.NewThreshold(math.Inf(-1), "green", ""), data.NewThreshold(80, "red", "bad"),
	}},
	Color: map[string]any{"mode": "fixed", "fixedColor": "<red>"},
	Links: []data.DataLink{{Title: "x", TargetBlank: true, URL: "http://a?b&c", Internal: &data.InternalDataLink{
		Query: map[string]any{"expr": "a<b"}, DatasourceUID: "u", DatasourceName: "n",
		ExplorePanelsState: new(data.ExplorePanelsState(map[string]any{"trace": map[string]any{"spanId": "1"}})),
		Transformations:    &[]data.LinkTransformationConfig{{Type: data.Regex, Field: "f", Expression: "(.*)", MapValue: "v"}},
		Range:              &data.TimeRange{From: from, To: to},
	}}, {Internal: &data.InternalDataLink{Transformations: &[]data.LinkTransformationConfig{}}}, {}},
	NoValue: "none",
	TypeConfig: &data.FieldTypeConfig{Enum: &data.EnumFieldConfig{
		Text: []string{"off", "on"}, Color: []string{"a", "b"}, Icon: []string{"i", "j"}, Description: []string{"", "<"},
	}},
	Custom: map[string]any{"z": 1.0, "a": []any{true}},
}).SetDecimals(2).SetMin(0.00001).SetMax(math.NaN())
