package sql

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
	"github.com/plugboard/plugboard/plugin/sqlframe"
)

// newDatabase makes a file of these statements and opens it as the plugin does.
func newDatabase(t *testing.T, statements string) *database {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test #1?.db")
	db, err := sql.Open("sqlite", "file:"+strings.NewReplacer("#", "%23", "?", "%3f").Replace(path))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(statements); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	d, err := openSQLite(settings{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func ask(ctx context.Context, d *database, text string, limit int) (*frame.Frame, error) {
	answer, err := d.ask(ctx, sqlframe.Reader{Dialect: d.dialect, Limit: limit}, sqlframe.Query{SQL: text})
	if err != nil {
		return nil, err
	}
	return answer[0], nil
}

// show prints a frame's columns as "name{labels} type: values".
func show(f *frame.Frame) string {
	var b strings.Builder
	for _, field := range f.Fields {
		fmt.Fprintf(&b, "%s%v %v:", field.Name, field.Labels, field.Type())
		for i := range field.Len() {
			value := field.At(i)
			if at, ok := value.(time.Time); ok {
				value = at.Format(time.RFC3339Nano)
			}
			fmt.Fprintf(&b, " %v", value)
		}
		b.WriteString("\n")
	}
	return strings.ReplaceAll(b.String(), "map[]", "")
}

func TestColumnTypes(t *testing.T) {
	d := newDatabase(t, `
		CREATE TABLE typed (i INTEGER, r REAL, t TEXT, b BOOLEAN, d DATE, at TIMESTAMP, n DECIMAL(10,2), x BLOB);
		INSERT INTO typed VALUES (1, 2, 'three', 1, '2012-01-02', 1325462400, 5, x'ff00'), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
		CREATE TABLE untyped (x);`)
	for _, test := range []struct{ query, want string }{
		{"SELECT * FROM typed", `
i int64: 1 <nil>
r float64: 2 <nil>
t string: three <nil>
b bool: true <nil>
d time.Time: 2012-01-02T00:00:00Z <nil>
at time.Time: 2012-01-02T00:00:00Z <nil>
n float64: 5 <nil>
x string: 0xff00 <nil>
`},
		{"SELECT i, r, b, d, n, x FROM typed WHERE 0", `
i int64:
r float64:
b bool:
d time.Time:
n float64:
x string:
`},
		{"SELECT NULL AS x UNION ALL SELECT 1 UNION ALL SELECT 2.5", `
x float64: <nil> 1 2.5
`},
		{"SELECT 1 AS x UNION ALL SELECT NULL UNION ALL SELECT 'two' UNION ALL SELECT 3.5", `
x string: 1 <nil> two 3.5
`},
		{"SELECT 9007199254740993 AS x", `
x int64: 9007199254740993
`},
	} {
		table, err := ask(t.Context(), d, test.query, 100)
		if err != nil {
			t.Errorf("%s: %v", test.query, err)
		} else if got := show(table); got != test.want[1:] {
			t.Errorf("%s:\n%s\nwant%s", test.query, got, test.want)
		}
	}
}

func TestRowLimit(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1), (2), (3)")
	table, err := ask(t.Context(), d, "SELECT n FROM t", 2)
	if err != nil {
		t.Fatal(err)
	}
	if table.Rows() != 2 || len(table.Meta.Notices) != 1 || !strings.Contains(table.Meta.Notices[0].Text, "first 2 rows") {
		t.Errorf("%d rows, notices %v", table.Rows(), table.Meta.Notices)
	}
	table, err = ask(t.Context(), d, "SELECT n FROM t", 3)
	if err != nil || table.Rows() != 3 || table.Meta.Notices != nil {
		t.Errorf("%d rows, notices %v, error %v", table.Rows(), table.Meta.Notices, err)
	}
}

// TestReadOnly checks that a query changes nothing and reaches no other file.
func TestReadOnly(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (n INTEGER)")
	other := filepath.Join(t.TempDir(), "other.db")
	for _, query := range []string{
		"INSERT INTO t VALUES (1)",
		"PRAGMA query_only(0); INSERT INTO t VALUES (1)",
		"DROP TABLE t",
		"ATTACH '" + other + "' AS other",
		"VACUUM INTO '" + other + "'",
		"SELECT load_extension('" + other + "')",
	} {
		if _, err := ask(t.Context(), d, query, 10); err == nil {
			t.Errorf("%s: no error", query)
		}
	}
	if files, _ := filepath.Glob(filepath.Dir(other) + "/*"); len(files) > 0 {
		t.Errorf("found %v", files)
	}
}

func TestQueryFaults(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (n INTEGER)")
	_, err := ask(t.Context(), d, "SELECT nosuch FROM t", 10)
	failure, ok := errors.AsType[*plugin.Error](err)
	if !ok || failure.Status != 400 || failure.Message != "query: no such column: nosuch" {
		t.Errorf("error %#v", err)
	}
	if _, err := openSQLite(settings{Path: filepath.Join(t.TempDir(), "nosuch.db")}); err == nil || !strings.Contains(err.Error(), "no database at") {
		t.Errorf("missing file: error %v", err)
	}
	if _, err := openSQLite(settings{Path: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("folder: error %v", err)
	}
}

// TestCancel ends a query that would never end by itself.
func TestCancel(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (n INTEGER)")
	for name, query := range map[string]string{
		"before the first row": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n",
		"between rows":         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i FROM n",
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if _, err := ask(ctx, d, query, 1<<30); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestPlugin(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE weather (date TEXT, high REAL); INSERT INTO weather VALUES ('2012-01-01', 12.8), ('2013-01-01', 5)")
	client := plugintest.Start(t, Plugin())
	settings, err := json.Marshal(settings{Path: d.place})
	if err != nil {
		t.Fatal(err)
	}
	source := plugin.Context{PluginID: "sql", DataSource: &plugin.DataSourceSettings{ID: 1, UID: "weather", JSON: settings}}

	response, err := client.Query(t.Context(), &plugin.QueryRequest{Context: source, Queries: []plugin.DataQuery{{
		RefID:     "A",
		JSON:      []byte(`{"rawSql": "SELECT date AS time, high FROM weather WHERE $__timeFilter(date)", "format": "time_series"}`),
		TimeRange: plugin.TimeRange{From: time.Date(2012, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2012, 2, 1, 0, 0, 0, 0, time.UTC)},
	}, {
		RefID: "B", JSON: []byte(`{"rawSql": "SELECT 1", "format": "graph"}`),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	frames, err := response.Responses["A"].Decode()
	if err != nil || len(frames) != 1 {
		t.Fatalf("%d frames, error %q, %v", len(frames), response.Responses["A"].Error, err)
	}
	if got, want := show(frames[0]), "Time time.Time: 2012-01-01T00:00:00Z\nhigh float64: 12.8\n"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got := frames[0].Meta.ExecutedQueryString; !strings.Contains(got, "BETWEEN 1325376000 AND 1328054400") {
		t.Errorf("executed %s", got)
	}
	if b := response.Responses["B"]; b.Status != 400 || b.ErrorSource != plugin.SourceDownstream {
		t.Errorf("B: %d %s", b.Status, b.ErrorSource)
	}

	health, err := client.CheckHealth(t.Context(), &plugin.HealthRequest{Context: source})
	if err != nil || health.Status != plugin.HealthOK || !strings.HasPrefix(health.Message, "SQLite 3.") || !strings.HasSuffix(health.Message, ": database has 1 table") {
		t.Errorf("health %+v, %v", health, err)
	}
	for path, want := range map[string]string{
		"tables":      `["weather"]`,
		"completions": `,{"value":"weather","label":"table"},{"value":"date","label":"weather · text"},{"value":"high","label":"weather · real"}]`,
	} {
		var body strings.Builder
		err = client.CallResource(t.Context(), &plugin.ResourceRequest{Context: source, Method: "GET", Path: path, URL: path},
			func(r plugin.ResourceResponse) error { body.Write(r.Body); return nil })
		if err != nil || !strings.HasSuffix(strings.TrimSpace(body.String()), want) {
			t.Errorf("%s: %s, %v", path, body.String(), err)
		}
	}
	description, err := client.Describe(t.Context())
	if err != nil || description.QueryText != "rawSql" {
		t.Errorf("description %+v, %v", description, err)
	}
}
