// Command embed is a program that runs plugins itself: it asks one of them a
// query. It needs a folder of plugins, and is explained in the guide.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
)

func main() {
	h, err := host.New(host.Config{PluginDirs: []string{"./plugins"}, AllowUnsigned: []string{"*"}})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- h.Run(ctx) }()

	answer, err := h.Query(ctx, &plugin.QueryRequest{
		Context: plugin.Context{
			PluginID:   "acme-weather-datasource",
			DataSource: &plugin.DataSourceSettings{ID: 1, UID: "weather", URL: "https://weather.example.org"},
		},
		Queries: []plugin.DataQuery{{RefID: "A", JSON: []byte(`{"city": "Oslo"}`)}},
	})
	if err != nil {
		log.Fatal(err)
	}
	frames, err := answer.Responses["A"].Decode()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(frames[0].Name, frames[0].Rows(), "rows")

	stop()
	if err := <-stopped; err != nil {
		log.Fatal(err)
	}
}
