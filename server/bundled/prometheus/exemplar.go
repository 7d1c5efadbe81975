package prometheus

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/plugboard/plugboard/frame"
)

// exemplar is one observation that stands for many.
type exemplar struct {
	at     int64 // Unix milliseconds
	value  float64
	labels map[string]string // its own
	series map[string]string // its series'
}

// label is one of its own, or else of its series.
func (e *exemplar) label(name string) string {
	if value, own := e.labels[name]; own {
		return value
	}
	return e.series[name]
}

// exemplarsOfSeries reads {"seriesLabels": {…}, "exemplars": […]}.
func (d *decoder) exemplarsOfSeries() error {
	series, from := map[string]string{}, len(d.answer.exemplars)
	err := d.Object(func(key []byte) error {
		switch string(key) {
		case "seriesLabels":
			return d.labels(series)
		case "exemplars":
			return d.Array(d.exemplar)
		}
		return d.Skip()
	})
	for i := range d.answer.exemplars[from:] {
		d.answer.exemplars[from+i].series = series
	}
	return err
}

func (d *decoder) exemplar() error {
	e := exemplar{labels: map[string]string{}}
	err := d.Object(func(key []byte) (err error) {
		switch string(key) {
		case "labels":
			return d.labels(e.labels)
		case "value":
			e.value, err = d.value()
			return err
		case "timestamp":
			e.at, err = d.time()
			return err
		}
		return d.Skip()
	})
	d.answer.exemplars = append(d.answer.exemplars, e)
	return err
}

// sample makes a frame of those exemplars that a graph has room for, in order
// of time; nil without any.
func sample(all []exemplar, q *question) *frame.Frame {
	if len(all) == 0 {
		return nil
	}
	kept := thin(all, q.step.Milliseconds())
	names := map[string]bool{}
	times, values := make([]int64, len(kept)), make([]float64, len(kept))
	for i := range kept {
		times[i], values[i] = kept[i].at, kept[i].value
		for _, labels := range []map[string]string{kept[i].labels, kept[i].series} {
			for name := range labels {
				names[name] = true
			}
		}
	}
	f := frame.New("exemplar", timeField("Time", times), frame.NewField("Value", nil, values))
	for _, name := range slices.Sorted(maps.Keys(names)) {
		column := make([]string, len(kept))
		for i := range kept {
			column[i] = kept[i].label(name)
		}
		f.Fields = append(f.Fields, frame.NewField(name, nil, column))
	}
	f.Meta = &frame.Meta{Custom: map[string]any{"resultType": "exemplar"}, ExecutedQueryString: q.executed()}
	return f
}

// thin keeps of each step the highest exemplar, and of the others those that
// lie two standard deviations below the one kept before.
func thin(all []exemplar, step int64) []exemplar {
	apart := 2 * deviation(all)
	steps := map[int64][]exemplar{}
	for _, e := range all {
		steps[e.at/step] = append(steps[e.at/step], e)
	}
	var kept []exemplar
	for _, some := range steps {
		slices.SortStableFunc(some, func(a, b exemplar) int { return cmp.Compare(b.value, a.value) })
		last := some[0]
		kept = append(kept, last)
		for _, e := range some[1:] {
			if apart > 0 && last.value-e.value > apart {
				kept, last = append(kept, e), e
			}
		}
	}
	slices.SortStableFunc(kept, func(a, b exemplar) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(b.value, a.value))
	})
	return kept
}

// deviation is the standard deviation of the values.
func deviation(all []exemplar) float64 {
	if len(all) < 2 {
		return 0
	}
	mean, squares := 0.0, 0.0
	for _, e := range all {
		mean += e.value / float64(len(all))
	}
	for _, e := range all {
		squares += (e.value - mean) * (e.value - mean)
	}
	return math.Sqrt(squares / float64(len(all)-1))
}
