package frametest_test

import (
	"fmt"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/frametest"
)

// In a test, Equal(t, got, want) reports these lines.
func ExampleDiff() {
	want := frame.New("f", frame.NewField("v", nil, []float64{1, 2}))
	got := frame.New("g", frame.NewField("v", nil, []float64{1, 3}))
	for _, line := range frametest.Diff(got, want) {
		fmt.Println(line)
	}
	// Output:
	// name: got "g", want "f"
	// field 0 "v": row 1: got 3, want 2
}

func ExampleText() {
	f := frame.New("f",
		frame.NewField("v", frame.Labels{"a": "b"}, []float64{1, 2}),
		frame.NewNullableField("s", nil, []*string{new("x"), nil}),
	)
	fmt.Print(frametest.Text(f))
	// Output:
	// frame "f"
	// field "v" float64 labels {"a":"b"}
	// field "s" string?
	// 1	"x"
	// 2	null
}
