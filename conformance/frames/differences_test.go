package frames

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framejson"
)

// The tests of this file name every known difference between the libraries.
// Each shows both sides: if the official one changes, the test fails, and the
// difference may go.

// Writing.

// A time that int64 nanoseconds cannot tell wraps silently there, and is an
// error here.
func TestDifferenceTimeOutOfRange(t *testing.T) {
	far := []time.Time{time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)}
	theirs := officialRoundTrip(t, data.NewFrame("", data.NewField("t", nil, far)))
	if year := theirs.Fields[0].At(0).(time.Time).Year(); year != 1830 {
		t.Errorf("the official SDK made %d of the year 3000", year)
	}
	_, err := frame.New("", frame.NewField("t", nil, far)).MarshalArrow()
	wantError(t, err, `field "t": row 0: time 3000-01-01T00:00:00Z is outside`)
}

// A name or label that is not UTF-8 goes through to JSON there, which is then
// not JSON, and becomes U+FFFD here.
func TestDifferenceBadUTF8InNames(t *testing.T) {
	theirs, _ := data.FrameToJSON(data.NewFrame("\xff", data.NewField("\xff", data.Labels{"a": "\xff"}, []int8{})), data.IncludeAll)
	if utf8.Valid(theirs) {
		t.Errorf("the official SDK wrote %s", theirs)
	}
	ours, err := framejson.Append(nil, frame.New("\xff", frame.NewField("\xff", frame.Labels{"a": "\xff"}, []int8{})), framejson.IncludeAll)
	if want := strings.ReplaceAll(string(theirs), "\xff", "\ufffd"); err != nil || string(ours) != want {
		t.Errorf("got %s, %v, want %s", ours, err, want)
	}
}

// A JSON cell that is a value with more behind it goes through there, and is
// null here like every other cell that is not JSON; a number too large for a
// float64 is null there, and kept here.
func TestDifferenceJSONCells(t *testing.T) {
	cells := []json.RawMessage{json.RawMessage(`1 2`), json.RawMessage(`{"a":1e999}`)}
	theirs, _ := data.FrameToJSON(data.NewFrame("", data.NewField("j", nil, cells)), data.IncludeDataOnly)
	if string(theirs) != `{"data":{"values":[[1 2,null]]}}` {
		t.Errorf("the official SDK wrote %s", theirs)
	}
	ours, _ := framejson.Append(nil, frame.New("", frame.NewField("j", nil, cells)), framejson.IncludeDataOnly)
	if string(ours) != `{"data":{"values":[[null,{"a":1e999}]]}}` {
		t.Errorf("we wrote %s", ours)
	}
}

// From Arrow to JSON without building frames the official SDK fails for a file
// without rows, writes no value for empty JSON, does not escape HTML, and
// rounds times before 1970 up.
func TestDifferenceArrowToJSON(t *testing.T) {
	empty, _ := frame.New("e").MarshalArrow()
	_, err := data.ArrowBufferToJSON(empty, data.IncludeAll)
	wantError(t, err, "no records found")
	if got := transcoded(t, empty); got != `{"schema":{"name":"e","fields":[]},"data":{"values":[]}}` {
		t.Errorf("we wrote %s", got)
	}

	file, _ := frame.New("",
		frame.NewField("j", nil, []json.RawMessage{nil}),
		frame.NewField("s", nil, []string{"<"}),
		frame.NewField("t", nil, []time.Time{time.Unix(0, -1)}),
	).MarshalArrow()
	theirs, _ := data.ArrowBufferToJSON(file, data.IncludeDataOnly)
	if string(theirs) != `{"data":{"values":[[],["<"],[0]],"nanos":[null,null,[-1]]}}` {
		t.Errorf("the official SDK wrote %s", theirs)
	}
	if got := transcoded(t, file); !strings.HasSuffix(got, `"data":{"values":[[null],["\u003c"],[-1]],"nanos":[null,null,[999999]]}}`) {
		t.Errorf("we wrote %s", got)
	}
}

// A JSON cell that is nil in a field that is not nullable leaves a hole in the
// array there, and is null here, which the official reader takes.
func TestDifferenceNilJSON(t *testing.T) {
	cells := []json.RawMessage{json.RawMessage(`{}`), nil}
	file, err := data.NewFrame("", data.NewField("j", nil, cells)).MarshalArrow()
	if err != nil {
		t.Fatal(err)
	}
	if theirs, err := data.ArrowBufferToJSON(file, data.IncludeAll); err != nil || json.Valid(theirs) {
		t.Errorf("the official SDK wrote %s, %v", theirs, err)
	}
	ours := transcoded(t, file)
	if !strings.HasSuffix(ours, `"data":{"values":[[{},null]]}}`) {
		t.Errorf("we wrote %s", ours)
	}
	if err := json.Unmarshal([]byte(ours), new(data.Frame)); err != nil {
		t.Errorf("the official SDK does not read it: %v", err)
	}
}

