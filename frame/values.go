package frame

import (
	"encoding/json"
	"fmt"
	"iter"
	"math/bits"
	"slices"
	"time"
	"unsafe"
)

// Slice returns the column itself: for reading, not to be changed. Under a null
// lies any value. It panics if f does not hold T; a Time field holds int64,
// Unix nanoseconds.
//
// What shares a column's memory, here and below, stays as it is when values are
// appended to the field, and is kept by whoever keeps it. In a frame that views
// bytes somebody else has (UnmarshalArrow), it is good while those do not change.
func Slice[T Fixed](f *Field) []T {
	if t := typeOf[T](); t != f.typ && (t != Int64 || f.typ != Time) {
		panic(wrongType("Slice", f, t))
	}
	return slices.Clip(view[T](f.col.data))
}

// Values ranges over the rows of f that are not null, in order, with their
// index. It panics if f does not hold T. Strings and JSON share the column's
// memory.
func Values[T Element](f *Field) iter.Seq2[int, T] {
	mustHold[T](f, "Values")
	if f.typ.width() > 0 && f.typ != Time {
		return fixedValues[T](f)
	}
	return func(yield func(int, T) bool) {
		for i := range f.col.n {
			if f.col.isNull(i) {
				continue
			}
			if !yield(i, valueAt[T](f, i)) {
				return
			}
		}
	}
}

// fixedValues is Values for a column of values as they lie in memory. It looks
// for rows with a value 64 at a time: asking row by row costs more than the rest.
func fixedValues[T Element](f *Field) iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		values, valid := view[T](f.col.data), f.col.valid
		if valid == nil {
			slices.All(values)(yield)
			return
		}
		for from := 0; from < len(values); from += 64 {
			for word := wordAt(valid, from, len(values)); word != 0; word &= word - 1 {
				i := from + bits.TrailingZeros64(word)
				if !yield(i, values[i]) {
					return
				}
			}
		}
	}
}

// Value returns row i of f, and false if it is null. It panics if f does not
// hold T. Strings and JSON share the column's memory.
func Value[T Element](f *Field, i int) (v T, ok bool) {
	mustHold[T](f, "Value")
	if f.col.isNull(i) {
		return v, false
	}
	return valueAt[T](f, i), true
}

// valueAt returns row i of f, which holds T.
func valueAt[T Element](f *Field, i int) (v T) {
	p := unsafe.Pointer(&v)
	switch f.typ {
	case Bool:
		*(*bool)(p) = bitAt(f.col.data, i)
	case String:
		*(*string)(p) = f.col.stringAt(i)
	case JSON:
		if b := f.col.bytesAt(i); len(b) > 0 {
			*(*json.RawMessage)(p) = b
		}
	case Time:
		*(*time.Time)(p) = time.Unix(0, view[int64](f.col.data)[i]).UTC()
	default:
		return view[T](f.col.data)[i]
	}
	return v
}

// At returns row i in an interface, nil if it is null: for tests and printing.
func (f *Field) At(i int) any {
	if f.col.isNull(i) {
		return nil
	}
	switch f.typ {
	case Int8:
		return valueAt[int8](f, i)
	case Int16:
		return valueAt[int16](f, i)
	case Int32:
		return valueAt[int32](f, i)
	case Int64:
		return valueAt[int64](f, i)
	case Uint8:
		return valueAt[uint8](f, i)
	case Uint16:
		return valueAt[uint16](f, i)
	case Uint32:
		return valueAt[uint32](f, i)
	case Uint64:
		return valueAt[uint64](f, i)
	case Float32:
		return valueAt[float32](f, i)
	case Float64:
		return valueAt[float64](f, i)
	case Bool:
		return valueAt[bool](f, i)
	case String:
		return valueAt[string](f, i)
	case Time:
		return valueAt[time.Time](f, i)
	case JSON:
		return valueAt[json.RawMessage](f, i)
	case EnumType:
		return valueAt[Enum](f, i)
	}
	return nil
}

// Buffers are the Arrow buffers of a column, without padding: for writers of
// other formats. They are for reading, not to be changed.
type Buffers struct {
	Valid   []byte  // bit i is 0 where row i is null; nil where none is
	Offsets []int32 // String and JSON: row i is Data[Offsets[i]:Offsets[i+1]]; empty without rows
	Data    []byte  // values as they lie in memory; a bit each for Bool
}

// Buffers returns the column's buffers.
func (f *Field) Buffers() Buffers {
	return Buffers{Valid: f.col.valid, Offsets: f.col.offsets, Data: f.col.data}
}

func mustHold[T Element](f *Field, call string) {
	if t := typeOf[T](); t != f.typ {
		panic(wrongType(call, f, t))
	}
}

func wrongType(call string, f *Field, t Type) string {
	return fmt.Sprintf("frame: %s: field %q holds %v, not %v", call, f.Name, f.typ, t)
}
