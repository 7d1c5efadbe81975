package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/instancemgmt"
	"github.com/grafana/grafana-plugin-sdk-go/backend/resource/httpadapter"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var answered = promauto.NewCounterVec(prometheus.CounterOpts{
	Name: "sun_queries_total",
	Help: "Queries answered, by what they show.",
}, []string{"show"})

// city is where one looks at the sky from.
type city struct {
	Name      string  `json:"name"`
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
}

var cities = []city{
	{"Seattle", 47.61, -122.33},
	{"Reykjavik", 64.15, -21.94},
	{"Nairobi", -1.29, 36.82},
	{"Sydney", -33.87, 151.21},
}

func findCity(name string) (city, error) {
	var names []string
	for _, c := range cities {
		if strings.EqualFold(c.Name, name) {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return city{}, fmt.Errorf("no city %q, only %s", name, strings.Join(names, ", "))
}

// settings is the data source's jsonData.
type settings struct {
	// City is looked at where a query names none; default Seattle.
	City string `json:"city"`
}

// source is one data source.
type source struct {
	backend.CallResourceHandler
	home city
}

func open(_ context.Context, config backend.DataSourceInstanceSettings) (instancemgmt.Instance, error) {
	s := settings{City: "Seattle"}
	if err := json.Unmarshal(config.JSONData, &s); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	home, err := findCity(s.City)
	if err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /cities", listCities)
	return &source{CallResourceHandler: httpadapter.New(routes), home: home}, nil
}

// model is a query.
type model struct {
	// City is the data source's own by default.
	City string `json:"city"`
	// Show is "altitude" (default), in degrees, or "daylight", in hours a day.
	Show string `json:"show"`
}

// QueryData answers the queries one by one.
func (s *source) QueryData(_ context.Context, req *backend.QueryDataRequest) (*backend.QueryDataResponse, error) {
	response := backend.NewQueryDataResponse()
	for _, q := range req.Queries {
		response.Responses[q.RefID] = s.answer(q)
	}
	return response, nil
}

func (s *source) answer(q backend.DataQuery) backend.DataResponse {
	m := model{City: s.home.Name, Show: "altitude"}
	if err := json.Unmarshal(q.JSON, &m); err != nil {
		return backend.ErrDataResponseWithSource(backend.StatusBadRequest, backend.ErrorSourceDownstream, "query: "+err.Error())
	}
	c, err := findCity(m.City)
	if err != nil {
		return backend.ErrDataResponseWithSource(backend.StatusBadRequest, backend.ErrorSourceDownstream, err.Error())
	}
	var frame *data.Frame
	switch m.Show {
	case "altitude":
		frame = series("altitude", "degree", c, q.TimeRange, step(q, time.Minute), altitude)
	case "daylight":
		frame = series("daylight", "h", c, q.TimeRange, step(q, 24*time.Hour), daylight)
	default:
		return backend.ErrDataResponseWithSource(backend.StatusBadRequest, backend.ErrorSourceDownstream,
			fmt.Sprintf(`no such thing to show: %q, only "altitude" and "daylight"`, m.Show))
	}
	answered.WithLabelValues(m.Show).Inc()
	return backend.DataResponse{Frames: data.Frames{frame}}
}

// step is the distance between points: what the query asks for, but no less
// than least, and so much that maxDataPoints are not exceeded.
func step(q backend.DataQuery, least time.Duration) time.Duration {
	points := max(1, q.MaxDataPoints)
	span := q.TimeRange.To.Sub(q.TimeRange.From)
	return max(least, q.Interval, (span / time.Duration(points)).Round(time.Second))
}

// series computes a value for every step of the time range.
func series(name, unit string, c city, r backend.TimeRange, step time.Duration, value func(time.Time, city) float64) *data.Frame {
	var times []time.Time
	var values []float64
	for at := r.From.UTC().Truncate(step); at.Before(r.To); at = at.Add(step) {
		if at.Before(r.From) {
			continue
		}
		times = append(times, at)
		values = append(values, value(at, c))
	}
	field := data.NewField(name, data.Labels{"city": c.Name}, values)
	field.SetConfig(&data.FieldConfig{Unit: unit})
	frame := data.NewFrame(name, data.NewField("time", nil, times), field)
	frame.SetMeta(&data.FrameMeta{Type: data.FrameTypeTimeSeriesMulti, TypeVersion: data.FrameTypeVersion{0, 1}})
	return frame
}

// CheckHealth has nothing to check but that the settings were right.
func (s *source) CheckHealth(context.Context, *backend.CheckHealthRequest) (*backend.CheckHealthResult, error) {
	now := altitude(time.Now(), s.home)
	details, err := json.Marshal(map[string]any{"city": s.home, "altitude": now})
	if err != nil {
		return nil, err
	}
	return &backend.CheckHealthResult{
		Status:      backend.HealthStatusOk,
		Message:     fmt.Sprintf("The sun stands at %.1f degrees over %s", now, s.home.Name),
		JSONDetails: details,
	}, nil
}

func listCities(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(cities); err != nil {
		backend.Logger.Debug("cities", "error", err)
	}
}
