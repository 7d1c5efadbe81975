package frame

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"
)

// Labels tell apart the fields of one name.
type Labels map[string]string

// Field is one column: a name, labels, how to show it, and its values.
type Field struct {
	Name   string
	Labels Labels  // nil: none are sent
	Config *Config // nil: none is sent

	typ      Type
	nullable bool
	col      column
	err      error // the first value that the column could not take
}

// NewField returns a field of these values. A slice of numbers or enums becomes
// the column itself and belongs to the field from then on; all other values are
// copied.
//
// A time that int64 nanoseconds cannot tell (before 1677 or after 2262) does
// not fail here: Err, Validate and the writers report it, with its row.
func NewField[T Element](name string, labels Labels, values []T) *Field {
	f := NewFieldOf(name, labels, typeOf[T](), false)
	if f.typ.width() > 0 && f.typ != Time {
		f.col.n = len(values)
		f.col.data = bytesOf(values[:len(values):len(values)])
		return f
	}
	f.Grow(len(values))
	Append(f, values...)
	return f
}

// NewNullableField returns a nullable field; nil is null. Values are copied.
func NewNullableField[T Element](name string, labels Labels, values []*T) *Field {
	f := NewFieldOf(name, labels, typeOf[T](), true)
	f.Grow(len(values))
	for _, v := range values {
		if v == nil {
			f.AppendNull()
		} else {
			Append(f, *v)
		}
	}
	return f
}

// NewFieldOf returns an empty field to append to. It panics if t is not one of
// the named types.
func NewFieldOf(name string, labels Labels, t Type, nullable bool) *Field {
	if t == 0 || int(t) >= len(types) {
		panic(fmt.Sprintf("frame: field %q: no such type: %d", name, t))
	}
	return &Field{Name: name, Labels: labels, typ: t, nullable: nullable}
}

// Grow makes room for n more values, so that appending them moves the column
// no more. Text needs more room as it comes.
func (f *Field) Grow(n int) {
	c := &f.col
	switch w := f.typ.width(); {
	case f.typ == Bool:
		c.data = slices.Grow(c.data, bitmapLen(c.n+n)-len(c.data))
	case w == 0:
		c.offsets = slices.Grow(c.offsets, n+1)
	case w == 1:
		c.data = slices.Grow(c.data, n)
	case w == 2:
		c.data = bytesOf(slices.Grow(view[uint16](c.data), n))
	case w == 4:
		c.data = bytesOf(slices.Grow(view[uint32](c.data), n))
	default:
		c.data = bytesOf(slices.Grow(view[uint64](c.data), n))
	}
}

// Append appends values to f. It panics if f does not hold T.
func Append[T Element](f *Field, values ...T) {
	mustHold[T](f, "Append")
	f.col.own(f.typ)
	switch f.typ {
	case Bool:
		for i, v := range as[bool](values) {
			f.col.data = appendBit(f.col.data, f.col.n+i, v)
		}
	case String:
		for i, v := range as[string](values) {
			if f.fits(i, len(v)) {
				f.col.data = append(f.col.data, v...)
			}
			f.col.endBytes()
		}
	case JSON:
		for i, v := range as[json.RawMessage](values) {
			if f.fits(i, len(v)) {
				f.col.data = append(f.col.data, v...)
			}
			f.col.endBytes()
		}
	case Time:
		f.appendTimes(as[time.Time](values))
	default:
		f.col.data = bytesOf(append(view[T](f.col.data), values...))
	}
	f.col.markValid(len(values))
}

// AppendNull appends a null. It panics if f is not nullable.
func (f *Field) AppendNull() {
	if !f.nullable {
		panic(fmt.Sprintf("frame: AppendNull: field %q is not nullable", f.Name))
	}
	f.col.own(f.typ)
	f.col.appendZero(f.typ)
	f.col.markNull()
}

// Type returns the type of the values.
func (f *Field) Type() Type { return f.typ }

// Nullable tells whether the field may hold nulls.
func (f *Field) Nullable() bool { return f.nullable }

// Len returns the number of rows.
func (f *Field) Len() int { return f.col.n }

// Nulls returns the number of nulls.
func (f *Field) Nulls() int { return f.col.nulls }

// IsNull tells whether row i is null.
func (f *Field) IsNull(i int) bool { return f.col.isNull(i) }

// Err returns the first value that did not fit into the column, with its row.
func (f *Field) Err() error { return f.err }

// fail keeps the first fault.
func (f *Field) fail(row int, format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf("field %q: row %d: %s", f.Name, row, fmt.Sprintf(format, args...))
	}
}

// fits tells whether size more bytes can still be told by 32-bit offsets, and
// keeps the fault if not. The row is counted from the end of the column.
func (f *Field) fits(row, size int) bool {
	if size <= math.MaxInt32-len(f.col.data) {
		return true
	}
	f.fail(f.col.n+row, "the column is over 2 GiB")
	return false
}

// The times that int64 nanoseconds can tell.
var (
	minTime = time.Unix(0, math.MinInt64).UTC()
	maxTime = time.Unix(0, math.MaxInt64).UTC()
)

// appendTimes appends times as Unix nanoseconds. One that is out of range
// becomes 0, and the field's fault.
func (f *Field) appendTimes(times []time.Time) {
	ns := view[int64](f.col.data)
	for i, t := range times {
		v, ok := unixNano(t)
		if !ok {
			f.fail(f.col.n+i, "time %s is outside %s .. %s", t.UTC().Format(time.RFC3339),
				minTime.Format(time.RFC3339), maxTime.Format(time.RFC3339))
		}
		ns = append(ns, v)
	}
	f.col.data = bytesOf(ns)
}

// unixNano returns t in Unix nanoseconds, 0 and false if they overflow int64.
func unixNano(t time.Time) (int64, bool) {
	const first, last = math.MinInt64 / int64(time.Second), math.MaxInt64 / int64(time.Second) // both within a second of the limits
	if sec := t.Unix(); sec > first && sec < last || !t.Before(minTime) && !t.After(maxTime) {
		return t.UnixNano(), true
	}
	return 0, false
}
