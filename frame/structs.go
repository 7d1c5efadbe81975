package frame

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"
	"unsafe"
)

// FromStructs returns a frame of a row for each struct, and of a field for each
// exported struct field, in their order: named by its tag `frame:"name"`, or as
// in Go without one; `frame:"-"` leaves it out. Fields of embedded structs are
// fields like the others.
//
// A struct field is of a type that Element lists, of one made of such a type
// (time.Duration becomes int64 nanoseconds), an int or uint, which become int64
// and uint64, or a pointer to one of these, which makes the field nullable. Any
// other type is an error that names the struct field, and so is a value that its
// column cannot take.
//
// All values are copied: rows stay the caller's. It allocates per field, not per
// row.
func FromStructs[T any](name string, rows []T) (*Frame, error) {
	row := reflect.TypeFor[T]()
	if row.Kind() != reflect.Struct {
		return nil, fmt.Errorf("frame %q: rows are structs, not %v", name, row)
	}
	f := New(name)
	err := f.addMembers(row, members{at: unsafe.Pointer(unsafe.SliceData(rows)), stride: row.Size(), n: len(rows)})
	if err != nil {
		return nil, fmt.Errorf("frame %q: %w", name, err)
	}
	if err := f.Validate(); err != nil {
		return nil, err
	}
	return f, nil
}

// members are what all structs of a slice have at one offset.
type members struct {
	at      unsafe.Pointer // that of the first struct
	stride  uintptr
	n       int
	pointer bool // they are pointers to the values
}

// addMembers adds a field for each exported field of the struct type.
func (f *Frame) addMembers(in reflect.Type, all members) error {
	var errs []error
	for i := range in.NumField() {
		member := in.Field(i)
		name, tagged := member.Tag.Lookup("frame")
		if !tagged {
			name = member.Name
		}
		these := all
		if these.at != nil { // there may be no rows
			these.at = unsafe.Add(all.at, member.Offset)
		}
		switch {
		case name == "-":
		case member.Anonymous && !tagged && member.Type.Kind() == reflect.Struct && member.Type != reflect.TypeFor[time.Time]():
			errs = append(errs, f.addMembers(member.Type, these))
		case !member.IsExported():
		default:
			field, err := these.field(name, member.Type)
			if err != nil {
				errs = append(errs, fmt.Errorf("struct field %v.%s: %w", in, member.Name, err))
				continue
			}
			f.Fields = append(f.Fields, field)
		}
	}
	return errors.Join(errs...)
}

// field returns the values as a field.
func (m members) field(name string, t reflect.Type) (*Field, error) {
	whole := t
	if t.Kind() == reflect.Pointer {
		t, m.pointer = t.Elem(), true
	}
	switch t {
	case reflect.TypeFor[time.Time]():
		return fieldFrom[time.Time](name, m, same), nil
	case reflect.TypeFor[json.RawMessage]():
		return fieldFrom[json.RawMessage](name, m, same), nil
	case reflect.TypeFor[Enum]():
		return fieldFrom[Enum](name, m, same), nil
	}
	switch t.Kind() {
	case reflect.Int:
		return fieldFrom(name, m, func(v int) int64 { return int64(v) }), nil
	case reflect.Int8:
		return fieldFrom[int8](name, m, same), nil
	case reflect.Int16:
		return fieldFrom[int16](name, m, same), nil
	case reflect.Int32:
		return fieldFrom[int32](name, m, same), nil
	case reflect.Int64:
		return fieldFrom[int64](name, m, same), nil
	case reflect.Uint:
		return fieldFrom(name, m, func(v uint) uint64 { return uint64(v) }), nil
	case reflect.Uint8:
		return fieldFrom[uint8](name, m, same), nil
	case reflect.Uint16:
		return fieldFrom[uint16](name, m, same), nil
	case reflect.Uint32:
		return fieldFrom[uint32](name, m, same), nil
	case reflect.Uint64:
		return fieldFrom[uint64](name, m, same), nil
	case reflect.Float32:
		return fieldFrom[float32](name, m, same), nil
	case reflect.Float64:
		return fieldFrom[float64](name, m, same), nil
	case reflect.Bool:
		return fieldFrom[bool](name, m, same), nil
	case reflect.String:
		return fieldFrom[string](name, m, same), nil
	}
	return nil, fmt.Errorf(`%v cannot be a column: leave it out with the tag frame:"-"`, whole)
}

func same[T any](v T) T { return v }

// fieldFrom returns the members as a field. They lie in memory as M; as turns
// them into what the field holds.
func fieldFrom[M any, E Element](name string, m members, as func(M) E) *Field {
	f := NewFieldOf(name, nil, typeOf[E](), m.pointer)
	f.Grow(m.n)
	var block [64]E // appended together
	n := 0
	for i := range m.n {
		p := unsafe.Add(m.at, uintptr(i)*m.stride)
		if m.pointer {
			if p = *(*unsafe.Pointer)(p); p == nil {
				Append(f, block[:n]...)
				n = 0
				f.AppendNull()
				continue
			}
		}
		block[n] = as(*(*M)(p))
		if n++; n == len(block) {
			Append(f, block[:]...)
			n = 0
		}
	}
	Append(f, block[:n]...)
	return f
}
