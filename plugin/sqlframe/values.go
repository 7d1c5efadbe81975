package sqlframe

import (
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/plugboard/plugboard/frame"
)

// typed is a column whose values are all of one type.
type typed struct {
	field *frame.Field
	read  reading
	size  *int
	times int // that the field cannot hold
}

func newTyped(name string, of frame.Type, size *int, read reading) *typed {
	return &typed{field: frame.NewFieldOf(name, nil, of, true), size: size, read: read}
}

// reading appends what a driver read, which is not nil.
type reading func(c *typed, value any) error

// Scan appends a value as the driver hands it over.
func (c *typed) Scan(value any) error {
	value, err := plain(value)
	if err != nil {
		return err
	}
	if value == nil {
		c.field.AppendNull()
		return nil
	}
	*c.size += length(value)
	return c.read(c, value)
}

// length is that of a value whose size is not known from its type.
func length(value any) int {
	switch v := value.(type) {
	case string:
		return len(v)
	case []byte:
		return len(v)
	}
	return 0
}

func (c *typed) end() (*frame.Field, int) {
	field, times := c.field, c.times
	c.field, c.times = frame.NewFieldOf(field.Name, nil, field.Type(), true), 0
	return field, times
}

// plain makes one of the types that database/sql knows, or uint64 or float32,
// of what some drivers hand over beside them: numbers of other sizes, pointers,
// and values that can say what they are. Anything else stays what it is.
func plain(value any) (any, error) {
	switch v := value.(type) {
	case nil, int64, float64, bool, []byte, string, time.Time, uint64, float32:
		return value, nil
	case driver.Valuer:
		if at := reflect.ValueOf(v); at.Kind() == reflect.Pointer && at.IsNil() {
			return nil, nil
		}
		return v.Value()
	}
	switch v := reflect.ValueOf(value); {
	case v.CanInt():
		return v.Int(), nil
	case v.CanUint():
		return v.Uint(), nil
	case v.Kind() == reflect.Pointer && v.IsNil():
		return nil, nil
	}
	if text, ok := value.(fmt.Stringer); ok {
		return text.String(), nil
	}
	if v := reflect.ValueOf(value); v.Kind() == reflect.Pointer {
		return plain(v.Elem().Interface())
	}
	return value, nil
}

// readings are how the values of a field's type are read.
var readings = map[frame.Type]reading{
	frame.Int8:    readInt[int8],
	frame.Int16:   readInt[int16],
	frame.Int32:   readInt[int32],
	frame.Int64:   readInt[int64],
	frame.Uint8:   readInt[uint8],
	frame.Uint16:  readInt[uint16],
	frame.Uint32:  readInt[uint32],
	frame.Uint64:  readUint64,
	frame.Float32: readFloat[float32],
	frame.Float64: readFloat[float64],
	frame.Bool:    readBool,
	frame.Time:    readTime,
	frame.JSON:    readJSON,
	frame.String:  readText,
}

func readInt[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32](c *typed, value any) (err error) {
	var n int64
	switch v := value.(type) {
	case int64:
		n = v
	case uint64:
		if n = int64(v); n < 0 {
			return misfit(c, value)
		}
	case []byte:
		n, err = strconv.ParseInt(string(v), 10, 64)
	case string:
		n, err = strconv.ParseInt(v, 10, 64)
	default:
		return misfit(c, value)
	}
	if err != nil || int64(T(n)) != n {
		return misfit(c, value)
	}
	frame.Append(c.field, T(n))
	return nil
}

func readUint64(c *typed, value any) (err error) {
	var n uint64
	switch v := value.(type) {
	case uint64:
		n = v
	case int64:
		if n = uint64(v); v < 0 {
			return misfit(c, value)
		}
	case []byte:
		n, err = strconv.ParseUint(string(v), 10, 64)
	case string:
		n, err = strconv.ParseUint(v, 10, 64)
	default:
		return misfit(c, value)
	}
	if err != nil {
		return misfit(c, value)
	}
	frame.Append(c.field, n)
	return nil
}

// readBits reads MySQL's BIT(n): up to eight bytes, the highest first.
func readBits(c *typed, value any) error {
	bits, ok := value.([]byte)
	if !ok || len(bits) > 8 {
		return misfit(c, value)
	}
	n := uint64(0)
	for _, b := range bits {
		n = n<<8 | uint64(b)
	}
	frame.Append(c.field, n)
	return nil
}

