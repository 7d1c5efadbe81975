package transform

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/plugboard/plugboard/frame"
)

// WideToLong returns a long frame of a wide one: for each time a row for each
// set of labels. Its fields are the time, the values by name, and the labels by
// name, "" where a series lacks one. Where a set of labels has no field of a
// value's name, the value is null, or zero if the field is not nullable.
//
// It is an error if the frame is not wide, has no rows, lacks a time, or has
// two fields of one name but different types.
func WideToLong(wide *frame.Frame) (*frame.Frame, error) {
	long, err := wideToLong(wide)
	if err != nil {
		return nil, fmt.Errorf("wide to long: %w", err)
	}
	return long, nil
}

func wideToLong(wide *frame.Frame) (*frame.Frame, error) {
	s, err := wideSchema(wide)
	if err != nil {
		return nil, err
	}
	times := wide.Fields[s.time]
	switch {
	case times.Len() == 0:
		return nil, errors.New("the frame has no rows")
	case times.Nulls() > 0:
		return nil, errors.New("a row has no time")
	}
	values, names, err := valuesByName(wide, s)
	if err != nil {
		return nil, err
	}
	sets, keys, err := labelSets(wide, s)
	if err != nil {
		return nil, err
	}
	if err := checkSize(times.Len()*len(sets), 1+len(values)+len(keys)); err != nil {
		return nil, err
	}

	rows := make([]int32, times.Len())
	for i := range rows {
		rows[i] = int32(i)
	}
	long := &frame.Frame{Name: wide.Name, RefID: wide.RefID, Meta: metaOf(wide, frame.TypeTimeSeriesLong)}
	at := frame.NewFieldOf(times.Name, nil, frame.Time, false)
	gather(at, slices.Repeat([]*frame.Field{times}, len(sets)), rows, Fill{})
	long.Fields = append(long.Fields, at)
	for _, name := range names {
		field := frame.NewFieldOf(name, nil, values[name].Type(), values[name].Nullable())
		gather(field, byLabels(wide, sets, name), rows, Fill{})
		long.Fields = append(long.Fields, field)
	}
	for _, key := range keys {
		long.Fields = append(long.Fields, labelField(wide, sets, key, len(rows)))
	}
	return long, nil
}

func wideSchema(wide *frame.Frame) (schema, error) {
	s, err := schemaOf(wide)
	if err == nil && len(s.factors) > 0 {
		err = fmt.Errorf("field %q holds no numbers: the frame is not wide", wide.Fields[s.factors[0]].Name)
	}
	return s, err
}

// valuesByName returns one field of each name, and the names in their order.
func valuesByName(wide *frame.Frame, s schema) (map[string]*frame.Field, []string, error) {
	values := map[string]*frame.Field{}
	for _, i := range s.values {
		field := wide.Fields[i]
		other, ok := values[field.Name]
		if !ok {
			values[field.Name] = field
		} else if other.Type() != field.Type() || other.Nullable() != field.Nullable() {
			return nil, nil, fmt.Errorf("fields named %q hold %s and %s", field.Name, kind(other), kind(field))
		}
	}
	return values, slices.Sorted(maps.Keys(values)), nil
}

func kind(f *frame.Field) string {
	if f.Nullable() {
		return "nullable " + f.Type().String()
	}
	return f.Type().String()
}

// labelSets returns the fields that have the same labels, by index, and the
// names of all labels in their order. The sets are in the order of their JSON,
// as [[name, value], …]: that of the official library.
func labelSets(wide *frame.Frame, s schema) (sets [][]int, keys []string, err error) {
	byKey := map[string][]int{}
	names := map[string]bool{}
	for _, i := range s.values {
		labels := wide.Fields[i].Labels
		pairs := make([][2]string, 0, len(labels))
		for _, name := range slices.Sorted(maps.Keys(labels)) {
			pairs = append(pairs, [2]string{name, labels[name]})
			names[name] = true
		}
		key, err := json.Marshal(pairs)
		if err != nil {
			return nil, nil, err
		}
		byKey[string(key)] = append(byKey[string(key)], i)
	}
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		sets = append(sets, byKey[key])
	}
	return sets, slices.Sorted(maps.Keys(names)), nil
}

// byLabels returns each set's field of that name, the last if there are more,
// nil if there is none.
func byLabels(wide *frame.Frame, sets [][]int, name string) []*frame.Field {
	fields := make([]*frame.Field, len(sets))
	for i, set := range sets {
		for _, at := range set {
			if wide.Fields[at].Name == name {
				fields[i] = wide.Fields[at]
			}
		}
	}
	return fields
}

func labelField(wide *frame.Frame, sets [][]int, key string, rows int) *frame.Field {
	texts := make([]string, len(sets))
	for i, set := range sets {
		texts[i] = wide.Fields[set[0]].Labels[key]
	}
	field := frame.NewFieldOf(key, nil, frame.String, false)
	field.Grow(rows * len(sets))
	for range rows {
		frame.Append(field, texts...)
	}
	return field
}
