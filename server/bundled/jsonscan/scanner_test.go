package jsonscan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

// build reads a value the long way round, as encoding/json would return it.
func build(s *Scanner) (any, error) {
	kind, err := s.Kind()
	if err != nil {
		return nil, unexpectedEOF(err)
	}
	switch kind {
	case Object:
		object := map[string]any{}
		err := s.Object(func(key []byte) error {
			name := string(key)
			value, err := build(s)
			object[name] = value
			return err
		})
		return object, err
	case Array:
		array := []any{}
		err := s.Array(func() error {
			value, err := build(s)
			array = append(array, value)
			return err
		})
		return array, err
	case String:
		text, err := s.Text()
		return string(text), err
	}
	raw, err := s.Raw()
	if err != nil {
		return nil, err
	}
	if kind == Number {
		return strconv.ParseFloat(string(raw), 64)
	}
	var value any
	return value, json.Unmarshal(raw, &value)
}

// read reads a whole text, through a reader that gives it out byte by byte.
func read(text string) (any, error) {
	s := New(iotest.OneByteReader(strings.NewReader(text)))
	value, err := build(s)
	if err != nil {
		return nil, err
	}
	return value, s.End()
}

var texts = []string{
	`{"status":"success","data":{"result":[{"metric":{"a":"b"},"values":[[1700000000.123,"42"],[1,"NaN"]]}]}}`,
	` [ 1 , -0.5e+10 , true,false , null , "" , [] , {} ] `,
	`"\u00e9\ud83d\ude00\n\"é\ud800"`, "\"\xff\"", "\"\x01\"",
	`[1,]`, `{"a"}`, `{"a":1,}`, `{1:2}`, `01`, `-`, `1.`, `1e`, `tru`, `nulls`, `"\x"`, `"\u12g4"`, `[`, `{`, `"`, ``, `1 2`, `+1`, `.5`, `"a`, `{"a":`,
	"\ufeff1", `{"\u0061":1}`, `1e400`,
}

func TestAsEncodingJSON(t *testing.T) {
	for _, text := range texts {
		compare(t, text)
	}
}

func FuzzScanner(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(compare)
}

func compare(t *testing.T, text string) {
	var want any
	wantErr := json.Unmarshal([]byte(text), &want)
	got, err := read(text)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%q: error %v, encoding/json has %v", text, err, wantErr)
	}
	if err == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("%q: %v, want %v", text, got, want)
	}
	s := New(strings.NewReader(text))
	raw, rawErr := s.Raw()
	if rawErr == nil {
		rawErr = errors.Join(s.End())
	}
	if valid := json.Valid([]byte(text)); (rawErr == nil) != valid {
		t.Fatalf("%q: Raw %q, %v; valid %v", text, raw, rawErr, valid)
	}
}

func TestDepth(t *testing.T) {
	deep := strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1)
	if err := New(strings.NewReader(deep)).Skip(); err == nil || !strings.Contains(err.Error(), "nested too deep") {
		t.Error(err)
	}
	if err := New(strings.NewReader(deep[1 : len(deep)-1])).Skip(); err != nil {
		t.Error(err)
	}
}

// TestLongValues reads values longer than the buffer, keys before them.
func TestLongValues(t *testing.T) {
	long := strings.Repeat("x", 3*firstBuffer)
	for _, text := range []string{
		fmt.Sprintf(`{%q: %q}`, long, long),
		fmt.Sprintf(`[%q, [%q]]`, long, long),
	} {
		compare(t, text)
		raw, err := New(strings.NewReader(" " + text)).Raw()
		if err != nil || !bytes.Equal(raw, []byte(text)) {
			t.Errorf("%d bytes, %v", len(raw), err)
		}
	}
}

func TestErrorOfTheReader(t *testing.T) {
	lost := errors.New("lost")
	s := New(io.MultiReader(strings.NewReader(`{"a": [1, 2`), iotest.ErrReader(lost)))
	if err := s.Skip(); !errors.Is(err, lost) {
		t.Error(err)
	}
}

func Example() {
	s := New(strings.NewReader(`{"skipped": [1, 2], "rows": [[1, "one"], [2, "two"]]}`))
	err := s.Object(func(key []byte) error {
		if string(key) != "rows" {
			return s.Skip()
		}
		return s.Array(func() error {
			raw, err := s.Raw()
			fmt.Println(string(raw))
			return err
		})
	})
	fmt.Println(err)
	// Output:
	// [1, "one"]
	// [2, "two"]
	// <nil>
}
