package tape

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// cell is a value as a driver gave it. In JSON, null, a bool, a string and a
// whole number (int64) are themselves; anything else says what it is, as in
// {"float64": "1.5"}.
type cell struct{ value any }

func (c cell) MarshalJSON() ([]byte, error) {
	kind, text := "", ""
	switch v := c.value.(type) {
	case nil, bool, int64:
		return json.Marshal(v)
	case string:
		if utf8.ValidString(v) {
			return json.Marshal(v)
		}
		kind, text = "string", base64.StdEncoding.EncodeToString([]byte(v))
	case []byte:
		if kind, text = "bytes", string(v); !utf8.Valid(v) {
			kind, text = "base64", base64.StdEncoding.EncodeToString(v)
		}
	case time.Time:
		kind, text = "time", v.Format(time.RFC3339Nano)
	case float64:
		kind, text = "float64", strconv.FormatFloat(v, 'g', -1, 64)
	case float32:
		kind, text = "float32", strconv.FormatFloat(float64(v), 'g', -1, 32)
	case uint64:
		kind, text = "uint64", strconv.FormatUint(v, 10)
	default:
		return nil, fmt.Errorf("a value of type %T cannot be recorded", v)
	}
	return json.Marshal(map[string]string{kind: text})
}

func (c *cell) UnmarshalJSON(b []byte) error {
	if b[0] != '{' {
		decoder := json.NewDecoder(strings.NewReader(string(b)))
		decoder.UseNumber()
		if err := decoder.Decode(&c.value); err != nil {
			return err
		}
		number, ok := c.value.(json.Number)
		if !ok {
			return nil
		}
		whole, err := number.Int64()
		c.value = whole
		return err
	}
	var typed map[string]string
	if err := json.Unmarshal(b, &typed); err != nil {
		return err
	}
	for kind, text := range typed {
		var err error
		if c.value, err = parse(kind, text); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	return nil
}

func parse(kind, text string) (any, error) {
	switch kind {
	case "string":
		b, err := base64.StdEncoding.DecodeString(text)
		return string(b), err
	case "bytes":
		return []byte(text), nil
	case "base64":
		return base64.StdEncoding.DecodeString(text)
	case "time":
		return time.Parse(time.RFC3339Nano, text)
	case "float64":
		return strconv.ParseFloat(text, 64)
	case "float32":
		v, err := strconv.ParseFloat(text, 32)
		return float32(v), err
	case "uint64":
		return strconv.ParseUint(text, 10, 64)
	}
	return nil, fmt.Errorf("no such kind of value")
}

// without is the cell with its secrets taken out, or all of it.
func (c cell) without(hide *strings.Replacer, all bool) cell {
	switch v := c.value.(type) {
	case string:
		if all {
			return cell{redacted}
		}
		return cell{hide.Replace(v)}
	case []byte:
		if all {
			return cell{[]byte(redacted)}
		}
		return cell{[]byte(hide.Replace(string(v)))}
	}
	return c
}

// scanTypes are what drivers say of their columns.
var scanTypes = func() map[string]reflect.Type {
	types := map[string]reflect.Type{}
	for _, v := range []any{
		false, "", []byte{}, time.Time{}, sql.RawBytes{}, float32(0), float64(0),
		0, int8(0), int16(0), int32(0), int64(0), uint(0), uint8(0), uint16(0), uint32(0), uint64(0),
		sql.NullBool{}, sql.NullString{}, sql.NullTime{}, sql.NullFloat64{}, sql.NullInt16{}, sql.NullInt32{}, sql.NullInt64{}, sql.NullByte{},
	} {
		types[reflect.TypeOf(v).String()] = reflect.TypeOf(v)
	}
	return types
}()
