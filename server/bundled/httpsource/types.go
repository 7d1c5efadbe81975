package httpsource

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/plugboard/plugboard/frame"
)

// field makes the column, and counts the cells that do not fit its type.
func (c *column) field(rows int, timeFormat string) (f *frame.Field, odd int) {
	want := c.Type
	if want == "" {
		want = c.infer(timeFormat)
	}
	switch want {
	case "number":
		return fill(c, rows, frame.Float64, asNumber)
	case "integer":
		return fill(c, rows, frame.Int64, asInteger)
	case "boolean":
		return fill(c, rows, frame.Bool, asBool)
	case "time":
		return fill(c, rows, frame.Time, func(_ kind, text []byte) (time.Time, bool) { return asTime(text, timeFormat) })
	case "json":
		return fill(c, rows, frame.JSON, asJSON)
	}
	return fill(c, rows, frame.String, func(_ kind, text []byte) (string, bool) { return string(text), true })
}

// fill converts cell by cell; rows without one are null.
func fill[T frame.Element](c *column, rows int, t frame.Type, convert func(kind, []byte) (T, bool)) (*frame.Field, int) {
	values, fits, odd := make([]T, len(c.rows)), make([]bool, len(c.rows)), 0
	for i := range c.rows {
		if values[i], fits[i] = convert(c.kinds[i], c.cell(i)); !fits[i] {
			odd++
		}
	}
	f := frame.NewFieldOf(c.Name, nil, t, odd > 0 || len(c.rows) < rows)
	f.Grow(rows)
	next := 0
	for row := range rows {
		if next < len(c.rows) && int(c.rows[next]) == row {
			next++
			if fits[next-1] {
				frame.Append(f, values[next-1])
				continue
			}
		}
		f.AppendNull()
	}
	return f, odd
}

// infer finds the type that all cells have: of texts, the one they can be read
// as. Large whole numbers are integers, as a float64 would change them.
func (c *column) infer(timeFormat string) string {
	all := kind(0)
	for _, k := range c.kinds {
		all |= k
	}
	switch all {
	case 0:
		return "string"
	case kindBool:
		return "boolean"
	case kindJSON:
		return "json"
	case kindNumber:
		return c.numeric()
	case kindString:
		if c.every(func(_ kind, text []byte) bool { return isTime(text, timeFormat) }) {
			return "time"
		}
		return "string"
	case kindText:
		switch {
		case c.every(func(_ kind, text []byte) bool { return isNumber(text) }):
			return c.numeric()
		case c.every(func(k kind, text []byte) bool { _, ok := asBool(k, text); return ok }):
			return "boolean"
		case c.every(func(_ kind, text []byte) bool { return isTime(text, timeFormat) }):
			return "time"
		}
	}
	return "string"
}

func (c *column) every(is func(kind, []byte) bool) bool {
	for i := range c.kinds {
		if !is(c.kinds[i], c.cell(i)) {
			return false
		}
	}
	return true
}

func (c *column) numeric() string {
	const exact = 1 << 53
	large := false
	for i := range c.kinds {
		n, err := strconv.ParseInt(string(c.cell(i)), 10, 64)
		if err != nil {
			return "number"
		}
		large = large || n > exact || n < -exact
	}
	if large {
		return "integer"
	}
	return "number"
}

// isNumber tells whether a text that is not said to be a number is meant as
// one: 007 would lose its zeros, and NaN may be somebody's name.
func isNumber(text []byte) bool {
	digits := bytes.TrimPrefix(text, []byte("-"))
	if len(digits) > 1 && digits[0] == '0' && digits[1] != '.' {
		return false
	}
	_, ok := asNumber(kindText, text)
	return ok && len(digits) > 0 && (digits[0] >= '0' && digits[0] <= '9' || digits[0] == '.')
}

func asNumber(k kind, text []byte) (float64, bool) {
	if k == kindBool {
		return map[string]float64{"true": 1}[string(text)], true
	}
	n, err := strconv.ParseFloat(string(bytes.TrimSpace(text)), 64)
	return n, err == nil
}

func asInteger(k kind, text []byte) (int64, bool) {
	if n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64); err == nil {
		return n, true
	}
	n, ok := asNumber(k, text)
	return int64(n), ok && n == math.Trunc(n) && math.Abs(n) < 1<<63
}

func asBool(_ kind, text []byte) (bool, bool) {
	switch strings.ToLower(string(text)) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

func asJSON(k kind, text []byte) (json.RawMessage, bool) {
	if k == kindString || k == kindText {
		quoted, err := json.Marshal(string(text))
		return quoted, err == nil
	}
	return json.RawMessage(text), true
}

// layouts are those understood where the query names none. Those without an
// offset are UTC.
var layouts = []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly, time.RFC1123, time.RFC1123Z}

// isTime tells whether a text is a time: not just a number.
func isTime(text []byte, format string) bool {
	if len(text) < len("2006-01-02") && format == "" {
		return false
	}
	if _, err := strconv.ParseFloat(string(text), 64); err == nil && format == "" {
		return false
	}
	_, ok := asTime(text, format)
	return ok
}

// asTime reads a time as the query's timeFormat says, or as it is usual.
func asTime(text []byte, format string) (time.Time, bool) {
	s := string(bytes.TrimSpace(text))
	if s == "" {
		return time.Time{}, false
	}
	switch format {
	case "unix":
		return unixTime(s, 1e9)
	case "unix_ms":
		return unixTime(s, 1e6)
	case "unix_us":
		return unixTime(s, 1e3)
	case "unix_ns":
		return unixTime(s, 1)
	case "":
	default:
		at, err := time.Parse(format, s)
		return at, err == nil && inRange(at)
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		return guessUnix(s, math.Abs(n))
	}
	for _, layout := range layouts {
		if at, err := time.Parse(layout, s); err == nil {
			return at, inRange(at)
		}
	}
	return time.Time{}, false
}

// guessUnix goes by the size: all that are at least a few months from 1970 are
// told right.
func guessUnix(s string, size float64) (time.Time, bool) {
	switch {
	case size < 1e11:
		return unixTime(s, 1e9)
	case size < 1e14:
		return unixTime(s, 1e6)
	case size < 1e17:
		return unixTime(s, 1e3)
	}
	return unixTime(s, 1)
}

// unixTime reads a number of units of so many nanoseconds.
func unixTime(s string, nanoseconds int64) (time.Time, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Unix(0, n*nanoseconds).UTC(), n <= math.MaxInt64/nanoseconds && n >= math.MinInt64/nanoseconds
	}
	n, err := strconv.ParseFloat(s, 64)
	whole, part := math.Modf(n)
	if err != nil || !(math.Abs(n) < math.MaxInt64/2/float64(nanoseconds)) {
		return time.Time{}, false
	}
	return time.Unix(0, int64(whole)*nanoseconds+int64(math.Round(part*float64(nanoseconds)))).UTC(), true
}

// inRange tells whether a frame can hold a time.
func inRange(at time.Time) bool { return at.Year() > 1677 && at.Year() < 2262 }
