package frame

import (
	"encoding/json"
	"time"
)

// Enum is an index into the texts of a field's Config.Type.Enum.
type Enum uint16

// Element is what a cell may hold.
type Element interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 |
		float32 | float64 | bool | string | time.Time | json.RawMessage | Enum
}

// Fixed is an element that lies in its column as Go has it in memory.
type Fixed interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64 | Enum
}

// Type is the element type of a field. The zero Type is that of a Field made
// without a constructor; it holds nothing.
type Type uint8

// The types, each with the Element it holds.
const (
	Int8     Type = iota + 1 // int8
	Int16                    // int16
	Int32                    // int32
	Int64                    // int64
	Uint8                    // uint8
	Uint16                   // uint16
	Uint32                   // uint32
	Uint64                   // uint64
	Float32                  // float32
	Float64                  // float64
	Bool                     // bool, one bit each
	String                   // string
	Time                     // time.Time, kept as int64 Unix nanoseconds
	JSON                     // json.RawMessage
	EnumType                 // Enum
)

// types says of each Type how it is spelled (typeInfo.frame in JSON), which of
// the web's kinds it belongs to, and how many bytes a cell takes (0: not fixed).
var types = [...]struct {
	name, kind string
	width      int
}{
	0:        {"unknown", "other", 0},
	Int8:     {"int8", "number", 1},
	Int16:    {"int16", "number", 2},
	Int32:    {"int32", "number", 4},
	Int64:    {"int64", "number", 8},
	Uint8:    {"uint8", "number", 1},
	Uint16:   {"uint16", "number", 2},
	Uint32:   {"uint32", "number", 4},
	Uint64:   {"uint64", "number", 8},
	Float32:  {"float32", "number", 4},
	Float64:  {"float64", "number", 8},
	Bool:     {"bool", "boolean", 0},
	String:   {"string", "string", 0},
	Time:     {"time.Time", "time", 8},
	JSON:     {"json.RawMessage", "other", 0},
	EnumType: {"enum", "enum", 2},
}

// String returns the type as JSON's typeInfo spells it: int8 … float64, bool,
// string, time.Time, json.RawMessage, enum.
func (t Type) String() string { return t.entry().name }

// Kind returns what the web calls the type: number, boolean, string, time,
// enum or other.
func (t Type) Kind() string { return t.entry().kind }

func (t Type) width() int { return t.entry().width }

func (t Type) entry() (e struct {
	name, kind string
	width      int
}) {
	if int(t) >= len(types) {
		return types[0]
	}
	return types[t]
}

// typeOf returns the type that holds T.
func typeOf[T Element]() Type {
	var zero T
	switch any(zero).(type) {
	case int8:
		return Int8
	case int16:
		return Int16
	case int32:
		return Int32
	case int64:
		return Int64
	case uint8:
		return Uint8
	case uint16:
		return Uint16
	case uint32:
		return Uint32
	case uint64:
		return Uint64
	case float32:
		return Float32
	case float64:
		return Float64
	case bool:
		return Bool
	case string:
		return String
	case time.Time:
		return Time
	case json.RawMessage:
		return JSON
	default:
		return EnumType
	}
}
