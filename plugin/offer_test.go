package plugin_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

type none struct{}

func (none) Query(context.Context, plugin.Query[none]) (frame.Frames, error) { return nil, nil }

func opens[S, I any](context.Context, plugin.Settings[S]) (I, error) {
	var i I
	return i, nil
}

func TestAbsentCapabilitiesAreNotImplemented(t *testing.T) {
	source := plugintest.Start(t, plugin.DataSource(opens[none, none]))
	app := plugintest.Start(t, plugin.App(opens[none, none]))
	c := plugin.Context{DataSource: &plugin.DataSourceSettings{}, App: &plugin.AppSettings{}}

	for name, client := range map[string]*plugin.Client{"data source": source, "app": app} {
		_, health := client.CheckHealth(t.Context(), &plugin.HealthRequest{Context: c})
		_, subscribe := client.Subscribe(t.Context(), &plugin.StreamRequest{Context: c})
		_, publish := client.Publish(t.Context(), &plugin.StreamRequest{Context: c})
		for call, err := range map[string]error{
			"health": health, "subscribe": subscribe, "publish": publish,
			"chunks":   client.QueryChunks(t.Context(), &plugin.QueryRequest{Context: c}, nil),
			"resource": client.CallResource(t.Context(), &plugin.ResourceRequest{Context: c}, nil),
			"stream":   client.RunStream(t.Context(), &plugin.StreamRequest{Context: c}, nil),
		} {
			if !errors.Is(err, plugin.ErrNotImplemented) {
				t.Errorf("%s, %s: %v", name, call, err)
			}
		}
	}
	if _, err := app.Query(t.Context(), &plugin.QueryRequest{Context: c}); !errors.Is(err, plugin.ErrNotImplemented) {
		t.Errorf("app, query: %v", err)
	}
}

type mistaken struct{ none }

func (mistaken) CheckHealth() error                                   { return nil }
func (mistaken) QueryBatch(context.Context, []plugin.Query[int]) bool { return false }
func (mistaken) Close()                                               {}

type byPointer struct{ none }

func (*byPointer) CheckHealth(context.Context) (plugin.Health, error) { return plugin.Health{}, nil }

type twoTexts struct {
	A string `plugboard:"text"`
	B string `plugboard:"text"`
}

func (twoTexts) Query(context.Context, plugin.Query[twoTexts]) (frame.Frames, error) { return nil, nil }

func TestFaultsOfTheAuthorStopTheStart(t *testing.T) {
	for want, p := range map[string]plugin.Plugin{
		"method CheckHealth of plugin_test.mistaken has the wrong signature:\n\thave func() error\n\twant func(context.Context) (plugin.Health, error)":                    plugin.DataSource(opens[none, mistaken]),
		"want func(context.Context, []plugin.Query[github.com/plugboard/plugboard/plugin_test.none]) (plugin.Answers, error)":                                              plugin.DataSource(opens[none, mistaken]),
		"method Close of plugin_test.mistaken has the wrong signature:\n\thave func()\n\twant func() error":                                                                plugin.App(opens[none, mistaken]),
		"open returns plugin_test.byPointer, but method CheckHealth is that of *plugin_test.byPointer: return the pointer":                                                 plugin.DataSource(opens[none, byPointer]),
		"open must return a concrete type, not the interface plugin.Querier[github.com/plugboard/plugboard/plugin_test.none]: what the plugin can do is read off the type": plugin.DataSource(opens[none, plugin.Querier[none]]),
		"field B of plugin_test.twoTexts is the second that takes a query's plain text":                                                                                    plugin.DataSource(opens[none, twoTexts]),
		"field N of struct { N int \"plugboard:\\\"text\\\"\" } takes a query's plain text: it must be a string that JSON decodes":                                         plugin.DataSource(opens[none, askedInNumbers]),
		"field Key of struct { Key int \"secret:\\\"key\\\"\" } takes a secret: it must be an exported string": plugin.DataSource(opens[struct {
			Key int `secret:"key"`
		}, none]),
		"field Key of struct { Key string \"secret:\\\"key\\\"\" } takes a secret: it must not be in a list or map": plugin.DataSource(opens[struct {
			Hosts []struct {
				Key string `secret:"key"`
			}
		}, none]),
		"this plugin was not made by plugin.DataSource or plugin.App": {},
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		err = plugin.ServeListener(t.Context(), p, listener, slog.New(slog.NewTextHandler(&bytes.Buffer{}, nil)))
		listener.Close()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

type askedInNumbers struct{}

func (askedInNumbers) Query(context.Context, plugin.Query[struct {
	N int `plugboard:"text"`
}]) (frame.Frames, error) {
	return nil, nil
}

func TestOpeningNothingIsAnError(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(opens[none, *absent]))
	health, err := client.CheckHealth(t.Context(), &plugin.HealthRequest{Context: source(`{}`)})
	if err != nil || health.Status != plugin.HealthError || health.Message != "the plugin opened no data source and gave no reason" {
		t.Errorf("got %+v, %v", health, err)
	}
}

// absent is opened as a nil pointer.
type absent struct{ none }

func (*absent) CheckHealth(context.Context) (plugin.Health, error) { return plugin.Health{}, nil }
