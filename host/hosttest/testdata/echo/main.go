// Command echo is a data source that says what it is told.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

func main() { plugin.Main(plugin.DataSource(open)) }

type settings struct {
	Prefix string `json:"prefix"`
}

type model struct {
	Say string `json:"say"`
}

type echo struct{ prefix string }

func open(_ context.Context, s plugin.Settings[settings]) (*echo, error) {
	return &echo{s.Values.Prefix}, nil
}

func (e *echo) Query(_ context.Context, q plugin.Query[model]) (frame.Frames, error) {
	if q.Model.Say == "" {
		return nil, plugin.BadRequest("nothing to say")
	}
	return frame.Frames{frame.New("", frame.NewField("said", nil, []string{e.prefix + q.Model.Say}))}, nil
}

func (e *echo) CheckHealth(ctx context.Context) (plugin.Health, error) {
	c := plugin.ContextFrom(ctx)
	return plugin.Health{Message: c.PluginID + " " + c.PluginVersion}, nil
}

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprint(w, r.Method, " ", r.URL.Path, " ", r.FormValue("q"), " ")
	_ = http.NewResponseController(w).Flush()
	_, _ = io.Copy(w, r.Body)
}
