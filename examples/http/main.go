// Command http is a data source over a web API: readings of weather stations,
// asked through one client per data source, with a key in a header.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/httpclient"
)

func main() { plugin.Main(plugin.DataSource(open)) }

// settings are what the example reads itself. The client reads more: headers
// such as the one with the key, TLS, timeouts.
type settings struct {
	URL string `json:"url"`
}

type model struct {
	Station string `json:"station" plugboard:"text"`
}

// reading is what the API answers a list of. A station that was out of order
// has no value.
type reading struct {
	Time  time.Time `json:"time"`
	Value *float64  `json:"value"`
}

// api is one data source. Its client, and the connections it keeps, live as
// long as the settings stay as they are.
type api struct {
	base   *url.URL
	client *http.Client
}

func open(_ context.Context, s plugin.Settings[settings]) (*api, error) {
	base, err := url.Parse(s.Values.URL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, plugin.BadRequest("settings: url must be that of the API, such as https://api.example.org")
	}
	client, err := httpclient.New(s)
	return &api{base, client}, err
}

// Close closes the connections that the client keeps.
func (a *api) Close() error {
	a.client.CloseIdleConnections()
	return nil
}

func (a *api) Query(ctx context.Context, q plugin.Query[model]) (frame.Frames, error) {
	if q.Model.Station == "" {
		return nil, plugin.BadRequest("query: station is missing")
	}
	var readings []reading
	err := a.get(ctx, "readings", url.Values{
		"station": {q.Model.Station},
		"from":    {q.TimeRange.From.UTC().Format(time.RFC3339)},
		"to":      {q.TimeRange.To.UTC().Format(time.RFC3339)},
	}, &readings)
	if err != nil {
		return nil, err
	}
	times, values := make([]time.Time, len(readings)), make([]*float64, len(readings))
	for i, r := range readings {
		times[i], values[i] = r.Time, r.Value
	}
	return frame.Frames{frame.New("readings",
		frame.NewField("time", nil, times),
		frame.NewNullableField("value", frame.Labels{"station": q.Model.Station}, values))}, nil
}

func (a *api) CheckHealth(ctx context.Context) (plugin.Health, error) {
	var stations []string
	err := a.get(ctx, "stations", nil, &stations)
	return plugin.Health{Message: fmt.Sprintf("the API has %d stations", len(stations))}, err
}

// get asks the API and decodes its answer.
func (a *api) get(ctx context.Context, path string, query url.Values, into any) error {
	target := a.base.JoinPath(path)
	target.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return err
	}
	response, err := a.client.Do(request)
	if err != nil {
		return httpclient.Fault(err)
	}
	defer response.Body.Close()
	if err := httpclient.Refusal(response); err != nil {
		return err
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return plugin.Downstream(fmt.Errorf("the API's answer: %w", err))
	}
	return nil
}
