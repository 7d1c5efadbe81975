package prometheus

import (
	"strconv"
	"strings"
	"time"

	"github.com/plugboard/plugboard/plugin"
)

// question is a query made ready to be asked.
type question struct {
	model
	expr       string // without variables
	step       time.Duration
	start, end time.Time
	// dataplane: name and type frames as hosts with that feature switch do.
	dataplane bool
}

func newQuestion(q plugin.Query[model], scrape string) (*question, error) {
	step, err := stepOf(q, scrape)
	if err != nil {
		return nil, err
	}
	return &question{
		model: q.Model,
		expr:  variables(q, step, scrape).Replace(q.Model.Expr),
		step:  step,
		start: q.TimeRange.From,
		end:   q.TimeRange.To,
	}, nil
}

func (q *question) instantForm() form {
	return form{"query": q.expr, "time": unixSeconds(q.end)}
}

func (q *question) rangeForm() form {
	return form{
		"query": q.expr,
		"start": unixSeconds(q.align(q.start)),
		"end":   unixSeconds(q.align(q.end)),
		"step":  strconv.FormatFloat(q.step.Seconds(), 'f', -1, 64),
	}
}

func (q *question) exemplarForm() form {
	f := q.rangeForm()
	delete(f, "step")
	return f
}

// align moves a time down to a multiple of the step, of the asker's days where
// the step is that long: so a range has the same points however often it is
// asked, and the server's caches work.
func (q *question) align(t time.Time) time.Time {
	offset := q.UTCOffsetSec * int64(time.Second)
	local := t.UnixNano() + offset
	beyond := local % int64(q.step)
	if beyond < 0 {
		beyond += int64(q.step)
	}
	return time.Unix(0, local-beyond-offset)
}

func unixSeconds(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1e3, 'f', -1, 64)
}

// executed is the query as it was asked, for inspectors.
func (q *question) executed() string {
	return "Expr: " + q.expr + "\nStep: " + q.step.String()
}

// legend is the name that the query wants for a series, empty if it leaves that
// to others.
func (q *question) legend(labels map[string]string) string {
	switch q.LegendFormat {
	case "":
	case "__auto":
		if len(labels) > 0 {
			return ""
		}
	default:
		return fillIn(q.LegendFormat, labels)
	}
	if name := seriesName(labels); name != "{}" {
		return name
	}
	return q.expr
}

// fillIn puts the values of labels for {{ their names }}.
func fillIn(format string, labels map[string]string) string {
	var b strings.Builder
	for {
		before, rest, open := strings.Cut(format, "{{")
		name, after, closed := strings.Cut(rest, "}}")
		if !open || !closed {
			b.WriteString(format)
			return b.String()
		}
		b.WriteString(before)
		b.WriteString(labels[strings.TrimSpace(name)])
		format = after
	}
}
