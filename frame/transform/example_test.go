package transform_test

import (
	"fmt"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/transform"
)

func ExampleLongToWide() {
	day := func(d int) time.Time { return time.Date(2012, 1, d, 0, 0, 0, 0, time.UTC) }
	long := frame.New("weather",
		frame.NewField("time", nil, []time.Time{day(1), day(1), day(2)}),
		frame.NewField("city", nil, []string{"Oslo", "Seattle", "Seattle"}),
		frame.NewField("high", nil, []float64{-3, 12.8, 10.6}),
	)
	wide, err := transform.LongToWide(long, transform.Fill{Mode: transform.FillPrevious})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, field := range wide.Fields[1:] {
		fmt.Println(field.Name, field.Labels["city"], field.At(0), field.At(1))
	}
	// Output:
	// high Oslo -3 -3
	// high Seattle 12.8 10.6
}
