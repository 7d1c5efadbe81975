package prometheus

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/plugboard/plugboard/plugin"
)

// How Grafana chooses the step of a range and what it puts for its variables:
// saved queries count on both, down to the rounding.

const (
	// maxSteps is how many a range has at most: Prometheus refuses more.
	maxSteps = 11000
	// defaultSteps is how many are wished for where the query does not say.
	defaultSteps = 1500
	// defaultScrape is how often a server is taken to scrape.
	defaultScrape = 15 * time.Second

	day  = 24 * time.Hour
	year = 365 * day
)

// rounding says that durations up to most become to.
type rounding struct{ most, to time.Duration }

var roundings = [...]rounding{
	{10 * time.Millisecond, time.Millisecond},
	{15 * time.Millisecond, 10 * time.Millisecond},
	{35 * time.Millisecond, 20 * time.Millisecond},
	{75 * time.Millisecond, 50 * time.Millisecond},
	{150 * time.Millisecond, 100 * time.Millisecond},
	{350 * time.Millisecond, 200 * time.Millisecond},
	{750 * time.Millisecond, 500 * time.Millisecond},
	{1500 * time.Millisecond, time.Second},
	{3500 * time.Millisecond, 2 * time.Second},
	{7500 * time.Millisecond, 5 * time.Second},
	{12500 * time.Millisecond, 10 * time.Second},
	{17500 * time.Millisecond, 15 * time.Second},
	{25 * time.Second, 20 * time.Second},
	{45 * time.Second, 30 * time.Second},
	{90 * time.Second, time.Minute},
	{210 * time.Second, 2 * time.Minute},
	{450 * time.Second, 5 * time.Minute},
	{750 * time.Second, 10 * time.Minute},
	{1050 * time.Second, 15 * time.Minute},
	{25 * time.Minute, 20 * time.Minute},
	{45 * time.Minute, 30 * time.Minute},
	{90 * time.Minute, time.Hour},
	{150 * time.Minute, 2 * time.Hour},
	{270 * time.Minute, 3 * time.Hour},
	{9 * time.Hour, 6 * time.Hour},
	{day, 12 * time.Hour},
	{7 * day, day},
	{21 * day, 7 * day},
	{2*year - 1, 30 * day},
}

func round(d time.Duration) time.Duration {
	for _, r := range roundings {
		if d <= r.most {
			return r.to
		}
	}
	return year
}

// parseInterval reads 30s, 1m30s, 1d, 2w, 1M, 1y, a number of seconds, and any
// of these after < or >.
func parseInterval(text string) (time.Duration, error) {
	bare := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(text), "<"), ">")
	bare = strings.TrimPrefix(bare, ">")
	wrong := fmt.Errorf("%q is not a duration such as 30s", text)
	if bare == "" {
		return 0, wrong
	}
	if d, err := time.ParseDuration(bare); err == nil {
		if d < 0 {
			return 0, wrong
		}
		return d, nil
	}
	units := map[byte]time.Duration{'d': day, 'w': 7 * day, 'M': 8766 * time.Hour / 12, 'y': 8766 * time.Hour}
	unit, hasUnit := units[bare[len(bare)-1]]
	if !hasUnit {
		bare, unit = bare+"s", time.Second
	}
	n, err := strconv.ParseInt(bare[:len(bare)-1], 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/int64(unit) {
		return 0, wrong
	}
	return time.Duration(n) * unit, nil
}

// formatInterval writes a duration in the largest unit, rounded down.
func formatInterval(d time.Duration) string {
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{year, "y"}, {day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}, {time.Millisecond, "ms"}} {
		if d >= unit.size {
			return strconv.FormatInt(int64(d/unit.size), 10) + unit.name
		}
	}
	return "1ms"
}

// stepOf is the step of a query: wide enough for the points wished for, and no
// smaller than the query's interval, or else that of the data source.
func stepOf(q plugin.Query[model], scrape string) (time.Duration, error) {
	smallest, err := smallestStep(q.Model, scrape)
	if err != nil {
		return 0, err
	}
	span := q.TimeRange.To.Sub(q.TimeRange.From)
	points := q.MaxDataPoints
	if points <= 0 {
		points = defaultSteps
	}
	step := smallest
	if wished := span / time.Duration(points); wished >= smallest {
		step = round(wished)
	}
	step = max(step, round(span/maxSteps))
	if bareVariable(q.Model.Interval) == "__rate_interval" {
		return rateInterval(step, scrape), nil
	}
	factor := max(q.Model.IntervalFactor, 1)
	if factor > int64(10*year/step) {
		return 0, fmt.Errorf("intervalFactor %d is too large", factor)
	}
	return step * time.Duration(factor), nil
}

func smallestStep(m model, scrape string) (time.Duration, error) {
	interval := m.Interval
	if interval == "0s" || bareVariable(interval) != "" {
		interval = ""
	}
	switch {
	case interval == "" && m.IntervalMS >= 1 && m.IntervalMS < float64(10*year/time.Millisecond):
		return time.Duration(m.IntervalMS) * time.Millisecond, nil
	case interval == "" && scrape == "":
		return defaultScrape, nil
	case interval == "":
		interval = scrape
	}
	step, err := parseInterval(interval)
	if err != nil {
		return 0, fmt.Errorf("interval: %w", err)
	}
	return max(step, time.Millisecond), nil
}

// bareVariable is the name of the variable that a text consists of.
func bareVariable(text string) string {
	name, dollar := strings.CutPrefix(text, "$")
	if !dollar {
		return ""
	}
	return strings.TrimSuffix(strings.TrimPrefix(name, "{"), "}")
}

// rateInterval is long enough for rate() to find samples: four scrapes, or one
// more than the step.
func rateInterval(step time.Duration, scrape string) time.Duration {
	scraped := defaultScrape
	if scrape != "" {
		d, err := parseInterval(scrape)
		if err != nil {
			return 0
		}
		scraped = d
	}
	return max(step+scraped, 4*scraped)
}

// variables replaces those that Grafana has in PromQL.
func variables(q plugin.Query[model], step time.Duration, scrape string) *strings.Replacer {
	span := q.TimeRange.To.Sub(q.TimeRange.From)
	rate := step
	switch own := bareVariable(q.Model.Interval); {
	case own == "__rate_interval":
	case own == "__interval":
		rate = rateInterval(q.Interval, step.String())
	case q.Model.Interval != "":
		rate = rateInterval(q.Interval, q.Model.Interval)
	default:
		rate = rateInterval(q.Interval, scrape)
	}
	milliseconds := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	seconds := strconv.FormatInt(int64(math.Round(span.Seconds())), 10)
	var pairs []string
	for _, v := range []struct{ name, value string }{ // longer names first
		{"__rate_interval_ms", milliseconds(rate)},
		{"__rate_interval", promDuration(rate)},
		{"__interval_ms", milliseconds(step)},
		{"__interval", formatInterval(step)},
		{"__range_ms", milliseconds(span)},
		{"__range_s", seconds},
		{"__range", seconds + "s"},
	} {
		pairs = append(pairs, "$"+v.name, v.value, "${"+v.name+"}", v.value)
	}
	return strings.NewReplacer(pairs...)
}

// promDuration is a duration that PromQL reads: without fractions.
func promDuration(d time.Duration) string {
	if d%time.Second != 0 {
		return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
	}
	return d.String()
}
