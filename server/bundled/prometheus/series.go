package prometheus

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

const nameLabel = "__name__"

// seriesName writes labels as PromQL does.
func seriesName(labels map[string]string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if name != nameLabel {
			pairs = append(pairs, name+"="+strconv.Quote(labels[name]))
		}
	}
	if len(pairs) == 0 && labels[nameLabel] != "" {
		return labels[nameLabel]
	}
	return labels[nameLabel] + "{" + strings.Join(pairs, ", ") + "}"
}

// frames makes of an answer what the query wants: a frame for each series, or
// one table.
func (q *question) frames(ctx context.Context, a *answer) frame.Frames {
	toggles := plugin.ContextFrom(ctx).GrafanaConfig["GF_INSTANCE_FEATURE_TOGGLES_ENABLE"]
	q.dataplane = slices.Contains(strings.Split(toggles, ","), "prometheusDataplane")
	frames := make(frame.Frames, 0, max(len(a.series), 1))
	if q.Format == "table" && !a.hasHistograms() {
		frames = append(frames, q.table(a))
	} else {
		for i := range a.series {
			frames = append(frames, q.frame(a.resultType, &a.series[i]))
		}
	}
	if len(frames) == 0 { // something has to carry the notices
		frames = append(frames, &frame.Frame{Meta: &frame.Meta{}})
	}
	for _, f := range frames {
		f.Meta.Notices = a.notices
	}
	first := frames[0].Meta
	first.ExecutedQueryString = q.executed()
	if a.stats != nil {
		first.Custom = map[string]any{"resultType": a.resultType, "stats": a.stats}
	}
	return frames
}

// frame is one series.
func (q *question) frame(resultType string, s *series) *frame.Frame {
	if s.histogram != nil {
		return s.histogram.frame(s.labels, q)
	}
	f := &frame.Frame{Meta: &frame.Meta{
		Type:   frame.TypeTimeSeriesMulti,
		Custom: map[string]any{"resultType": resultType},
	}}
	value := frame.NewField("Value", s.labels, s.values)
	if resultType == "string" {
		value = frame.NewField("Value", s.labels, []string{s.text})
	}
	times := timeField("Time", s.times)
	times.Config = &frame.Config{Interval: float64(q.step.Milliseconds())}
	f.Fields = []*frame.Field{times, value}
	legend := q.legend(s.labels)
	if legend != "" {
		value.Config = &frame.Config{DisplayNameFromDS: legend}
	}
	if resultType == "scalar" {
		f.Meta.Type = frame.TypeNumericMulti
	}
	if !q.dataplane {
		f.Name = legend
		return f
	}
	f.Meta.TypeVersion = [2]uint{0, 1}
	if resultType == "vector" {
		f.Meta.Type = frame.TypeNumericMulti
	}
	if name := s.labels[nameLabel]; name != "" {
		value.Name = name
	}
	return f
}

// table is all series in one frame: Time, a column for each label, Value.
func (q *question) table(a *answer) *frame.Frame {
	rows, names := 0, map[string]bool{}
	for i := range a.series {
		rows += len(a.series[i].times)
		for name := range a.series[i].labels {
			names[name] = true
		}
	}
	columns := make([]*frame.Field, 0, len(names))
	sorted := slices.Sorted(maps.Keys(names))
	for _, name := range sorted {
		column := frame.NewFieldOf(name, nil, frame.String, false)
		column.Grow(rows)
		columns = append(columns, column)
	}
	times, values := make([]int64, 0, rows), make([]float64, 0, rows)
	var texts []string
	for i := range a.series {
		s := &a.series[i]
		times, values = append(times, s.times...), append(values, s.values...)
		if a.resultType == "string" {
			texts = append(texts, s.text)
		}
		for c, name := range sorted {
			value := s.labels[name]
			for range s.times {
				frame.Append(columns[c], value)
			}
		}
	}
	value := frame.NewField("Value", nil, values)
	if texts != nil {
		value = frame.NewField("Value", nil, texts)
	}
	f := frame.New("", append(append([]*frame.Field{timeField("Time", times)}, columns...), value)...)
	f.Meta = &frame.Meta{
		Type:          frame.TypeTable,
		Custom:        map[string]any{"resultType": a.resultType},
		Visualization: "table",
	}
	return f
}
