package plugintest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

type lamp struct{ broken bool }

func openLamp(_ context.Context, s plugin.Settings[struct {
	Broken bool `json:"broken"`
}]) (*lamp, error) {
	return &lamp{broken: s.Values.Broken}, nil
}

func (l *lamp) CheckHealth(context.Context) (plugin.Health, error) {
	if l.broken {
		return plugin.Health{}, errors.New("it is dark")
	}
	return plugin.Health{Message: "it shines"}, nil
}

// An author's test asks the plugin as a host would.
func TestStart(t *testing.T) {
	client := plugintest.Start(t, plugin.App(openLamp))
	for settings, want := range map[string]plugin.Health{
		`{}`:              {Status: plugin.HealthOK, Message: "it shines"},
		`{"broken":true}`: {Status: plugin.HealthError, Message: "it is dark"},
	} {
		got, err := client.CheckHealth(t.Context(), &plugin.HealthRequest{
			Context: plugin.Context{App: &plugin.AppSettings{JSON: []byte(settings)}},
		})
		if err != nil || got.Status != want.Status || got.Message != want.Message {
			t.Errorf("%s: got %v, %v", settings, got, err)
		}
	}
}
