package prometheus

import (
	"strconv"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/server/bundled/jsonscan"
)

// typeHeatmapCells is the shape of a frame with a row for each bucket at each
// time.
const typeHeatmapCells frame.FrameType = "heatmap-cells"

// histogram is a series of native histograms, a row for each bucket.
type histogram struct {
	times            []int64 // Unix milliseconds
	low, high, count []float64
	layout           []int8 // which of the two boundaries belong to the bucket
}

// frame is the series as cells of a heatmap.
func (h *histogram) frame(labels map[string]string, q *question) *frame.Frame {
	low := frame.NewField("yMin", labels, h.low)
	if legend := q.legend(labels); legend != "" {
		low.Config = &frame.Config{DisplayNameFromDS: legend}
	}
	times := timeField("xMax", h.times)
	times.Config = &frame.Config{Interval: float64(q.step.Milliseconds())}
	f := frame.New("", times, low,
		frame.NewField("yMax", nil, h.high),
		frame.NewField("count", nil, h.count),
		frame.NewField("yLayout", nil, h.layout))
	f.Meta = &frame.Meta{Type: typeHeatmapCells}
	return f
}

// timeField makes a column of Unix milliseconds.
func timeField(name string, milliseconds []int64) *frame.Field {
	field := frame.NewFieldOf(name, nil, frame.Time, false)
	field.Grow(len(milliseconds))
	var some [256]time.Time
	for len(milliseconds) > 0 {
		n := min(len(some), len(milliseconds))
		for i, ms := range milliseconds[:n] {
			some[i] = time.UnixMilli(ms)
		}
		frame.Append(field, some[:n]...)
		milliseconds = milliseconds[n:]
	}
	return field
}

// histogram reads [time, {"count": …, "sum": …, "buckets": […]}].
func (d *decoder) histogram(h *histogram) error {
	if err := d.Delim('['); err != nil {
		return err
	}
	at, err := d.time()
	if err != nil {
		return err
	}
	if err := d.Delim(','); err != nil {
		return err
	}
	err = d.Object(func(key []byte) error {
		if string(key) != "buckets" {
			return d.Skip()
		}
		return d.Array(func() error {
			h.times = append(h.times, at)
			return d.bucket(h)
		})
	})
	if err != nil {
		return err
	}
	return d.Delim(']')
}

// bucket reads [layout, "low", "high", "count"].
func (d *decoder) bucket(h *histogram) error {
	if err := d.Delim('['); err != nil {
		return err
	}
	layout, err := d.small()
	if err != nil {
		return err
	}
	h.layout = append(h.layout, layout)
	for _, column := range []*[]float64{&h.low, &h.high, &h.count} {
		if err := d.Delim(','); err != nil {
			return err
		}
		value, err := d.value()
		if err != nil {
			return err
		}
		*column = append(*column, value)
	}
	return d.Delim(']')
}

func (d *decoder) small() (int8, error) {
	if kind, err := d.Kind(); err != nil {
		return 0, err
	} else if kind != jsonscan.Number {
		return 0, strconv.ErrSyntax
	}
	text, err := d.Raw()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(string(text), 10, 8)
	return int8(n), err
}