// Two frames come out there without a comma between them. Here they are what
// Append writes of each, with one: the official SDK reads that.
func TestDifferenceFrames(t *testing.T) {
	f := data.NewFrame("f", data.NewField("v", nil, []int8{1}))
	if b, err := (&data.Frames{f, f}).MarshalJSON(); err != nil || json.Valid(b) {
		t.Errorf("the official SDK wrote %s, %v", b, err)
	}
	one, err := framejson.Append(nil, frame.New("f", frame.NewField("v", nil, []int8{1})), framejson.IncludeAll)
	if err != nil {
		t.Fatal(err)
	}
	var theirs data.Frames
	if err := json.Unmarshal(fmt.Appendf(nil, "[%s,%s]", one, one), &theirs); err != nil || len(theirs) != 2 || theirs[1].At(0, 0) != int8(1) {
		t.Errorf("the official SDK reads %v, %v", theirs, err)
	}
}

// Reading Arrow.

// Times come back in the zone of the process there, and in UTC here.
func TestDifferenceTimeZone(t *testing.T) {
	local := time.Local
	time.Local = zone
	defer func() { time.Local = local }()
	theirs := officialRoundTrip(t, data.NewFrame("", data.NewField("t", nil, []time.Time{from})))
	if got := theirs.Fields[0].At(0).(time.Time).Location(); got != zone {
		t.Errorf("the official SDK read a time in %v", got)
	}
	b, _ := frame.New("", frame.NewField("t", nil, []time.Time{from.In(zone)})).MarshalArrow()
	ours, err := frame.UnmarshalArrow(b)
	if err != nil || ours.Fields[0].At(0) != from {
		t.Errorf("got %v, %v", ours.Fields[0].At(0), err)
	}
}

// Timestamps of other units are taken as nanoseconds there, and are an error
// here.
func TestDifferenceTimeUnit(t *testing.T) {
	b := arrowFile(t, array.NewRecordBatch(
		arrow.NewSchema([]arrow.Field{{Name: "t", Type: arrow.FixedWidthTypes.Timestamp_ms}}, nil),
		[]arrow.Array{array.MakeFromData(array.NewData(arrow.FixedWidthTypes.Timestamp_ms, 1, []*memory.Buffer{nil, memory.NewBufferBytes([]byte{1, 0, 0, 0, 0, 0, 0, 0})}, nil, 0, 0))}, 1))
	theirs, err := data.UnmarshalArrowFrame(b)
	if err != nil || theirs.Fields[0].At(0).(time.Time).UnixNano() != 1 {
		t.Errorf("the official SDK read %v, %v", theirs, err)
	}
	_, err = frame.UnmarshalArrow(b)
	wantError(t, err, `field "t": timestamps in units of 1e-3 s`)
}

// Compressed record batches are read there, and are an error here: no plugin
// sends them, and they are a way to fill a host's memory.
func TestDifferenceCompression(t *testing.T) {
	b := arrowFile(t, array.NewRecordBatch(
		arrow.NewSchema([]arrow.Field{{Name: "i", Type: arrow.PrimitiveTypes.Int64}}, nil),
		[]arrow.Array{array.MakeFromData(array.NewData(arrow.PrimitiveTypes.Int64, 100, []*memory.Buffer{nil, memory.NewBufferBytes(make([]byte, 800))}, nil, 0, 0))}, 100),
		ipc.WithZstd())
	if theirs, err := data.UnmarshalArrowFrame(b); err != nil || theirs.Rows() != 100 {
		t.Errorf("the official SDK read %v, %v", theirs, err)
	}
	_, err := frame.UnmarshalArrow(b)
	wantError(t, err, "compressed columns are not known here")
}

// Reading JSON.

