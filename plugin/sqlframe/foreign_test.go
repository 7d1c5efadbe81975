package sqlframe

import (
	"database/sql/driver"
	"fmt"
	"math/big"
	"testing"
	"time"
)

// valuer is a value that tells what it is to databases, as decimals do.
type valuer struct{ text string }

func (v *valuer) Value() (driver.Value, error) { return v.text, nil }

// TestForeignTypes reads what the drivers of SQL Server and ClickHouse return:
// values of more types than database/sql knows.
func TestForeignTypes(t *testing.T) {
	noon := time.Date(1, 1, 1, 12, 30, 0, 5e8, time.UTC)
	small := int32(7)
	for _, test := range []struct {
		dialect Dialect
		of      string
		value   driver.Value
		want    string
	}{
		{SQLServer, "BIT", true, "bool true"},
		{SQLServer, "TINYINT", int64(255), "uint8 255"},
		{SQLServer, "INT", int64(-1), "int32 -1"},
		{SQLServer, "REAL", 0.5, "float32 0.5"},
		{SQLServer, "MONEY", []byte("12.5000"), "float64 12.5"},
		{SQLServer, "DATETIMEOFFSET", time.Unix(-1, 0).UTC(), "time.Time 1969-12-31 23:59:59 +0000 UTC"},
		{SQLServer, "TIME", noon, "string 12:30:00.5"},
		{SQLServer, "UNIQUEIDENTIFIER", []byte("\x67\x45\x23\x01\xab\x89\xef\xcd\x01\x23\x45\x67\x89\xab\xcd\xef"), "string 01234567-89ab-cdef-0123-456789abcdef"},
		{SQLServer, "SQL_VARIANT", int64(5), "int64 5"},
		{ClickHouse, "UInt64", uint64(1 << 63), "uint64 9223372036854775808"},
		{ClickHouse, "Int8", int8(-8), "int8 -8"},
		{ClickHouse, "LowCardinality(Nullable(Int32))", &small, "int32 7"},
		{ClickHouse, "Nullable(Int32)", (*int32)(nil), "int32 <nil>"},
		{ClickHouse, "Decimal(10, 2)", &valuer{"1.25"}, "float64 1.25"},
		{ClickHouse, "Nullable(Decimal(10, 2))", (*valuer)(nil), "float64 <nil>"},
		{ClickHouse, "Int256", big.NewInt(99), "string 99"},
		{ClickHouse, "DateTime64(3, 'Europe/Berlin')", time.Unix(0, 0).UTC(), "time.Time 1970-01-01 00:00:00 +0000 UTC"},
		{ClickHouse, "Array(String)", []string{"a", "b"}, `json.RawMessage ["a","b"]`},
		{ClickHouse, "Map(String, UInt8)", map[string]uint8{"a": 1}, `json.RawMessage {"a":1}`},
		{ClickHouse, "Enum8('a' = 1)", "a", "string a"},
		{ClickHouse, "Float32", float32(0.25), "float32 0.25"},
	} {
		table, err := read(t, Reader{Dialect: test.dialect}, oneColumn(test.of, test.value))
		if err != nil {
			t.Errorf("%s %v: %v", test.of, test.value, err)
			continue
		}
		value := table.Fields[0].At(0)
		if value != nil && fmt.Sprintf("%T", value) == "json.RawMessage" {
			value = fmt.Sprintf("%s", value)
		}
		if got := fmt.Sprint(table.Fields[0].Type(), " ", value); got != test.want {
			t.Errorf("%s %v: got %s, want %s", test.of, test.value, got, test.want)
		}
	}
}
