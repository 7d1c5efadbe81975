package framejson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/plugboard/plugboard/frame"
)

// Unmarshal reads a frame that a plugin sent as JSON. The frame keeps nothing
// of b.
//
// The schema comes before the data, and both hold only known keys. A field's
// type is its typeInfo.frame. Every column has as many cells as the first; a
// null in a field that is not nullable is the type's zero value. A number that
// its column cannot represent is an error. Integers may be quoted.
func Unmarshal(b []byte) (*frame.Frame, error) {
	f, err := unmarshal(b)
	if err != nil {
		return nil, fmt.Errorf("frame in JSON: %w", err)
	}
	return f, nil
}

func unmarshal(b []byte) (*frame.Frame, error) {
	s := &scanner{b: b}
	var f *frame.Frame
	hasData := false
	err := s.object(func(key string) error {
		switch {
		case key == "schema" && f == nil && !hasData:
			raw, err := s.skip()
			if err == nil {
				f, err = readSchema(raw)
			}
			return err
		case key == "data" && f != nil && !hasData:
			hasData = true
			return readData(s, f)
		case key == "data" && f == nil:
			return errors.New("data without a schema before it")
		}
		return fmt.Errorf("unexpected key %q", key)
	})
	if err == nil {
		err = s.end()
	}
	if err == nil && f == nil {
		err = errors.New("no schema")
	}
	return f, err
}

// UnmarshalData reads JSON of data alone, as Append writes it with
// IncludeDataOnly: more rows for a frame whose schema came before. The frame has
// the schema of like, whose rows do not matter; meta, labels and configs are
// shared with it. It keeps nothing of b.
func UnmarshalData(b []byte, like *frame.Frame) (*frame.Frame, error) {
	f, s, hasData := like.SliceRows(0, 0), &scanner{b: b}, false
	err := s.object(func(key string) error {
		if key != "data" || hasData {
			return fmt.Errorf("unexpected key %q", key)
		}
		hasData = true
		return readData(s, f)
	})
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return nil, fmt.Errorf("frame in JSON: %w", err)
	}
	return f, nil
}

// schema is the schema's JSON.
type schema struct {
	Name   string      `json:"name"`
	RefID  string      `json:"refId"`
	Meta   *frame.Meta `json:"meta"`
	Fields []struct {
		Name     string `json:"name"`
		TypeInfo struct {
			Frame    string `json:"frame"`
			Nullable bool   `json:"nullable"`
		} `json:"typeInfo"`
		Labels frame.Labels  `json:"labels"`
		Config *frame.Config `json:"config"`
	} `json:"fields"`
}

func readSchema(raw []byte) (*frame.Frame, error) {
	var in schema
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	f := &frame.Frame{Name: in.Name, RefID: in.RefID, Meta: in.Meta}
	for _, field := range in.Fields {
		name, pointer := strings.CutPrefix(field.TypeInfo.Frame, "*")
		t, ok := typeNamed(name)
		if !ok {
			return nil, fmt.Errorf("field %q: typeInfo.frame %q is no type", field.Name, field.TypeInfo.Frame)
		}
		added := frame.NewFieldOf(field.Name, field.Labels, t, pointer || field.TypeInfo.Nullable)
		added.Config = field.Config
		f.Fields = append(f.Fields, added)
	}
	return f, nil
}

// typeNamed returns the type of that spelling: its own, or one that the
// official reader takes too.
func typeNamed(name string) (frame.Type, bool) {
	switch name {
	case "int":
		return frame.Int64, true
	case "double", "float":
		return frame.Float64, true
	case "boolean":
		return frame.Bool, true
	case "time":
		return frame.Time, true
	case "json":
		return frame.JSON, true
	}
	for t := frame.Int8; t <= frame.EnumType; t++ {
		if t.String() == name {
			return t, true
		}
	}
	return 0, false
}

