package frame_test

import (
	"fmt"
	"time"

	"github.com/plugboard/plugboard/frame"
)

// Build a frame, send it as an Arrow file, and read it on the other side.
func Example() {
	noon := time.Date(2024, 6, 1, 12, 0, 0, 0, time.UTC)
	f := frame.New("weather",
		frame.NewField("time", nil, []time.Time{noon, noon.Add(time.Hour), noon.Add(2 * time.Hour)}),
		frame.NewField("temperature", frame.Labels{"city": "Seattle"}, []float64{17.5, 18, 18.5}),
		frame.NewNullableField("sky", nil, []*string{new("clear"), nil, new("rain")}),
	)
	f.Fields[1].Config = &frame.Config{Unit: "celsius"}

	b, err := f.MarshalArrow()
	if err != nil {
		fmt.Println(err)
		return
	}

	got, err := frame.UnmarshalArrow(b)
	if err != nil {
		fmt.Println(err)
		return
	}
	mean := 0.0
	for _, v := range frame.Slice[float64](got.Field("temperature")) {
		mean += v / float64(got.Rows())
	}
	fmt.Printf("%s: %d rows, %v °C in %s\n", got.Name, got.Rows(), mean, got.Field("temperature").Labels["city"])
	for row, sky := range frame.Values[string](got.Field("sky")) {
		at, _ := frame.Value[time.Time](got.Field("time"), row)
		fmt.Println(at.Format(time.Kitchen), sky)
	}
	// Output:
	// weather: 3 rows, 18 °C in Seattle
	// 12:00PM clear
	// 2:00PM rain
}

// Fill fields row by row when the rows come one at a time.
func ExampleAppend() {
	name := frame.NewFieldOf("name", nil, frame.String, false)
	age := frame.NewFieldOf("age", nil, frame.Int64, true)
	for _, row := range []struct {
		name string
		age  int64 // 0: unknown
	}{{"Ada", 36}, {"Kurt", 0}} {
		frame.Append(name, row.name)
		if row.age == 0 {
			age.AppendNull()
		} else {
			frame.Append(age, row.age)
		}
	}
	for i := range name.Len() {
		fmt.Println(name.At(i), age.At(i))
	}
	// Output:
	// Ada 36
	// Kurt <nil>
}

// An enum's cells are small numbers; its config names them.
func ExampleEnum() {
	state := frame.NewField("state", nil, []frame.Enum{1, 0, 1})
	state.Config = &frame.Config{Type: &frame.TypeConfig{Enum: &frame.EnumConfig{Text: []string{"down", "up"}}}}

	texts := state.Config.Type.Enum.Text
	for _, e := range frame.Values[frame.Enum](state) {
		fmt.Println(texts[e])
	}
	// Output:
	// up
	// down
	// up
}

// A value that its column cannot take is reported when the frame is sent, with
// the place it stands in.
func ExampleFrame_Validate() {
	f := frame.New("plans", frame.NewField("due", nil, []time.Time{time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)}))
	fmt.Println(f.Validate())
	// Output:
	// frame "plans": field "due": row 0: time 3000-01-01T00:00:00Z is outside 1677-09-21T00:12:43Z .. 2262-04-11T23:47:16Z
}
