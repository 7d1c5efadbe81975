package sql

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/sqlframe"
)

// ServeHTTP answers GET /tables with the names of the tables and views, and GET
// /columns?table=NAME with the columns of one. Tables of another schema than the
// connection's are named with it: schema.table. GET /completions answers with
// the names of both and with the macros, for editors to complete.
func (s *source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /tables", func(w http.ResponseWriter, r *http.Request) {
		tables, err := s.tables(r.Context())
		answer(w, tables, err)
	})
	routes.HandleFunc("GET /columns", func(w http.ResponseWriter, r *http.Request) {
		columns, err := s.columns(r.Context(), r.FormValue("table"))
		answer(w, columns, err)
	})
	routes.HandleFunc("GET /completions", func(w http.ResponseWriter, r *http.Request) {
		words, err := s.words(r.Context())
		answer(w, words, err)
	})
	routes.ServeHTTP(w, r)
}

func answer(w http.ResponseWriter, v any, err error) {
	if err != nil {
		status := http.StatusBadGateway
		if failure, ok := errors.AsType[*plugin.Error](err); ok && failure.Status != 0 {
			status = failure.Status
		}
		http.Error(w, err.Error(), status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client went away
}

// version is what the database calls its version.
func (d *database) version(ctx context.Context) (string, error) {
	rows, err := d.list(ctx, d.statements.version)
	if err != nil || len(rows) == 0 {
		return "", err
	}
	number, _, _ := strings.Cut(rows[0][0], " ") // what follows is the packager's
	return number, nil
}

func (d *database) tables(ctx context.Context) ([]string, error) {
	rows, err := d.list(ctx, d.statements.tables)
	names := make([]string, 0, len(rows))
	for _, row := range rows {
		names = append(names, row[0])
	}
	return names, err
}

// columnInfo is a column of a table.
type columnInfo struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

func (d *database) columns(ctx context.Context, table string) ([]columnInfo, error) {
	if table == "" {
		return nil, plugin.BadRequest("columns: table is missing: ask for /columns?table=NAME")
	}
	rows, err := d.list(ctx, d.statements.columns, table)
	columns := make([]columnInfo, 0, len(rows))
	for _, row := range rows {
		columns = append(columns, columnInfo{row[0], row[1]})
	}
	return columns, err
}

// word is one that an editor completes, and what it is.
type word struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

// mostWords bounds the columns that are told to editors.
const mostWords = 10_000

// macros are those of package sqlframe that people write most.
var macros = []word{
	{"$__timeFilter(", "column: rows in the time range"}, {"$__timeGroup(", "column, interval: times in steps"},
	{"$__timeGroupAlias(", "the same, AS time"}, {"$__timeFrom()", "begin of the time range"}, {"$__timeTo()", "its end"},
	{"$__unixEpochFilter(", "column: the same, of Unix seconds"}, {"$__unixEpochGroup(", "column, interval: Unix seconds in steps"},
	{"$__unixEpochFrom()", "begin of the time range in Unix seconds"}, {"$__unixEpochTo()", "its end"},
	{"$__interval", "the step of a graph"}, {"$__interval_ms", "the same in milliseconds"},
}

// words are the macros, the tables and their columns.
func (d *database) words(ctx context.Context) ([]word, error) {
	rows, err := d.list(ctx, d.statements.words)
	if err != nil {
		return nil, err
	}
	words := slices.Clone(macros)
	for i, row := range rows {
		if i == 0 || row[0] != rows[i-1][0] {
			words = append(words, word{row[0], "table"})
		}
		words = append(words, word{row[1], row[0] + " · " + strings.ToLower(row[2])})
	}
	return words, nil
}

// list answers a query of our own as texts, the first rows of it.
func (d *database) list(ctx context.Context, query string, args ...any) ([][]string, error) {
	answer, err := d.ask(ctx, sqlframe.Reader{Dialect: d.dialect, Limit: mostWords}, sqlframe.Query{SQL: query, Args: args})
	if err != nil {
		return nil, err
	}
	rows := make([][]string, answer[0].Rows())
	for _, field := range answer[0].Fields {
		for i := range rows {
			text, _ := frame.Value[string](field, i)
			rows[i] = append(rows[i], text)
		}
	}
	return rows, nil
}
