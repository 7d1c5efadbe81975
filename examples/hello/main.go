// Command hello is a whole data source: it greets whom a query names.
package main

import (
	"context"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

func main() { plugin.Main(plugin.DataSource(open)) }

type settings struct {
	Greeting string `json:"greeting"`
}

type model struct {
	Name string `json:"name" plugboard:"text"`
}

type greeter struct{ greeting string }

func open(_ context.Context, s plugin.Settings[settings]) (*greeter, error) {
	return &greeter{greeting: s.Values.Greeting}, nil
}

func (g *greeter) Query(_ context.Context, q plugin.Query[model]) (frame.Frames, error) {
	return frame.Frames{frame.New("", frame.NewField("greeting", nil, []string{g.greeting + " " + q.Model.Name}))}, nil
}
