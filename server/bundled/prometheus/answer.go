package prometheus

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/server/bundled/jsonscan"
)

// answer is what the server says to a query.
type answer struct {
	status         string
	errorType, err string
	resultType     string
	series         []series
	exemplars      []exemplar
	notices        []frame.Notice
	stats          any
}

// series is one series of a matrix or vector, or the scalar or string.
type series struct {
	labels map[string]string
	times  []int64 // Unix milliseconds
	values []float64
	text   string // of a string
	// histogram is set where samples are histograms.
	histogram *histogram
}

func (a *answer) hasHistograms() bool {
	for i := range a.series {
		if a.series[i].histogram != nil {
			return true
		}
	}
	return false
}

// decoder reads an answer straight into columns.
type decoder struct {
	*jsonscan.Scanner
	answer answer
	// points is how many the last series had: the next has probably as many.
	points int
}

// readAnswer returns what could be read along with an error.
func readAnswer(r io.Reader) (*answer, error) {
	d := &decoder{Scanner: jsonscan.New(r)}
	err := d.Object(d.member)
	if err == nil {
		err = d.End()
	}
	if err == nil && d.answer.status != "success" && d.answer.status != "error" {
		err = fmt.Errorf("status %q", d.answer.status)
	}
	return &d.answer, err
}

func (d *decoder) member(key []byte) error {
	switch string(key) {
	case "status":
		return d.text(&d.answer.status)
	case "errorType":
		return d.text(&d.answer.errorType)
	case "error":
		return d.text(&d.answer.err)
	case "warnings":
		return d.notices(frame.Warning)
	case "infos":
		return d.notices(frame.Info)
	case "data":
		return d.data()
	}
	return d.Skip()
}

func (d *decoder) text(into *string) error {
	text, err := d.Text()
	*into = string(text)
	return err
}

func (d *decoder) notices(severity frame.Severity) error {
	if kind, err := d.Kind(); err == nil && kind == jsonscan.Null {
		return d.Skip()
	}
	return d.Array(func() error {
		notice := frame.Notice{Severity: severity}
		err := d.text(&notice.Text)
		d.answer.notices = append(d.answer.notices, notice)
		return err
	})
}

// data is an object with a result, or the array of exemplars.
func (d *decoder) data() error {
	switch kind, err := d.Kind(); {
	case err != nil:
		return err
	case kind == jsonscan.Array:
		return d.Array(d.exemplarsOfSeries)
	case kind == jsonscan.Null:
		return d.Skip()
	}
	err := d.Object(func(key []byte) error {
		switch string(key) {
		case "resultType":
			return d.text(&d.answer.resultType)
		case "result": // before or after resultType
			return d.result()
		case "stats":
			raw, err := d.Raw()
			if err != nil {
				return err
			}
			return json.Unmarshal(raw, &d.answer.stats)
		}
		return d.Skip()
	})
	if err != nil {
		return err
	}
	return d.settle()
}

// settle fits the result to its type.
func (d *decoder) settle() error {
	switch d.answer.resultType {
	case "matrix", "vector", "string":
		return nil
	case "scalar":
		for i := range d.answer.series {
			s := &d.answer.series[i]
			value, err := strconv.ParseFloat(s.text, 64)
			if err != nil {
				return err
			}
			s.values = []float64{value}
		}
		return nil
	}
	return fmt.Errorf("resultType %q", d.answer.resultType)
}

// result is an array of series, or the time and text of a scalar or string.
func (d *decoder) result() error {
	if kind, err := d.Kind(); err == nil && kind == jsonscan.Null {
		return d.Skip()
	}
	var single *series
	return d.Array(func() error {
		kind, err := d.Kind()
		switch {
		case err != nil:
			return err
		case kind == jsonscan.Object:
			return d.series()
		case single == nil:
			d.answer.series = append(d.answer.series, series{labels: map[string]string{}})
			single = &d.answer.series[len(d.answer.series)-1]
			at, err := d.time()
			single.times = []int64{at}
			return err
		}
		return d.text(&single.text)
	})
}

func (d *decoder) series() error {
	s := series{labels: map[string]string{}}
	sample := func() error { return d.sample(&s) }
	histogramSample := func() error {
		if s.histogram == nil {
			s.histogram = &histogram{}
		}
		return d.histogram(s.histogram)
	}
	err := d.Object(func(key []byte) error {
		switch string(key) {
		case "metric":
			return d.labels(s.labels)
		case "value":
			return sample()
		case "values":
			s.times, s.values = make([]int64, 0, d.points), make([]float64, 0, d.points)
			return d.Array(sample)
		case "histogram":
			return histogramSample()
		case "histograms":
			return d.Array(histogramSample)
		}
		return d.Skip()
	})
	d.points = len(s.times)
	d.answer.series = append(d.answer.series, s)
	return err
}

func (d *decoder) labels(into map[string]string) error {
	return d.Object(func(key []byte) error {
		name := string(key)
		value, err := d.Text()
		into[name] = string(value)
		return err
	})
}

// sample reads [time, "value"].
func (d *decoder) sample(s *series) error {
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
	value, err := d.value()
	if err != nil {
		return err
	}
	s.times, s.values = append(s.times, at), append(s.values, value)
	return d.Delim(']')
}

// value reads a number in quotes: NaN and infinities are numbers too.
func (d *decoder) value() (float64, error) {
	text, err := d.Text()
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(string(text), 64)
}

// time reads Unix seconds as milliseconds.
func (d *decoder) time() (int64, error) {
	if kind, err := d.Kind(); err != nil {
		return 0, err
	} else if kind != jsonscan.Number {
		return 0, errors.New("a time that is no number")
	}
	text, err := d.Raw()
	if err != nil {
		return 0, err
	}
	if at, ok := decimalMillis(text); ok {
		return at, nil
	}
	seconds, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return 0, err
	}
	if seconds < -1e10 || seconds > 1e10 {
		return 0, fmt.Errorf("time %s is out of range", text)
	}
	return int64(seconds * 1e3), nil
}

// decimalMillis reads seconds such as 1700000000.123 exactly, where a float64
// would lose a millisecond to rounding now and then.
func decimalMillis(text []byte) (int64, bool) {
	var n int64
	i := 0
	for ; i < len(text) && text[i] >= '0' && text[i] <= '9'; i++ {
		n = n*10 + int64(text[i]-'0')
	}
	if i == 0 || i > 10 {
		return 0, false
	}
	n *= 1000
	if i == len(text) {
		return n, true
	}
	if text[i] != '.' {
		return 0, false
	}
	unit := int64(100)
	for i++; i < len(text); i, unit = i+1, unit/10 {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
		n += int64(text[i]-'0') * unit
	}
	return n, true
}
