package gateway

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/plugboard/plugboard/plugin"
)

// timeRange reads "from" and "to" as JSON: Unix milliseconds as a number or a
// string, an RFC 3339 time, or a relative time such as "now-1h" and "now/d".
// A request without either has no range: plugins see 1970.
func timeRange(from, to []byte, now time.Time) (plugin.TimeRange, error) {
	f, t := timeText(from), timeText(to)
	switch {
	case f == "" && t == "":
		return plugin.TimeRange{}, nil
	case f == "":
		return plugin.TimeRange{}, fmt.Errorf(`the time range has "to" but no "from"`)
	case t == "":
		return plugin.TimeRange{}, fmt.Errorf(`the time range has "from" but no "to"`)
	}
	start, err := parseTime(f, now, false)
	if err != nil {
		return plugin.TimeRange{}, fmt.Errorf(`"from" of the time range: %w`, err)
	}
	end, err := parseTime(t, now, true)
	if err != nil {
		return plugin.TimeRange{}, fmt.Errorf(`"to" of the time range: %w`, err)
	}
	if end.Before(start) {
		return plugin.TimeRange{}, fmt.Errorf("the time range ends before it begins: from %s to %s",
			start.Format(time.RFC3339), end.Format(time.RFC3339))
	}
	return plugin.TimeRange{From: start, To: end}, nil
}

// timeText returns a JSON string's or number's text, "" for null and nothing.
func timeText(value []byte) string {
	switch {
	case len(value) == 0 || string(value) == "null":
		return ""
	case value[0] == '"':
		return strings.TrimSpace(stringOf(value))
	default:
		return string(value)
	}
}

// parseTime reads one end of a range. A rounded relative time means the first
// moment of the day (hour, week ...) or, at the end of a range, its last.
func parseTime(text string, now time.Time, end bool) (time.Time, error) {
	if rest, relative := strings.CutPrefix(text, "now"); relative {
		return relativeTime(text, rest, now.UTC(), end)
	}
	if ms, err := strconv.ParseFloat(text, 64); err == nil {
		if math.IsNaN(ms) || math.Abs(ms) >= 1<<63 {
			return time.Time{}, fmt.Errorf("%q is out of range", text)
		}
		if exact, err := strconv.ParseInt(text, 10, 64); err == nil {
			return time.UnixMilli(exact).UTC(), nil
		}
		return time.UnixMilli(int64(ms)).UTC(), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t.UTC(), nil
	}
	return time.Time{}, fmt.Errorf(`%q is no time: use Unix milliseconds, RFC 3339, or "now-1h"`, text)
}

// relativeTime applies steps such as "-1d/d+8h" to now.
func relativeTime(text, steps string, now time.Time, end bool) (time.Time, error) {
	t := now
	for steps != "" {
		sign, rest := steps[0], steps[1:]
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		unit := rest[digits:]
		if next := strings.IndexAny(unit, "+-/"); next >= 0 {
			unit = unit[:next]
		}
		count, err := strconv.Atoi(rest[:digits])
		switch {
		case digits == 0:
			count = 1
		case err != nil || count > maxCount:
			return time.Time{}, fmt.Errorf("%q: %s is too many", text, rest[:digits])
		}
		var known bool
		switch {
		case sign == '/' && digits == 0:
			t, known = round(t, unit, end)
		case sign == '+':
			t, known = shift(t, unit, count)
		case sign == '-':
			t, known = shift(t, unit, -count)
		}
		if !known {
			return time.Time{}, fmt.Errorf(`%q is no time: after "now" come steps such as -1h, +30m or /d, with the units s m h d w M Q y`, text)
		}
		steps = rest[digits+len(unit):]
	}
	return t, nil
}

// maxCount keeps relative times within what the wire can tell.
const maxCount = 1_000_000

func shift(t time.Time, unit string, n int) (time.Time, bool) {
	switch unit {
	case "s":
		return t.Add(time.Duration(n) * time.Second), true
	case "m":
		return t.Add(time.Duration(n) * time.Minute), true
	case "h":
		return t.Add(time.Duration(n) * time.Hour), true
	case "d":
		return t.AddDate(0, 0, n), true
	case "w":
		return t.AddDate(0, 0, 7*n), true
	case "M":
		return t.AddDate(0, n, 0), true
	case "Q":
		return t.AddDate(0, 3*n, 0), true
	case "y":
		return t.AddDate(n, 0, 0), true
	}
	return t, false
}

func round(t time.Time, unit string, end bool) (time.Time, bool) {
	start, known := startOf(t, unit)
	if !known || !end {
		return start, known
	}
	next, _ := shift(start, unit, 1)
	return next.Add(-time.Millisecond), true
}

// startOf returns the first moment of the unit that t is in; weeks begin on
// Monday.
func startOf(t time.Time, unit string) (time.Time, bool) {
	y, m, d := t.Date()
	switch unit {
	case "s":
		return t.Truncate(time.Second), true
	case "m":
		return t.Truncate(time.Minute), true
	case "h":
		return t.Truncate(time.Hour), true
	case "d":
	case "w":
		d -= (int(t.Weekday()) + 6) % 7
	case "M":
		d = 1
	case "Q":
		m, d = m-(m-1)%3, 1
	case "y":
		m, d = time.January, 1
	default:
		return t, false
	}
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC), true
}
