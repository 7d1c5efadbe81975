package main

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/host/hosttest"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

// shop makes an SQLite file and returns its path.
func shop(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "shop.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.Exec(`CREATE TABLE orders (at INTEGER, item TEXT, price REAL);
		INSERT INTO orders VALUES (100, 'tea', 2.5), (200, 'cake', NULL), (300, 'tea', 2.75)`)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSQL(t *testing.T) {
	p := hosttest.Run(t, ".", plugin.Context{DataSource: &plugin.DataSourceSettings{
		UID: "shop", JSON: fmt.Appendf(nil, `{"path":%q,"maxRows":3}`, shop(t)),
	}})
	about := plugin.TimeRange{From: time.Unix(150, 0), To: time.Unix(300, 0)}
	for query, want := range map[string]string{
		"SELECT at, item, price FROM orders WHERE at BETWEEN @from AND @to": "at int64 200 300 | item string cake tea | price float64 <nil> 2.75",
		"SELECT 1 AS a UNION ALL SELECT 'x'":                                "a string 1 x",
		"SELECT datetime(at, 'unixepoch') AS at FROM orders LIMIT 1":        "at string 1970-01-01 00:01:40",
		"SELECT * FROM orders WHERE 1 = 0":                                  "at int64 | item string | price float64",
		"SELECT 1 FROM orders a, orders b":                                  "1 int64 1 1 1, only the first 3 rows are shown: the row limit was reached",
	} {
		frames, err := p.QueryRange(fmt.Sprintf(`{"sql":%q}`, query), about)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		var columns []string
		for _, f := range frames[0].Fields {
			column := f.Name + " " + f.Type().String()
			for i := range f.Len() {
				column += fmt.Sprint(" ", f.At(i))
			}
			columns = append(columns, column)
		}
		got := strings.Join(columns, " | ")
		for _, notice := range frames[0].Meta.Notices {
			got += ", " + notice.Text
		}
		if got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", query, got, want)
		}
	}
}

func TestFaults(t *testing.T) {
	p := hosttest.Run(t, ".", plugin.Context{DataSource: &plugin.DataSourceSettings{
		UID: "shop", JSON: fmt.Appendf(nil, `{"path":%q}`, shop(t)),
	}})
	check := func(query, want string) {
		t.Helper()
		_, err := p.Query(fmt.Sprintf(`{"sql":%q}`, query))
		failure, ok := errors.AsType[*plugin.Error](err)
		if !ok {
			t.Fatalf("%s: got %v", query, err)
		}
		if got := fmt.Sprintf("%d %s: %s", failure.Status, failure.Source, failure.Message); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s", query, got)
		}
	}
	check("", "400 downstream: query: sql is missing")
	check("SELECT colour FROM orders", "400 downstream: query: SQL logic error: no such column: colour")
	check("ATTACH '/tmp/other.db' AS other", "400 downstream: query: SQL logic error: too many attached databases")
	check("DELETE FROM orders", "400 downstream: query: attempt to write a readonly database")
	p.Context.DataSource.JSON = []byte(`{"path":"/no/such/file"}`)
	p.Context.DataSource.Updated = time.Now()
	check("SELECT 1", "502 downstream: open /no/such/file: ")
}

func TestSuite(t *testing.T) {
	plugintest.Suite(t, plugin.DataSource(open), plugintest.Subject{
		Context:     plugin.Context{DataSource: &plugin.DataSourceSettings{UID: "shop", JSON: fmt.Appendf(nil, `{"path":%q}`, shop(t))}},
		Query:       `{"sql":"SELECT * FROM orders"}`,
		Slow:        `{"sql":"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c"}`,
		BadSettings: []string{`{"path":"/no/such/file"}`},
		BadQueries:  []string{`{}`, `{"sql":"SELEC"}`, `{"sql":"SELECT 1","format":"graph"}`},
	})
}
