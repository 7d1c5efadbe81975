package frame_test

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/frametest"
)

// place is embedded in a row.
type place struct {
	City string `frame:"city"`
	note string
}

type celsius float64

// everything has a struct field of each kind that becomes a field.
type everything struct {
	place
	I8    int8
	I16   int16
	I32   int32
	I64   int64
	I     int
	U8    uint8
	U16   uint16
	U32   uint32
	U64   uint64
	U     uint
	F32   float32
	F64   celsius `frame:"temperature, outside"`
	B     bool
	S     string
	T     time.Time
	J     json.RawMessage
	E     frame.Enum
	Took  time.Duration
	Maybe *int
	Word  *string `frame:""`
	Once  *time.Time
	Left  []string `frame:"-"`
	index map[string]int
}

func TestFromStructs(t *testing.T) {
	at := time.Date(2024, 2, 29, 1, 2, 3, 4, time.UTC)
	rows := []everything{{
		place{"Oslo", "left out"}, -8, -16, -32, -64, math.MinInt, 8, 16, 32, 64, math.MaxUint, 1.5, 2.5, true, "text", at,
		json.RawMessage(`{}`), 3, time.Second, new(7), new("word"), new(at), []string{"left out"}, nil,
	}, {}, {place: place{City: "Rome"}, T: at, Maybe: new(8)}}
	rows[1].T = at
	got, err := frame.FromStructs("all", rows)
	if err != nil {
		t.Fatal(err)
	}
	frametest.Equal(t, got, frame.New("all",
		frame.NewField("city", nil, []string{"Oslo", "", "Rome"}),
		frame.NewField("I8", nil, []int8{-8, 0, 0}), frame.NewField("I16", nil, []int16{-16, 0, 0}),
		frame.NewField("I32", nil, []int32{-32, 0, 0}), frame.NewField("I64", nil, []int64{-64, 0, 0}),
		frame.NewField("I", nil, []int64{math.MinInt, 0, 0}),
		frame.NewField("U8", nil, []uint8{8, 0, 0}), frame.NewField("U16", nil, []uint16{16, 0, 0}),
		frame.NewField("U32", nil, []uint32{32, 0, 0}), frame.NewField("U64", nil, []uint64{64, 0, 0}),
		frame.NewField("U", nil, []uint64{math.MaxUint, 0, 0}),
		frame.NewField("F32", nil, []float32{1.5, 0, 0}), frame.NewField("temperature, outside", nil, []float64{2.5, 0, 0}),
		frame.NewField("B", nil, []bool{true, false, false}), frame.NewField("S", nil, []string{"text", "", ""}),
		frame.NewField("T", nil, []time.Time{at, at, at}), frame.NewField("J", nil, []json.RawMessage{json.RawMessage(`{}`), nil, nil}),
		frame.NewField("E", nil, []frame.Enum{3, 0, 0}), frame.NewField("Took", nil, []int64{1e9, 0, 0}),
		frame.NewNullableField("Maybe", nil, []*int64{new(int64(7)), nil, new(int64(8))}),
		frame.NewNullableField("", nil, []*string{new("word"), nil, nil}),
		frame.NewNullableField("Once", nil, []*time.Time{new(at), nil, nil}),
	))

	none, err := frame.FromStructs[everything]("none", nil)
	if err != nil || none.Rows() != 0 || len(none.Fields) != len(got.Fields) {
		t.Errorf("no rows become %v, %v", none, err)
	}
}

// TestFromStructsMany crosses every edge between blocks of values.
func TestFromStructsMany(t *testing.T) {
	type row struct {
		A *int32
		B bool
	}
	for n := range 300 {
		rows := make([]row, n)
		want := make([]*int32, n)
		for i := range rows {
			rows[i].B = i%3 == 0
			if i%70 != 69 {
				rows[i].A, want[i] = new(int32(i)), new(int32(i))
			}
		}
		got, err := frame.FromStructs("", rows)
		if err != nil {
			t.Fatal(err)
		}
		b := make([]bool, n)
		for i := range b {
			b[i] = i%3 == 0
		}
		frametest.Equal(t, got, frame.New("", frame.NewNullableField("A", nil, want), frame.NewField("B", nil, b)))
	}
}

func TestFromStructsErrors(t *testing.T) {
	type inner struct{ Tags []string }
	_, err := frame.FromStructs("f", []struct {
		inner
		At   any
		Deep **int
	}{})
	for _, part := range []string{
		`frame "f": `, "inner.Tags: []string cannot be a column", ".At: interface {} cannot", ".Deep: **int cannot",
	} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("got error %v, want %q in it", err, part)
		}
	}
	if _, err := frame.FromStructs("f", []int{1}); err == nil || err.Error() != `frame "f": rows are structs, not int` {
		t.Error(err)
	}
	type row struct{ At time.Time }
	_, err = frame.FromStructs("f", []row{{time.Unix(0, 0)}, {time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)}})
	if err == nil || !strings.Contains(err.Error(), `field "At": row 1: time 3000-01-01T00:00:00Z is outside`) {
		t.Error(err)
	}
}

// TestFromStructsAllocates: the columns and what holds them, however many rows.
func TestFromStructsAllocates(t *testing.T) {
	type row struct {
		At    time.Time
		Value *float64
		On    bool
		N     int
	}
	rows := slices.Repeat([]row{{At: time.Unix(1, 0), Value: new(1.5)}, {At: time.Unix(2, 0)}}, 50_000)
	if got := testing.AllocsPerRun(5, func() {
		if _, err := frame.FromStructs("", rows); err != nil {
			t.Fatal(err)
		}
	}); got > 60 {
		t.Errorf("%v allocations for %d rows of %d fields", got, len(rows), reflect.TypeFor[row]().NumField())
	}
}

func BenchmarkFromStructs(b *testing.B) {
	type row struct {
		At            time.Time
		Host          string
		Load, Memory  float64
		Requests      int64
		Retries, Lost *int64
	}
	rows := slices.Repeat([]row{{At: time.Unix(1, 0), Host: "host-1.example", Load: 1.5, Retries: new(int64(1))}}, 100_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := frame.FromStructs("", rows); err != nil {
			b.Fatal(err)
		}
	}
}

// Make a frame of what a program has as structs.
func ExampleFromStructs() {
	type reading struct {
		At       time.Time `frame:"time"`
		Outside  float64   `frame:"temperature"`
		Humidity *float64  `frame:"humidity"` // nil: not measured
		sensor   string
	}
	noon := time.Date(2024, 6, 1, 12, 0, 0, 0, time.UTC)
	f, err := frame.FromStructs("weather", []reading{
		{noon, 17.5, new(0.4), "a"},
		{noon.Add(time.Hour), 18, nil, "b"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, field := range f.Fields {
		fmt.Println(field.Name, field.Type(), field.At(0), field.At(1))
	}
	// Output:
	// time time.Time 2024-06-01 12:00:00 +0000 UTC 2024-06-01 13:00:00 +0000 UTC
	// temperature float64 17.5 18
	// humidity float64 0.4 <nil>
}
