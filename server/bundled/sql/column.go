package sql

import (
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/plugboard/plugboard/frame"
)

// column collects one column of a result. SQLite gives every value a type of
// its own, so a column has the narrowest type that holds all of its values so
// far: integers become floats when a float comes, and anything becomes text
// when nothing else fits.
type column struct {
	name string
	// declared is the column's type in its table, empty for expressions.
	declared string
	// field is nil until the first value that is not null.
	field *frame.Field
	nulls int // rows before the first value
}

// add appends a value as the driver returns it.
func (c *column) add(value any) {
	value = c.read(value)
	if value == nil {
		c.addNull()
		return
	}
	c.fit(typeOf(value))
	appendAs(c.field, value)
}

func (c *column) addNull() {
	if c.field == nil {
		c.nulls++
		return
	}
	c.field.AppendNull()
}

// fit makes the column's type wide enough for t.
func (c *column) fit(t frame.Type) {
	if c.field == nil {
		if known := c.declaredType(); known == frame.Float64 {
			t = wider(known, t)
		}
		c.field = newColumn(c.name, t, c.nulls)
		return
	}
	wide := wider(c.field.Type(), t)
	if wide == c.field.Type() {
		return
	}
	narrow := c.field
	c.field = newColumn(c.name, wide, 0)
	for i := range narrow.Len() {
		if value := narrow.At(i); value != nil {
			appendAs(c.field, value)
		} else {
			c.field.AppendNull()
		}
	}
}

// end returns the finished field. A column without values has the type that
// its table declares.
func (c *column) end() *frame.Field {
	if c.field == nil {
		c.field = newColumn(c.name, c.declaredType(), c.nulls)
	}
	return c.field
}

// read turns a value into one of the types of a column: int64, float64, bool,
// string, time.Time, or nil.
func (c *column) read(value any) any {
	switch v := value.(type) {
	case int64:
		switch {
		case c.declaredType() == frame.Time:
			return epochTime(float64(v))
		case c.declaredType() == frame.Bool && (v == 0 || v == 1):
			return v == 1
		}
	case []byte:
		if utf8.Valid(v) {
			return string(v)
		}
		return "0x" + hex.EncodeToString(v)
	case string:
		return strings.ToValidUTF8(v, "\ufffd")
	}
	return value
}

// declaredType reads the type in the CREATE TABLE by SQLite's own rules, and
// knows times and booleans beside.
func (c *column) declaredType() frame.Type {
	declared := strings.ToUpper(c.declared)
	has := func(part string) bool { return strings.Contains(declared, part) }
	switch {
	case declared == "DATE" || declared == "DATETIME" || declared == "TIMESTAMP":
		return frame.Time
	case has("BOOL"):
		return frame.Bool
	case has("INT"):
		return frame.Int64
	case has("REAL"), has("FLOA"), has("DOUB"), has("NUMERIC"), has("DECIMAL"):
		return frame.Float64
	default:
		return frame.String
	}
}

func newColumn(name string, t frame.Type, nulls int) *frame.Field {
	field := frame.NewFieldOf(name, nil, t, true)
	for range nulls {
		field.AppendNull()
	}
	return field
}

func typeOf(value any) frame.Type {
	switch value.(type) {
	case int64:
		return frame.Int64
	case float64:
		return frame.Float64
	case bool:
		return frame.Bool
	case time.Time:
		return frame.Time
	default:
		return frame.String
	}
}

// wider returns the type that holds the values of both.
func wider(a, b frame.Type) frame.Type {
	numbers := []frame.Type{frame.Int64, frame.Float64}
	switch {
	case a == b:
		return a
	case slices.Contains(numbers, a) && slices.Contains(numbers, b):
		return frame.Float64
	default:
		return frame.String
	}
}

// appendAs appends a value to a field whose type is wide enough for it.
func appendAs(field *frame.Field, value any) {
	switch field.Type() {
	case frame.Int64:
		frame.Append(field, value.(int64))
	case frame.Float64:
		frame.Append(field, number(value))
	case frame.Bool:
		frame.Append(field, value.(bool))
	case frame.Time:
		frame.Append(field, value.(time.Time))
	default:
		frame.Append(field, text(value))
	}
}

func number(value any) float64 {
	if v, ok := value.(int64); ok {
		return float64(v)
	}
	return value.(float64)
}

func text(value any) string {
	switch v := value.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	default:
		return v.(string)
	}
}

// epochTime reads a number as Unix seconds, milliseconds, microseconds or
// nanoseconds, by its size: any of them, for times from 1973 to 2262.
func epochTime(v float64) time.Time {
	seconds := v
	for limit := 1e11; math.Abs(v) >= limit && limit < 1e18; limit *= 1e3 {
		seconds /= 1e3
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)).UTC().Round(time.Microsecond)
}
