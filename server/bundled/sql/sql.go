// Package sql is the bundled data source plugin that asks SQLite files,
// read-only, in SQL.
package sql

import (
	"context"
	_ "embed" // plugin.json
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

// Manifest is the plugin's plugin.json.
//
//go:embed plugin.json
var Manifest []byte

// Plugin returns the plugin.
func Plugin() plugin.Plugin { return plugin.DataSource(open) }

// settings are the data source's.
type settings struct {
	// Path is the SQLite file.
	Path string `json:"path"`
	// RowLimit is the most rows that a query answers; default 1000000.
	RowLimit int `json:"rowLimit"`
}

const defaultRowLimit = 1_000_000

// model is a query.
type model struct {
	// RawSQL is the query, with macros such as $__timeFilter(column).
	RawSQL string `json:"rawSql" plugboard:"text"`
	// Format is "table" (default) or "time_series".
	Format string `json:"format"`
}

// source is one data source.
type source struct {
	*database
	rowLimit int
}

func open(_ context.Context, s plugin.Settings[settings]) (*source, error) {
	if s.Values.Path == "" {
		return nil, plugin.BadRequest("settings: path is missing: it names the SQLite file")
	}
	d, err := openDatabase(s.Values.Path)
	if err != nil {
		return nil, err
	}
	limit := s.Values.RowLimit
	if limit <= 0 {
		limit = defaultRowLimit
	}
	return &source{database: d, rowLimit: limit}, nil
}

// Close closes the file.
func (s *source) Close() error { return s.close() }

// Query answers with one frame.
func (s *source) Query(ctx context.Context, q plugin.Query[model]) (frame.Frames, error) {
	if q.Model.RawSQL == "" {
		return nil, plugin.BadRequest("query: rawSql is missing")
	}
	if f := q.Model.Format; f != "" && f != "table" && f != "time_series" {
		return nil, plugin.BadRequest("query: format %q is neither table nor time_series", f)
	}
	query, err := scope{q.TimeRange, q.Interval}.expand(q.Model.RawSQL)
	if err != nil {
		return nil, plugin.BadRequest("query: %w", err)
	}
	table, err := s.query(ctx, query, s.rowLimit)
	if err != nil {
		return nil, err
	}
	if q.Model.Format == "time_series" {
		notices := table.Meta.Notices
		if table, err = timeSeries(table); err != nil {
			return nil, plugin.BadRequest("query: %w", err)
		}
		table.Meta.Notices = append(notices, table.Meta.Notices...)
	}
	table.Meta.ExecutedQueryString = query
	return frame.Frames{table}, nil
}

// The tables and views of the file, without SQLite's own.
const tablesQuery = `SELECT name, type FROM sqlite_schema
	WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name`

// CheckHealth counts the tables.
func (s *source) CheckHealth(ctx context.Context) (plugin.Health, error) {
	tables, err := s.query(ctx, tablesQuery, s.rowLimit)
	if err != nil {
		return plugin.Health{}, err
	}
	noun := "tables"
	if tables.Rows() == 1 {
		noun = "table"
	}
	return plugin.Health{Status: plugin.HealthOK, Message: fmt.Sprintf("Database has %d %s", tables.Rows(), noun)}, nil
}

// ServeHTTP lists the tables, for GET /tables.
func (s *source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /tables", s.listTables)
	routes.ServeHTTP(w, r)
}

func (s *source) listTables(w http.ResponseWriter, r *http.Request) {
	tables, err := s.query(r.Context(), tablesQuery, s.rowLimit)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	names := []string{}
	for _, name := range frame.Values[string](tables.Field("name")) {
		names = append(names, name)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(names) // the client went away
}