func readFloat[T float32 | float64](c *typed, value any) (err error) {
	var n float64
	switch v := value.(type) {
	case float64:
		n = v
	case float32:
		n = float64(v)
	case int64:
		n = float64(v)
	case []byte:
		n, err = strconv.ParseFloat(string(v), 64)
	case string:
		n, err = strconv.ParseFloat(v, 64)
	default:
		return misfit(c, value)
	}
	if err != nil && !math.IsInf(n, 0) { // what is too large becomes infinite
		return misfit(c, value)
	}
	frame.Append(c.field, T(n))
	return nil
}

func readBool(c *typed, value any) (err error) {
	var yes bool
	switch v := value.(type) {
	case bool:
		yes = v
	case int64:
		yes = v != 0
	case []byte:
		yes, err = strconv.ParseBool(string(v))
	case string:
		yes, err = strconv.ParseBool(v)
	default:
		return misfit(c, value)
	}
	if err != nil {
		return misfit(c, value)
	}
	frame.Append(c.field, yes)
	return nil
}

// The years that int64 nanoseconds tell in full.
const firstYear, lastYear = 1678, 2261

// readTime reads a time. One beyond those that a field holds becomes null, and
// so do PostgreSQL's infinity and MySQL's 0000-00-00.
func readTime(c *typed, value any) error {
	var at time.Time
	switch v := value.(type) {
	case time.Time:
		at = v
	case string:
		if strings.HasSuffix(v, "infinity") {
			break
		}
		var err error
		if at, err = parseTime(v); err != nil {
			return misfit(c, value)
		}
	case []byte:
		return readTime(c, string(v))
	default:
		return misfit(c, value)
	}
	if year := at.UTC().Year(); year < firstYear || year > lastYear {
		c.times++
		c.field.AppendNull()
		return nil
	}
	frame.Append(c.field, at)
	return nil
}

func readJSON(c *typed, value any) error {
	switch v := value.(type) {
	case []byte:
		frame.Append(c.field, json.RawMessage(v))
	case string:
		frame.Append(c.field, json.RawMessage(v))
	default:
		written, err := json.Marshal(v)
		if err != nil {
			return misfit(c, value)
		}
		frame.Append(c.field, json.RawMessage(written))
	}
	return nil
}

func readText(c *typed, value any) error {
	switch v := value.(type) {
	case string:
		frame.Append(c.field, strings.ToValidUTF8(v, "\ufffd"))
	default:
		frame.Append(c.field, text(value))
	}
	return nil
}

// readBytea reads PostgreSQL's bytes, in its own words.
func readBytea(c *typed, value any) error {
	v, ok := value.([]byte)
	if !ok {
		return readText(c, value)
	}
	frame.Append(c.field, `\x`+hex.EncodeToString(v))
	return nil
}

// readMixedUUID reads SQL Server's UUIDs, whose first three parts have their
// lowest byte first.
func readMixedUUID(c *typed, value any) error {
	b, ok := value.([]byte)
	if !ok || len(b) != 16 {
		return readText(c, value)
	}
	frame.Append(c.field, fmt.Sprintf("%08x-%04x-%04x-%x-%x",
		binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint16(b[4:]), binary.LittleEndian.Uint16(b[6:]), b[8:10], b[10:]))
	return nil
}

// readTimeOfDay reads times of day, which some drivers give a date.
func readTimeOfDay(c *typed, value any) error {
	if at, ok := value.(time.Time); ok {
		value = at.Format("15:04:05.999999999")
	}
	return readText(c, value)
}

// readTimeAndZone reads times of day with a zone, as PostgreSQL writes them.
func readTimeAndZone(c *typed, value any) error {
	if at, ok := value.(time.Time); ok {
		value = strings.TrimSuffix(at.Format("15:04:05.999999999-07:00"), ":00")
	}
	return readText(c, value)
}

// text is any value that a driver returns, as text.
func text(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case []byte:
		if utf8.Valid(v) {
			return string(v)
		}
		return "0x" + hex.EncodeToString(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprint(value)
}

// misfit is a value that a column's type does not explain. The value may be
// anything, so it is told shortened.
func misfit(c *typed, value any) error {
	return fmt.Errorf("%.40q (%T) is no %v", text(value), value, c.field.Type())
}

// timeTexts are the spellings of times that databases have.
var timeTexts = []string{
	time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999",
	time.DateTime + ".999999999", "2006-01-02 15:04", "2006-01-02T15:04", time.DateOnly,
}

func parseTime(text string) (time.Time, error) {
	for _, layout := range timeTexts {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is not a time", text)
}

// epochTime reads a number as Unix seconds, milliseconds, microseconds or
// nanoseconds, by its size: any of them, for times from 1973 to 2262.
func epochTime(v float64) time.Time {
	seconds := v
	for limit := 1e11; math.Abs(v) >= limit && limit < 1e18; limit *= 1e3 {
		seconds /= 1e3
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)).UTC().Round(time.Microsecond)
}