// readings are inputs that the official reader takes wrongly or panics at, and
// that are an error here.
var readings = []struct{ name, schema, data, theirs, ours string }{{
	"nanos before values",
	`{"name":"t","typeInfo":{"frame":"time.Time"}}`, `{"nanos":[[1,2]],"values":[[0,0]]}`,
	"panic: runtime error: index out of range [1] with length 1", "",
}, {
	"an entity of a row that is not there",
	`{"name":"f","typeInfo":{"frame":"float64"}}`, `{"values":[[1]],"entities":[{"NaN":[7]}]}`,
	"panic: runtime error: index out of range [7] with length 1", `field "f": row 1: an entity in row 7`,
}, {
	"a number among bools",
	`{"name":"b","typeInfo":{"frame":"bool"}}`, `{"values":[[1]]}`,
	"panic: interface conversion: interface {} is float64, not bool", `field "b": row 0: neither true nor false`,
}, {
	"an integer out of range",
	`{"name":"i","typeInfo":{"frame":"int8"}}`, `{"values":[[300]]}`,
	"[44]", `field "i": row 0: "300" is out of range`,
}, {
	"a fraction among integers",
	`{"name":"i","typeInfo":{"frame":"int8"}}`, `{"values":[[1.5]]}`,
	"[1]", `field "i": row 0: "1.5" is not an integer`,
}, {
	"a time out of range",
	`{"name":"t","typeInfo":{"frame":"time.Time"}}`, `{"values":[[32503680000000]]}`,
	"[1830-11-23 00:50:52.580896768 +0000 UTC]", `field "t": row 0: time 3000-01-01T00:00:00Z is outside`,
}, {
	"a number among strings",
	`{"name":"s","typeInfo":{"frame":"string"}}`, `{"values":[[1.5]]}`,
	"[1.5]", `field "s": row 0: '1' where '"' is expected`,
}, {
	"fewer columns than fields",
	`{"name":"a","typeInfo":{"frame":"int8"}},{"name":"b","typeInfo":{"frame":"int8"}}`, `{"values":[[1]]}`,
	"[1]", `1 columns for the schema's 2 fields`,
}}

func TestDifferencesReadingJSON(t *testing.T) {
	for _, r := range readings {
		t.Run(r.name, func(t *testing.T) {
			input := []byte(`{"schema":{"fields":[` + r.schema + `]},"data":` + r.data + `}`)
			if got := officialFirstColumn(input); got != r.theirs {
				t.Errorf("the official SDK read %s, not %s", got, r.theirs)
			}
			_, err := framejson.Unmarshal(input)
			if r.ours == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, r.ours)
		})
	}
}

// officialFirstColumn returns what the official reader makes of a frame's first
// column, or its panic.
func officialFirstColumn(b []byte) (text string) {
	defer func() {
		if p := recover(); p != nil {
			text = fmt.Sprint("panic: ", p)
		}
	}()
	f := &data.Frame{}
	if err := json.Unmarshal(b, f); err != nil {
		return err.Error()
	}
	var cells []any
	for i := range f.Fields[0].Len() {
		cells = append(cells, f.Fields[0].At(i))
	}
	return fmt.Sprint(cells)
}

// Where both do the same, though something else could be expected.

// A limit that is NaN or infinite is null in JSON, and no limit when read.
func TestSameLimitLost(t *testing.T) {
	text := []byte(`{"max":null}`)
	var theirs data.FieldConfig
	var ours frame.Config
	if err := json.Unmarshal(text, &theirs); err != nil || theirs.Max != nil {
		t.Errorf("the official SDK read %v, %v", theirs.Max, err)
	}
	if err := json.Unmarshal(text, &ours); err != nil || ours.Max != nil {
		t.Errorf("we read %v, %v", ours.Max, err)
	}
}

// An interval or statistic that is NaN is an error.
func TestSameNaNError(t *testing.T) {
	theirs := data.NewFrame("", data.NewField("f", nil, []int8{1}).SetConfig(&data.FieldConfig{Interval: math.NaN()}))
	if _, err := theirs.MarshalArrow(); err == nil {
		t.Error("the official SDK takes it")
	}
	ours := frame.New("", with(frame.NewField("f", nil, []int8{1}), &frame.Config{Interval: math.NaN()}))
	_, err := ours.MarshalArrow()
	wantError(t, err, `field "f": config: json: unsupported value: NaN`)
	_, err = framejson.Append(nil, ours, framejson.IncludeAll)
	wantError(t, err, `field "f": config: json: unsupported value: NaN`)
}

func wantError(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("got error %v, want %q in it", err, text)
	}
}

func officialRoundTrip(t *testing.T, f *data.Frame) *data.Frame {
	t.Helper()
	b, err := f.MarshalArrow()
	if err != nil {
		t.Fatal(err)
	}
	got, err := data.UnmarshalArrowFrame(b)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// transcoded returns our JSON of an Arrow file.
func transcoded(t *testing.T, file []byte) string {
	t.Helper()
	f, err := frame.UnmarshalArrow(file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := framejson.Append(nil, f, framejson.IncludeAll)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func arrowFile(t *testing.T, batch arrow.RecordBatch, opts ...ipc.Option) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := ipc.NewFileWriter(&out, append(opts, ipc.WithSchema(batch.Schema()))...)
	if err == nil {
		err = w.Write(batch)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
