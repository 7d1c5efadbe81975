// Command app is an app plugin on the unmodified official SDK; the tests in
// ../../theirs run it under our host.
package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/app"
	"github.com/grafana/grafana-plugin-sdk-go/backend/instancemgmt"
	"github.com/grafana/grafana-plugin-sdk-go/backend/resource/httpadapter"
)

func main() {
	if err := app.Manage("plugboard-everything-app", open, app.ManageOpts{}); err != nil {
		backend.Logger.Error(err.Error())
		os.Exit(1)
	}
}

type instance struct {
	backend.CallResourceHandler
	name string
}

func open(_ context.Context, settings backend.AppInstanceSettings) (instancemgmt.Instance, error) {
	var model struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(settings.JSONData, &model); err != nil {
		return nil, err
	}
	i := &instance{name: model.Name}
	mux := http.NewServeMux()
	mux.HandleFunc("/whoami", func(rw http.ResponseWriter, r *http.Request) {
		user := backend.UserFromContext(r.Context())
		_ = json.NewEncoder(rw).Encode(map[string]string{"app": i.name, "user": user.Login, "secret": settings.DecryptedSecureJSONData["token"]})
	})
	i.CallResourceHandler = httpadapter.New(mux)
	return i, nil
}

func (i *instance) CheckHealth(context.Context, *backend.CheckHealthRequest) (*backend.CheckHealthResult, error) {
	return &backend.CheckHealthResult{Status: backend.HealthStatusOk, Message: "app " + i.name}, nil
}
