// Package sql is the bundled data source plugin that asks PostgreSQL, MySQL and
// SQLite in SQL. It answers to the ids of Grafana's own sources for the first
// two, and takes their settings and queries.
package sql

import (
	"bytes"
	"context"
	_ "embed" // plugin.json
	"encoding/json"
	"fmt"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/sqlframe"
)

// Manifest is the plugin's plugin.json.
//
//go:embed plugin.json
var Manifest []byte

// Plugin returns the plugin.
func Plugin() plugin.Plugin { return plugin.DataSource(open) }

// model is a query. Grafana's editors keep more in it, which is theirs.
type model struct {
	// RawSQL is the query, with macros such as $__timeFilter(column).
	RawSQL string `json:"rawSql" plugboard:"text" title:"SQL" description:"With macros such as $__timeFilter(column)." format:"multiline" language:"sql" options:"completions" examples:"SELECT date, temp_max FROM weather WHERE $__timeFilter(date)"`
	// Params are the query's parameters: $1 and so on in PostgreSQL, else ?.
	Params []param `json:"params" title:"Parameters" description:"$1 and so on in PostgreSQL, else ?."`
	// Format is "table", "time_series" or "logs"; without one, it is
	// time_series for data sources of Grafana's types and table for ours.
	Format *sqlframe.Format `json:"format" title:"Format" examples:"\"table\"\n\"time_series\"\n\"logs\""`
}

// param is a JSON string, number, bool or null.
type param struct{ value any }

// UnmarshalJSON keeps whole numbers exact.
func (p *param) UnmarshalJSON(b []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	if err := decoder.Decode(&p.value); err != nil {
		return err
	}
	switch v := p.value.(type) {
	case json.Number:
		if whole, err := v.Int64(); err == nil {
			p.value = whole
			return nil
		}
		var err error
		p.value, err = v.Float64()
		return err
	case nil, string, bool:
		return nil
	}
	return fmt.Errorf("a parameter is a string, a number, a bool or null, not %.20s", b)
}

// source is one data source.
type source struct {
	*database
	reader sqlframe.Reader
	// format is that of queries without one.
	format sqlframe.Format
	// interval is the shortest that macros get.
	interval time.Duration
}

func open(ctx context.Context, s plugin.Settings[settings]) (*source, error) {
	call := plugin.ContextFrom(ctx)
	d, err := openDatabase(call.PluginID, s.Values)
	if err != nil {
		return nil, err
	}
	limits, err := s.Values.limits(call.GrafanaConfig)
	if err != nil {
		_ = d.Close()
		return nil, err
	}
	limits.apply(d.db)
	opened := &source{
		database: d,
		reader:   sqlframe.Reader{Dialect: d.dialect, Limit: limits.rows},
		interval: limits.interval,
	}
	if _, grafanas := grafanaTypes[call.PluginID]; grafanas {
		opened.format = sqlframe.TimeSeries
	}
	return opened, nil
}

// Query answers with one frame, or one for each result set.
func (s *source) Query(ctx context.Context, q plugin.Query[model]) (frame.Frames, error) {
	query, err := s.query(q)
	if err != nil {
		return nil, err
	}
	return s.ask(ctx, s.reader, query)
}

// QueryChunks is Query for answers that are not to be in memory whole.
func (s *source) QueryChunks(ctx context.Context, q plugin.Query[model], send func(*frame.Frame) error) error {
	query, err := s.query(q)
	if err != nil {
		return err
	}
	return s.askChunks(ctx, s.reader, query, send)
}

func (s *source) query(q plugin.Query[model]) (sqlframe.Query, error) {
	if q.Model.RawSQL == "" {
		return sqlframe.Query{}, plugin.BadRequest("query: rawSql is missing")
	}
	query := sqlframe.Query{SQL: q.Model.RawSQL, Format: s.format, TimeRange: q.TimeRange, Interval: max(q.Interval, s.interval)}
	if q.Model.Format != nil {
		query.Format = *q.Model.Format
	}
	for _, p := range q.Model.Params {
		query.Args = append(query.Args, p.value)
	}
	return query, nil
}

// CheckHealth tells what the database is, and counts its tables.
func (s *source) CheckHealth(ctx context.Context) (plugin.Health, error) {
	version, err := s.version(ctx)
	if err != nil {
		return plugin.Health{}, err
	}
	tables, err := s.tables(ctx)
	if err != nil {
		return plugin.Health{}, err
	}
	noun := "tables"
	if len(tables) == 1 {
		noun = "table"
	}
	details, err := json.Marshal(map[string]string{"engine": s.product, "version": version})
	return plugin.Health{
		Status:  plugin.HealthOK,
		Message: fmt.Sprintf("%s %s: database has %d %s", s.product, version, len(tables), noun),
		Details: details,
	}, err
}
