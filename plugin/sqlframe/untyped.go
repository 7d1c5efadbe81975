package sqlframe

import (
	"slices"
	"strings"
	"time"

	"github.com/plugboard/plugboard/frame"
)

// untyped collects a column of SQLite, which gives every value a type of its
// own: the column has the narrowest type that holds all of its values so far.
// Integers become floats when a float comes, and anything becomes text when
// nothing else fits.
type untyped struct {
	name string
	// declared is the column's type in its table, empty for expressions.
	declared string
	// field is nil until the first value that is not null.
	field *frame.Field
	nulls int // rows before the first value
	times int // that a field cannot hold
	size  *int
}

// Scan appends a value as the driver hands it over.
func (c *untyped) Scan(value any) error {
	*c.size += length(value)
	value = c.read(value)
	if value == nil {
		if c.field == nil {
			c.nulls++
		} else {
			c.field.AppendNull()
		}
		return nil
	}
	c.fit(typeOf(value))
	appendAs(c.field, value)
	return nil
}

// fit makes the column's type wide enough for t.
func (c *untyped) fit(t frame.Type) {
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
// its table declares. The next one has at least the same type.
func (c *untyped) end() (*frame.Field, int) {
	if c.field == nil {
		c.field = newColumn(c.name, c.declaredType(), c.nulls)
	}
	field, times := c.field, c.times
	c.nulls, c.times = 0, 0
	c.field = newColumn(c.name, field.Type(), 0)
	return field, times
}

// read turns a value into one of the types of a column: int64, float64, bool,
// string, time.Time, or nil.
func (c *untyped) read(value any) any {
	switch v := value.(type) {
	case int64:
		switch {
		case c.declaredType() == frame.Time:
			return c.inRange(epochTime(float64(v)))
		case c.declaredType() == frame.Bool && (v == 0 || v == 1):
			return v == 1
		}
	case time.Time:
		return c.inRange(v)
	case []byte:
		return text(v)
	case string:
		return strings.ToValidUTF8(v, "\ufffd")
	}
	return value
}

func (c *untyped) inRange(t time.Time) any {
	if year := t.UTC().Year(); year < firstYear || year > lastYear {
		c.times++
		return nil
	}
	return t
}

// declaredType reads the type in the CREATE TABLE by SQLite's own rules, and
// knows times and booleans beside.
func (c *untyped) declaredType() frame.Type {
	has := func(part string) bool { return strings.Contains(c.declared, part) }
	switch {
	case c.declared == "DATE" || c.declared == "DATETIME" || c.declared == "TIMESTAMP":
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
		if whole, ok := value.(int64); ok {
			value = float64(whole)
		}
		frame.Append(field, value.(float64))
	case frame.Bool:
		frame.Append(field, value.(bool))
	case frame.Time:
		frame.Append(field, value.(time.Time))
	default:
		frame.Append(field, text(value))
	}
}
