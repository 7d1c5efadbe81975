package plugin_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

type museumSettings struct {
	URL      string        `json:"url" title:"Address" plugboard:"required" examples:"http://localhost:8080"`
	Timeout  time.Duration `json:"timeout" title:"Timeout" default:"30s" group:"Limits"`
	Language string        `json:"language" enum:"en,nl" default:"en"`
	Token    string        `secret:"token" title:"API token" plugboard:"required"`
}

type museumModel struct {
	Artist string `json:"artist" title:"Artist" plugboard:"required,text" options:"artists?language={language}"`
	Limit  int    `json:"limit" min:"1" max:"1000" default:"10"`
	Filter string `json:"filter" language:"sql" options:"words?before={before}"`
}

type museum struct{ settings museumSettings }

func openMuseum(_ context.Context, s plugin.Settings[museumSettings]) (*museum, error) {
	return &museum{s.Values}, nil
}

func (m *museum) Query(_ context.Context, q plugin.Query[museumModel]) (frame.Frames, error) {
	return frame.Frames{frame.New("", frame.NewField("limit", nil, []int64{int64(q.Model.Limit)}),
		frame.NewField("timeout", nil, []string{m.settings.Timeout.String()}))}, nil
}

func (m *museum) CheckHealth(context.Context) (plugin.Health, error) {
	return plugin.Health{Message: m.settings.Language}, nil
}

func TestDescribe(t *testing.T) {
	d, err := plugintest.Start(t, plugin.DataSource(openMuseum)).Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(d.Capabilities, " ") != "query health" || d.Chunked || d.QueryText != "artist" {
		t.Errorf("got %+v", d)
	}
	const settings = `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{` +
		`"url":{"title":"Address","examples":["http://localhost:8080"],"type":"string","minLength":1},` +
		`"jsonData":{"type":"object","properties":{` +
		`"timeout":{"title":"Timeout","default":"30s","x-plugboard-group":"Limits","type":["string","integer"],"pattern":"^-?([0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$","examples":["30s","1h30m"]},` +
		`"language":{"default":"en","type":"string","enum":["en","nl"]}}},` +
		`"secureJsonData":{"type":"object","properties":{"token":{"title":"API token","type":"string","writeOnly":true,"minLength":1}},"required":["token"]}},` +
		`"required":["url","secureJsonData"]}`
	if string(d.Settings) != settings {
		t.Errorf("settings:\n%s\nwant\n%s", d.Settings, settings)
	}
	const query = `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{` +
		`"artist":{"title":"Artist","x-plugboard-options":"artists?language={language}","type":"string","minLength":1},` +
		`"limit":{"default":10,"type":"integer","minimum":1,"maximum":1000},` +
		`"filter":{"x-plugboard-options":"words?before={before}","x-plugboard-language":"sql","type":"string"}},"required":["artist"]}`
	if string(d.Query) != query {
		t.Errorf("query:\n%s\nwant\n%s", d.Query, query)
	}
}

func TestDescribeAnApp(t *testing.T) {
	d, err := plugintest.Start(t, plugin.App(opens[museumSettings, none])).Describe(t.Context())
	if err != nil || len(d.Capabilities) != 0 || d.Query != nil || !strings.Contains(string(d.Settings), `{"jsonData":{"type":"object","properties":{"url":{`) {
		t.Errorf("got %+v, %v: %s", d, err, d.Settings)
	}
}

func TestTagsAreKept(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(openMuseum))
	health := func(json, url, token string) string {
		c := source(json)
		c.DataSource.URL, c.DataSource.Secrets = url, plugin.Secrets{"token": token}
		h, err := client.CheckHealth(t.Context(), &plugin.HealthRequest{Context: c})
		if err != nil {
			t.Fatal(err)
		}
		return h.Message
	}
	for _, c := range [][4]string{
		{`{}`, "http://m", "t", "en"},
		{`{"url":"http://m","language":"nl"}`, "", "t", "nl"},
		{`{}`, "", "", "settings: url: is missing\nthe secret token is missing"},
		{`{"language":"de","timeout":"soon"}`, "http://m", "t", `settings: language: want one of en, nl, have "de"; timeout: want a duration such as 1m30s, have "soon"`},
	} {
		if got := health(c[0], c[1], c[2]); got != c[3] {
			t.Errorf("%s: got %q, want %q", c[0], got, c[3])
		}
	}

	c := source(`{"timeout":"2m"}`)
	c.DataSource.Secrets = plugin.Secrets{"token": "t"}
	response, err := client.Query(t.Context(), &plugin.QueryRequest{Context: c, Queries: []plugin.DataQuery{
		query("A", `{"artist":"Vermeer","refId":"A","hide":false,"editorMode":"code"}`),
		query("B", `{"artst":"Vermeer"}`),
		query("C", `{"artist":"Vermeer","limit":0}`),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got := cells(t, response.Responses["A"]); got != "10" {
		t.Errorf("A: got %s", got)
	}
	for refID, want := range map[string]string{
		"B": `query: artist: is missing; did you mean it by "artst"?`,
		"C": `query: limit: want at least 1, have 0`,
	} {
		if r := response.Responses[refID]; r.Error != want || r.Status != http.StatusBadRequest || r.ErrorSource != plugin.SourceDownstream {
			t.Errorf("%s: got %+v", refID, r)
		}
	}
}
