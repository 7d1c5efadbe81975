package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/server/datasource"
)

// demoSources are the data sources of a demo at this address, with its data in
// this folder: three of its own, and one for every data source plugin that was
// found.
func demoSources(address, data string, plugins []host.Plugin) ([]datasource.DataSource, error) {
	path, err := json.Marshal(map[string]string{"path": filepath.Join(data, seattleFile)})
	if err != nil {
		return nil, err
	}
	sources := []datasource.DataSource{
		{UID: "seattle", Name: "Weather in Seattle", Type: "sql", JSON: path},
		{UID: "vitals", Name: "Vitals of this server", Type: "testdata", URL: address + "/metrics"},
		{UID: "testdata", Name: "Test data", Type: "testdata"},
	}
	taken, named := map[string]bool{}, map[string]bool{}
	for _, s := range sources {
		taken[s.UID], named[s.Name] = true, true
	}
	found := foundSources(plugins)
	short := map[string]int{}
	for _, p := range found {
		short[shortID(p.Manifest.ID)]++
	}
	for _, p := range found {
		uid := shortID(p.Manifest.ID)
		if taken[uid] || short[uid] > 1 {
			uid = validUID(p.Manifest.ID)
		}
		name := p.Manifest.Name
		if name == "" || named[name] {
			name = p.Manifest.ID
		}
		named[name] = true
		sources = append(sources, datasource.DataSource{UID: uid, Name: name, Type: p.Manifest.ID})
	}
	for i := range sources {
		sources[i].Access = "proxy"
	}
	return sources, nil
}

// foundSources are the data source plugins that were found in folders.
func foundSources(plugins []host.Plugin) []host.Plugin {
	var found []host.Plugin
	for _, p := range plugins {
		if p.Manifest.Type == "datasource" && p.Manifest.Backend && p.Dir != "" {
			found = append(found, p)
		}
	}
	return found
}

// shortID is what is special about a plugin's id: without the organisation in
// front and the type behind.
func shortID(id string) string {
	name, typed := strings.CutSuffix(id, "-datasource")
	if organisation, rest, ok := strings.Cut(name, "-"); typed && ok && organisation != "" && rest != "" {
		name = rest
	}
	return validUID(name)
}

const longestUID = 40

// validUID replaces what a uid may not have.
func validUID(id string) string {
	valid := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		default:
			return '-'
		}
	}, id)
	return valid[:min(len(valid), longestUID)]
}

// keepSources makes the store hold these data sources. Those of the same uids
// become them, all others stay.
func keepSources(ctx context.Context, store datasource.Store, sources []datasource.DataSource) error {
	for _, wanted := range sources {
		kept, err := store.DataSource(ctx, datasource.ByUID(wanted.UID))
		switch {
		case errors.Is(err, datasource.ErrNotFound):
			_, err = store.Create(ctx, wanted)
		case err == nil:
			kept.Type, kept.URL, kept.Access = wanted.Type, wanted.URL, wanted.Access
			if wanted.JSON != nil {
				kept.JSON = wanted.JSON
			}
			kept.Version = 0 // whichever it is
			_, err = store.Update(ctx, kept)
		}
		if err != nil {
			return fmt.Errorf("data source %s: %w", wanted.UID, err)
		}
	}
	return nil
}

// demoLanding is where the console opens: the vitals as they come, and three
// years of weather beside them.
func demoLanding() string {
	const panes = `[{"range":{"from":"now-5m","to":"now"},"queries":[{"refId":"A","datasource":{"uid":"vitals"},"scenarioId":"vitals"}]},` +
		`{"range":{"from":"2012-01-01","to":"2015-12-31"},"queries":[{"refId":"A","datasource":{"uid":"seattle"},"format":"time_series",` +
		`"rawSql":"SELECT date AS time, temp_max, temp_min\nFROM weather\nWHERE $__timeFilter(date)\nORDER BY date"}]}]`
	return "/explore?panes=" + url.QueryEscape(panes)
}
