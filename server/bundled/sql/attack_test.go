package sql

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
	"github.com/plugboard/plugboard/plugin/sqlframe"
)

// nasty are texts that would like to leave their quotes.
var nasty = []string{
	"", "it's", `"`, "`", `\`, `\'`, `\\'`, `'\`, `''`, "$$", "$x$", "]", "/*", "--", "#", ";", "\n", "\r\n", "tëxt 雪 🌟",
	"'; DROP TABLE safe; --", `\'; DROP TABLE safe; --`, `\\'; DROP TABLE safe; #`, "' UNION SELECT 1 --", "%", "_", `"; DROP TABLE safe`,
	"$__timeFilter(x)", "$1", "?", "@x", ":x", "' || pg_sleep(60) || '",
}

// TestLiterals has the databases read nasty texts as literals, as names, and as
// values of macros in and out of quotes.
func TestLiterals(t *testing.T) {
	postgres := servers.PostgreSQL(t)
	p, err := openPostgres(settings{URL: postgres.Socket + ":" + postgres.Port, User: postgres.User, Database: "postgres"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	mariadb := servers.MariaDB(t)
	m, err := openMySQL(settings{URL: mariadb.Address(), User: mariadb.User, Password: mariadb.Password})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, d := range []*database{p, m, newDatabase(t, "CREATE TABLE safe (x)")} {
		for _, modes := range []string{"", "SET standard_conforming_strings = off", "SET sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'"} {
			if modes != "" && strings.Contains(modes, "sql_mode") != (d.dialect == sqlframe.MySQL) || modes != "" && d.dialect == sqlframe.SQLite {
				continue
			}
			for _, text := range nasty {
				readsBack(t, d, modes, text)
			}
		}
	}
}

func readsBack(t *testing.T, d *database, modes, text string) {
	t.Helper()
	conn, err := d.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if modes != "" {
		if _, err := conn.ExecContext(t.Context(), modes); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Raw(func(any) error { return errors.New("not for others") }) }()
	}
	value := func(sqlframe.Query, []string) (string, error) { return d.dialect.Literal(text), nil }
	reader := sqlframe.Reader{Dialect: d.dialect, Macros: map[string]sqlframe.Macro{"__value": value}}
	name := strings.ReplaceAll(text, "🌟", "") + "x" // MySQL's names are in the old utf8
	for query, want := range map[string]string{
		"SELECT $__value() AS a":                                  text,
		"SELECT 'a'$__value()'b', 1 AS a":                         "",
		"SELECT '$__value()' AS a":                                d.dialect.Literal(text),
		"SELECT $__value() AS " + d.dialect.Identifier(name):      text,
		"SELECT concat('<', $__value(), '>', '$__interval') AS a": "<" + text + ">1ms",
	} {
		answer, executed, err := reader.Query(t.Context(), conn, sqlframe.Query{SQL: query})
		if strings.Contains(query, "'a'$") {
			// A syntax error, or an alias, but nothing that ran.
			continue
		}
		if err != nil {
			t.Errorf("%v %s, %q: %s: %v", d.product, modes, text, executed, err)
			continue
		}
		got := fmt.Sprint(answer[0].Fields[0].At(0))
		if modes != "" { // backslashes may come out doubled
			got, want = strings.ReplaceAll(got, `\`, ""), strings.ReplaceAll(want, `\`, "")
		}
		if got != want {
			t.Errorf("%v %s, %q: %s is %q", d.product, modes, text, executed, got)
		}
	}
}

// TestLimitEndsQuery: a query that would answer for hours ends where the row
// limit does, in the database too.
func TestLimitEndsQuery(t *testing.T) {
	x, _ := newPostgres(t, "endless", "")
	x.context.DataSource.JSON = []byte(`{"database": "endless", "sslmode": "disable", "rowLimit": 10}`)
	if got := x.frame(t, "SELECT n, repeat('x', 100) FROM generate_series(1, 1000000) n, generate_series(1, 1000000) m"); got.Rows() != 10 {
		t.Errorf("%d rows", got.Rows())
	}
	const running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT n, repeat%' AND state = 'active'"
	eventually(t, "the query is gone", func() bool { return x.frame(t, running).Fields[0].At(0) == int64(0) })

	y, _ := newMySQL(t, "endless", "")
	y.context.DataSource.JSON = []byte(`{"rowLimit": 10}`)
	if got := y.frame(t, "SELECT seq, repeat('x', 100) FROM mysql.help_topic a, mysql.help_topic b, mysql.help_topic c, (SELECT 1 AS seq) d"); got.Rows() > 10 {
		t.Errorf("%d rows", got.Rows())
	}
}

// TestChunks asks for more rows than are to be in memory, and stops half way.
func TestChunks(t *testing.T) {
	x, _ := newPostgres(t, "chunks", "")
	description, err := x.client.Describe(t.Context())
	if err != nil || !description.Chunked {
		t.Fatalf("%+v, %v", description, err)
	}
	const rows = 300_000
	x.context.DataSource.JSON = []byte(`{"database": "chunks", "sslmode": "disable"}`)
	request := func(sql string) *plugin.QueryRequest {
		return &plugin.QueryRequest{Context: x.context, Queries: []plugin.DataQuery{
			{RefID: "A", JSON: fmt.Appendf(nil, `{"rawSql": %q, "format": "table"}`, sql), TimeRange: march},
		}}
	}
	got, chunks := 0, 0
	err = x.client.QueryChunks(t.Context(), request(fmt.Sprintf("SELECT n, repeat('x', 1000) AS t FROM generate_series(1, %d) n", rows)), func(c plugin.Chunk) error {
		f, err := frame.UnmarshalArrow(c.Frame)
		if err != nil || c.Error != "" {
			t.Fatal(c.Error, err)
		}
		if n, _ := frame.Value[int32](f.Fields[0], 0); f.Rows() > 0 && n != int32(got)+1 {
			t.Errorf("chunk %d starts with %d", chunks, n)
		}
		got, chunks = got+f.Rows(), chunks+1
		return nil
	})
	if err != nil || got != rows || chunks < 10 {
		t.Errorf("%d rows in %d chunks, %v", got, chunks, err)
	}
	var memory runtime.MemStats
	if runtime.ReadMemStats(&memory); memory.HeapInuse > 200<<20 {
		t.Errorf("%d MiB of heap for %d MiB of rows", memory.HeapInuse>>20, rows*1000>>20)
	}

	enough := errors.New("enough")
	if err := x.client.QueryChunks(t.Context(), request("SELECT n AS endless FROM generate_series(1, 1000000) n, generate_series(1, 1000000) m"), func(plugin.Chunk) error { return enough }); !errors.Is(err, enough) {
		t.Error(err)
	}
	const running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT n AS endless%' AND state = 'active'"
	eventually(t, "the query is gone", func() bool { return x.frame(t, running).Fields[0].At(0) == int64(0) })

	var refusal string
	if err := x.client.QueryChunks(t.Context(), request("SELEC 1"), func(c plugin.Chunk) error { refusal = c.Error; return nil }); err != nil || !strings.Contains(refusal, "syntax error") {
		t.Errorf("%q, %v", refusal, err)
	}
}

// TestResultSets: a procedure answers with several, and says so.
func TestResultSets(t *testing.T) {
	x, _ := newMySQL(t, "sets", "CREATE PROCEDURE both_of() BEGIN SELECT 1 AS a; SELECT 'two' AS b, 3 AS c; END")
	answer := x.ask(t.Context(), t, "CALL both_of()")
	frames, err := answer.Decode()
	if err != nil || answer.Error != "" || len(frames) != 2 || frames[1].Field("b") == nil || frames[1].Rows() != 1 {
		t.Errorf("%d frames, %s, %v", len(frames), answer.Error, err)
	}
}

// TestTimeZones: times are the same moment whatever zones the session, the
// column and the query are in, before 1970 too.
func TestTimeZones(t *testing.T) {
	want := time.Date(1955, 11, 5, 6, 15, 0, 123456000, time.UTC)
	x, _ := newPostgres(t, "zones", "ALTER DATABASE zones SET timezone = 'America/Los_Angeles'")
	f := x.frame(t, `SELECT '1955-11-04 22:15:00.123456-08'::timestamptz AS a, '1955-11-05 06:15:00.123456'::timestamp AS b,
		('1955-11-05 06:15:00.123456Z'::timestamptz AT TIME ZONE 'Asia/Kolkata')::timestamp AS c`)
	y, _ := newMySQL(t, "zones", "")
	g := y.frame(t, "SELECT CAST('1955-11-05 06:15:00.123456' AS DATETIME(6)) AS a")
	for _, field := range []*frame.Field{f.Field("a"), f.Field("b"), g.Field("a")} {
		if got, _ := frame.Value[time.Time](field, 0); !got.Equal(want) {
			t.Errorf("%s: %v, want %v", field.Name, got, want)
		}
	}
	if got, _ := frame.Value[time.Time](f.Field("c"), 0); !got.Equal(want.Add(5*time.Hour + 30*time.Minute)) {
		t.Errorf("a wall clock in Kolkata: %v", got)
	}
}

// TestSQLiteCancel: a query at work on its first row stops.
func TestSQLiteCancel(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (n)")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err := ask(ctx, d, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c", 1)
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 30*time.Second {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
}

// TestSuite checks what every plugin should do, with each database.
func TestSuite(t *testing.T) {
	p, _ := newPostgres(t, "suite", weather)
	m, _ := newMySQL(t, "suite", mysqlWeather)
	lite := newDatabase(t, "CREATE TABLE weather (city TEXT); INSERT INTO weather VALUES ('Oslo')")
	l := newTarget(t, "sql", plugin.DataSourceSettings{JSON: fmt.Appendf(nil, `{"path": %q}`, lite.place)})
	const endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c"
	for name, x := range map[string]struct {
		target
		slow string
	}{"PostgreSQL": {p, "SELECT pg_sleep(600)"}, "MariaDB": {m, "SELECT SLEEP(600)"}, "SQLite": {l, endless}} {
		t.Run(name, func(t *testing.T) {
			plugintest.Suite(t, Plugin(), plugintest.Subject{
				Context:     x.context,
				Query:       `{"rawSql": "SELECT city FROM weather ORDER BY city", "format": "table"}`,
				Slow:        fmt.Sprintf(`{"rawSql": %q, "format": "table"}`, x.slow),
				BadSettings: []string{`{"maxOpenConns": "many"}`},
				BadQueries:  []string{`{}`, `{"rawSql": "SELEC"}`, `{"rawSql": "SELECT 1", "format": "graph"}`},
			})
		})
	}
}

// TestHugeRow: a row larger than any buffer arrives whole.
func TestHugeRow(t *testing.T) {
	x, _ := newPostgres(t, "huge", "")
	f := x.frame(t, "SELECT repeat('x', 50000000) AS t, 7 AS n")
	if text, _ := frame.Value[string](f.Field("t"), 0); len(text) != 50_000_000 || f.Field("n").At(0) != int32(7) {
		t.Errorf("%d bytes", len(text))
	}
}
