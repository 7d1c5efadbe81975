// gpx_hello is examples/hello on the official SDK: a whole data source that
// greets whom a query names. Its weight is compared with that of ours.
package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/datasource"
	"github.com/grafana/grafana-plugin-sdk-go/backend/instancemgmt"
	"github.com/grafana/grafana-plugin-sdk-go/data"
)

type settings struct {
	Greeting string `json:"greeting"`
}

type model struct {
	Name string `json:"name"`
}

type greeter struct{ greeting string }

func open(_ context.Context, s backend.DataSourceInstanceSettings) (instancemgmt.Instance, error) {
	var values settings
	if err := json.Unmarshal(s.JSONData, &values); err != nil {
		return nil, err
	}
	return &greeter{greeting: values.Greeting}, nil
}

func (g *greeter) QueryData(_ context.Context, req *backend.QueryDataRequest) (*backend.QueryDataResponse, error) {
	response := backend.NewQueryDataResponse()
	for _, q := range req.Queries {
		var m model
		if err := json.Unmarshal(q.JSON, &m); err != nil {
			response.Responses[q.RefID] = backend.ErrDataResponse(backend.StatusBadRequest, err.Error())
			continue
		}
		frame := data.NewFrame("", data.NewField("greeting", nil, []string{g.greeting + " " + m.Name}))
		response.Responses[q.RefID] = backend.DataResponse{Frames: data.Frames{frame}}
	}
	return response, nil
}

func main() {
	if err := datasource.Manage("hello-datasource", open, datasource.ManageOpts{}); err != nil {
		backend.Logger.Error(err.Error())
		os.Exit(1)
	}
}
