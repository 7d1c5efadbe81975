// Command http is a data source over a web API: readings of weather stations,
// asked through one client per data source, with a key in a header.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

func main() { plugin.Main(plugin.DataSource(open)) }

type settings struct {
	URL string `json:"url"`
	// Header takes the key; empty means X-Api-Key.
	Header string `json:"header"`
	APIKey string `secret:"apiKey"`
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

// maxAnswer is more than any honest answer has, in bytes.
const maxAnswer = 16 << 20

// api is one data source. Its client, and the connections it keeps, live as
// long as the settings stay as they are.
type api struct {
	base   *url.URL
	client *http.Client
	pool   *http.Transport
}

func open(_ context.Context, s plugin.Settings[settings]) (*api, error) {
	base, err := url.Parse(s.Values.URL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, plugin.BadRequest("settings: url must be that of the API, such as https://api.example.org")
	}
	if s.Values.Header == "" {
		s.Values.Header = "X-Api-Key"
	}
	pool := http.DefaultTransport.(*http.Transport).Clone()
	return &api{
		base: base,
		pool: pool,
		client: &http.Client{
			Timeout:   30 * time.Second,
			Transport: withKey{s.Values.Header, s.Values.APIKey, base, pool},
		},
	}, nil
}

// Close closes the connections that the client keeps.
func (a *api) Close() error {
	a.pool.CloseIdleConnections()
	return nil
}

// withKey adds the key to requests to the API. It is none of the business of a
// host that the API redirects to.
type withKey struct {
	header, key string
	api         *url.URL
	next        http.RoundTripper
}

func (k withKey) RoundTrip(r *http.Request) (*http.Response, error) {
	if k.key != "" && r.URL.Host == k.api.Host && r.URL.Scheme == k.api.Scheme {
		r = r.Clone(r.Context()) // a RoundTripper leaves its request as it is
		r.Header.Set(k.header, k.key)
	}
	return k.next.RoundTrip(r)
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
	if err := a.get(ctx, "stations", nil, &stations); err != nil {
		return plugin.Health{}, err
	}
	return plugin.Health{Message: fmt.Sprintf("the API has %d stations", len(stations))}, nil
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
		return plugin.Downstream(err)
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return plugin.Downstream(fmt.Errorf("the API refuses the key: %s", response.Status))
	default:
		return plugin.Downstream(fmt.Errorf("the API answers %s", response.Status))
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(into); err != nil {
		return plugin.Downstream(fmt.Errorf("the API's answer: %w", err))
	}
	return nil
}
