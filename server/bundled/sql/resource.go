package sql

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/sqlframe"
)

// ServeHTTP answers GET /tables with the names of the tables and views, and GET
// /columns?table=NAME with the columns of one, for editors to complete. Tables
// of another schema than the connection's are named with it: schema.table.
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

// list answers a query of our own as texts.
func (d *database) list(ctx context.Context, query string, args ...any) ([][]string, error) {
	answer, err := d.ask(ctx, sqlframe.Reader{Dialect: d.dialect}, sqlframe.Query{SQL: query, Args: args})
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