// readData reads the object under "data", in one go unless something stands
// beside the values: that is needed while they are read, and comes after them.
func readData(s *scanner, f *frame.Frame) error {
	rest, start := s.b[s.i:], s.i
	err := errBeside
	if !bytes.Contains(rest, []byte(`"entities"`)) && !bytes.Contains(rest, []byte(`"nanos"`)) {
		err = readValuesOnly(s, f)
	}
	if errors.Is(err, errBeside) {
		s.i = start
		for i, field := range f.Fields {
			f.Fields[i] = frame.NewFieldOf(field.Name, field.Labels, field.Type(), field.Nullable())
			f.Fields[i].Config = field.Config
		}
		err = readParts(s, f)
	}
	if err != nil {
		return fmt.Errorf("data: %w", err)
	}
	return nil
}

var errBeside = errors.New("something stands beside the values")

func readValuesOnly(s *scanner, f *frame.Frame) error {
	read := false
	return s.object(func(key string) error {
		switch {
		case key == "entities" || key == "nanos":
			return errBeside
		case key != "values":
			return fmt.Errorf("unexpected key %q", key)
		case read:
			return fmt.Errorf("key %q twice", key)
		}
		read = true
		var beside beside
		beside.pad(len(f.Fields))
		return readValues(s, f, &beside)
	})
}

// readParts looks for the parts first.
func readParts(s *scanner, f *frame.Frame) error {
	parts := map[string][]byte{}
	err := s.object(func(key string) error {
		if key != "values" && key != "entities" && key != "nanos" {
			return fmt.Errorf("unexpected key %q", key)
		}
		if parts[key] != nil {
			return fmt.Errorf("key %q twice", key)
		}
		raw, err := s.skip()
		parts[key] = raw
		return err
	})
	if err != nil || parts["values"] == nil {
		return err
	}
	var beside beside
	if err := beside.read(parts["entities"], parts["nanos"], len(f.Fields)); err != nil {
		return err
	}
	return readValues(&scanner{b: parts["values"]}, f, &beside)
}

// beside is what the data holds beside the values, by field.
type beside struct {
	entities []*entityRows
	nanos    [][]int64
}

// entityRows are the rows of a column that JSON has no number for.
type entityRows struct{ NaN, Inf, NegInf []int }

func (b *beside) read(entities, nanos []byte, fields int) error {
	if entities != nil {
		if err := json.Unmarshal(entities, &b.entities); err != nil {
			return fmt.Errorf("entities: %w", err)
		}
	}
	if nanos != nil {
		if err := json.Unmarshal(nanos, &b.nanos); err != nil {
			return fmt.Errorf("nanos: %w", err)
		}
	}
	if len(b.entities) > fields || len(b.nanos) > fields {
		return fmt.Errorf("entities of %d fields, nanos of %d, in a frame of %d", len(b.entities), len(b.nanos), fields)
	}
	b.pad(fields)
	return nil
}

// pad makes up for fields that nothing is told of.
func (b *beside) pad(fields int) {
	b.entities = append(b.entities, make([]*entityRows, fields-len(b.entities))...)
	b.nanos = append(b.nanos, make([][]int64, fields-len(b.nanos))...)
}

// readValues reads the array of columns. No columns at all is no rows.
func readValues(s *scanner, f *frame.Frame, beside *beside) error {
	columns := 0
	err := s.array(func(i int) error {
		if i >= len(f.Fields) {
			return fmt.Errorf("more columns than the schema's %d fields", len(f.Fields))
		}
		columns++
		// A cell takes two bytes at least: what the first column promises may
		// not be there.
		f.Fields[i].Grow(min(f.Rows(), (len(s.b)-s.i)/2))
		c := column{s: s, f: f.Fields[i], entities: beside.entities[i], nanos: beside.nanos[i]}
		if err := c.read(); err != nil {
			return fmt.Errorf("field %q: row %d: %w", c.f.Name, c.f.Len(), err)
		}
		if err := c.f.Err(); err != nil {
			return err
		}
		if c.f.Len() != f.Rows() {
			return fmt.Errorf("field %q has %d rows, the first field %d", c.f.Name, c.f.Len(), f.Rows())
		}
		return nil
	})
	if err == nil && columns > 0 && columns < len(f.Fields) {
		err = fmt.Errorf("%d columns for the schema's %d fields", columns, len(f.Fields))
	}
	return err
}
