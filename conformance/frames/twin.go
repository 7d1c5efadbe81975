// Package frames compares our frames with the official SDK's: the same frame
// through both libraries must be the same bytes, or the difference must be one
// that is named here.
package frames

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/plugboard/plugboard/frame"
)

// Twin returns the official SDK's frame of the same content, built cell by cell
// through its own constructors. Meta and configs are handed over as JSON, which
// loses NaN limits.
func Twin(f *frame.Frame) (*data.Frame, error) {
	twin := data.NewFrame(f.Name)
	twin.RefID = f.RefID
	if err := hand(f.Meta, &twin.Meta); err != nil {
		return nil, err
	}
	for _, field := range f.Fields {
		column := data.NewField(field.Name, data.Labels(field.Labels), values(field))
		if err := hand(field.Config, &column.Config); err != nil {
			return nil, err
		}
		twin.Fields = append(twin.Fields, column)
	}
	return twin, nil
}

// hand gives what one side has to the other as JSON; nil stays nil.
func hand(from, to any) error {
	b, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, to)
}

// values returns the field's cells as the slice that data.NewField takes.
func values(f *frame.Field) any {
	switch f.Type() {
	case frame.Int8:
		return slice[int8](f)
	case frame.Int16:
		return slice[int16](f)
	case frame.Int32:
		return slice[int32](f)
	case frame.Int64:
		return slice[int64](f)
	case frame.Uint8:
		return slice[uint8](f)
	case frame.Uint16:
		return slice[uint16](f)
	case frame.Uint32:
		return slice[uint32](f)
	case frame.Uint64:
		return slice[uint64](f)
	case frame.Float32:
		return slice[float32](f)
	case frame.Float64:
		return slice[float64](f)
	case frame.Bool:
		return slice[bool](f)
	case frame.String:
		return slice[string](f)
	case frame.Time:
		return slice[time.Time](f)
	case frame.JSON:
		return slice[json.RawMessage](f)
	case frame.EnumType:
		return convert(f, func(e frame.Enum) data.EnumItemIndex { return data.EnumItemIndex(e) })
	}
	panic(fmt.Sprintf("no twin of %v", f.Type()))
}

// slice returns the cells as []T, or as []*T if the field is nullable.
func slice[T frame.Element](f *frame.Field) any {
	return convert(f, func(v T) T { return v })
}

// convert is slice, for cells of a type that the other side calls otherwise.
func convert[T frame.Element, U any](f *frame.Field, as func(T) U) any {
	if f.Nullable() {
		out := make([]*U, f.Len())
		for i, v := range frame.Values[T](f) {
			out[i] = new(as(v))
		}
		return out
	}
	out := make([]U, f.Len())
	for i, v := range frame.Values[T](f) {
		out[i] = as(v)
	}
	return out
}
