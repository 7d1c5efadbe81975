package frames

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// fileDiff returns how two Arrow files differ for a reader: in their schemas,
// which hold all metadata, or in the arrays of their record batches. The bytes
// between may differ.
func fileDiff(ours, theirs []byte) string {
	a, err := ipc.NewFileReader(bytes.NewReader(ours))
	if err != nil {
		return "ours: " + err.Error()
	}
	b, err := ipc.NewFileReader(bytes.NewReader(theirs))
	if err != nil {
		return "theirs: " + err.Error()
	}
	if diff := metadataDiff(a.Schema().Metadata(), b.Schema().Metadata()); diff != "" {
		return diff
	}
	for i := range a.Schema().NumFields() {
		if ours, theirs := fieldText(a.Schema().Field(i)), fieldText(b.Schema().Field(i)); ours != theirs {
			return fmt.Sprintf("field %d is %s, theirs %s", i, ours, theirs)
		}
		if diff := metadataDiff(a.Schema().Field(i).Metadata, b.Schema().Field(i).Metadata); diff != "" {
			return fmt.Sprintf("field %d: %s", i, diff)
		}
	}
	if a.NumRecords() != b.NumRecords() {
		return fmt.Sprintf("%d record batches, theirs has %d", a.NumRecords(), b.NumRecords())
	}
	for i := range a.NumRecords() {
		ours, err := a.RecordBatch(i)
		if err != nil {
			return "ours: " + err.Error()
		}
		theirs, err := b.RecordBatch(i)
		if err != nil {
			return "theirs: " + err.Error()
		}
		for c := range ours.Columns() {
			if !array.ApproxEqual(ours.Column(c), theirs.Column(c), array.WithNaNsEqual(true)) {
				return fmt.Sprintf("record batch %d, column %d:\n  ours %v\ntheirs %v", i, c, ours.Column(c), theirs.Column(c))
			}
		}
	}
	return ""
}

func fieldText(f arrow.Field) string {
	return fmt.Sprintf("%q, %v, nullable %v", f.Name, f.Type, f.Nullable)
}

// metadataDiff compares the same keys in the same order. What is JSON is
// compared decoded: the official SDK mixes two JSON libraries in one value, of
// which one writes \b where the other writes \u0008.
func metadataDiff(ours, theirs arrow.Metadata) string {
	if !slices.Equal(ours.Keys(), theirs.Keys()) {
		return fmt.Sprintf("keys %q, theirs has %q", ours.Keys(), theirs.Keys())
	}
	for i, key := range ours.Keys() {
		a, b := ours.Values()[i], theirs.Values()[i]
		if key == "config" || key == "meta" || key == "labels" {
			a, b = canonical(a), canonical(b)
		}
		if a != b {
			return fmt.Sprintf("%s:\n  ours %s\ntheirs %s", key, a, b)
		}
	}
	return ""
}

// canonical returns the JSON as encoding/json writes it, numbers kept.
func canonical(text string) string {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return err.Error()
	}
	return jsonOf(v)
}

// throughArrowGo reads a stream, and returns what arrow-go writes of it: a file
// and a stream of the same record batches.
func throughArrowGo(in []byte) (file, stream []byte, err error) {
	r, err := ipc.NewReader(bytes.NewReader(in))
	if err != nil {
		return nil, nil, err
	}
	defer r.Release()
	var a, b bytes.Buffer
	asFile, err := ipc.NewFileWriter(&a, ipc.WithSchema(r.Schema()))
	if err != nil {
		return nil, nil, err
	}
	asStream := ipc.NewWriter(&b, ipc.WithSchema(r.Schema()))
	for r.Next() {
		if err := errors.Join(asFile.Write(r.RecordBatch()), asStream.Write(r.RecordBatch())); err != nil {
			return nil, nil, err
		}
	}
	err = errors.Join(r.Err(), asFile.Close(), asStream.Close())
	return a.Bytes(), b.Bytes(), err
}
