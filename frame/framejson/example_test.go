package framejson_test

import (
	"fmt"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framejson"
)

// Write a frame as JSON, into a buffer that is used again and again.
func ExampleAppend() {
	f := frame.New("cities",
		frame.NewField("city", nil, []string{"Seattle", "Oslo"}),
		frame.NewNullableField("rain", nil, []*float64{new(1.5), nil}),
	)
	var buffer []byte
	for _, include := range []framejson.Include{framejson.IncludeSchemaOnly, framejson.IncludeDataOnly} {
		var err error
		if buffer, err = framejson.Append(buffer[:0], f, include); err != nil {
			fmt.Println(err)
		}
		fmt.Printf("%s\n", buffer)
	}
	// Output:
	// {"schema":{"name":"cities","fields":[{"name":"city","type":"string","typeInfo":{"frame":"string"}},{"name":"rain","type":"number","typeInfo":{"frame":"float64","nullable":true}}]}}
	// {"data":{"values":[["Seattle","Oslo"],[1.5,null]]}}
}

func ExampleUnmarshal() {
	f, err := framejson.Unmarshal([]byte(`{
		"schema": {"name": "n", "fields": [{"name": "count", "typeInfo": {"frame": "uint8"}}]},
		"data": {"values": [[1, 2, 300]]}
	}`))
	fmt.Println(f, err)
	// Output:
	// <nil> frame in JSON: data: field "count": row 2: "300" is out of range
}
