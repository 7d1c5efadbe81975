package sql

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame/frametest"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/dbtest"
)

// newPostgres is a data source as Grafana's provisioning has it, for a new
// database with these statements in it.
func newPostgres(t *testing.T, database, statements string) (target, *dbtest.Server) {
	t.Helper()
	server := servers.PostgreSQL(t)
	run := func(database, statement string) {
		d, err := openPostgres(settings{URL: server.Socket + ":" + server.Port, User: server.User, Database: database})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		for _, one := range strings.Split(statement, ";\n") {
			if _, err := d.db.Exec(one); err != nil {
				t.Fatalf("%s: %v", one, err)
			}
		}
	}
	run("postgres", `CREATE DATABASE "`+database+`"`)
	if statements != "" {
		run(database, statements)
	}
	return newTarget(t, "grafana-postgresql-datasource", plugin.DataSourceSettings{
		URL: server.Address(), User: server.User,
		JSON:    fmt.Appendf(nil, `{"database": %q, "sslmode": "disable", "postgresVersion": 1500, "timescaledb": false}`, database),
		Secrets: plugin.Secrets{"password": server.Password},
	}), server
}

const weather = `CREATE TABLE weather (at timestamptz, city text, high integer);
INSERT INTO weather VALUES ('2012-03-01T00:00:10Z', 'Seattle', 12), ('2012-03-01T00:00:20Z', 'Seattle', 14),
	('2012-03-01T00:03:00Z', 'Oslo', -3), ('2012-04-01', 'Oslo', 1)`

// postgresTypes are types and a value of each.
var postgresTypes = []string{
	"smallint", "1", "integer", "-2", "bigint", "9007199254740993", "oid", "42",
	"real", "0.1", "double precision", "-Infinity", "numeric", "12345.678", "numeric(10,2)", "NaN", "money", "12.50",
	"boolean", "true", "text", "tëxt", "varchar(3)", "abc", "char(3)", "a", "name", "n", "mood", "happy", "positive", "7",
	"uuid", "0b4a5a6e-0000-4000-8000-000000000001", "bytea", `\xdead`, "bit(3)", "101", "xml", "<a/>",
	"json", `{"a": [1, null]}`, "jsonb", `"x"`,
	"date", "2012-01-02", "timestamp", "2012-01-02 03:04:05.000006", "timestamptz", "2012-01-02 03:04:05+02",
	"date", "9999-12-31", "timestamptz", "infinity",
	"time", "03:04:05", "timetz", "03:04:05+01", "interval", "1 day 02:00:00",
	"integer[]", "{1,NULL}", "text[][]", `{{"a","b c"}}`, "int4range", "[1,5)", "inet", "10.0.0.1/8", "macaddr", "08:00:2b:01:02:03",
	"point", "(1,2)", "tsvector", "a", "pg_lsn", "0/0",
}

// selectTypes selects a column of each type, in a row of values and one of nulls.
func selectTypes() string {
	var values, nulls []string
	for i := 0; i < len(postgresTypes); i += 2 {
		values = append(values, fmt.Sprintf(`CAST('%s' AS %s) AS "%s"`, postgresTypes[i+1], postgresTypes[i], postgresTypes[i]))
		nulls = append(nulls, "NULL")
	}
	return "SELECT " + strings.Join(values, ", ") + " UNION ALL SELECT " + strings.Join(nulls, ", ")
}

func TestPostgresTypes(t *testing.T) {
	x, _ := newPostgres(t, "types", `CREATE TYPE mood AS ENUM ('happy', 'sad');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0)`)
	got := x.frame(t, selectTypes())
	got.Meta.ExecutedQueryString = ""
	frametest.Golden(t, "testdata/postgres.txt", got, *update)
}

// TestPostgresQueries asks what Grafana's editor saves.
func TestPostgresQueries(t *testing.T) {
	x, _ := newPostgres(t, "queries", weather)
	for name, model := range map[string]string{
		"series": `{"refId": "A", "datasource": {"type": "grafana-postgresql-datasource", "uid": "it"}, "editorMode": "code", "rawQuery": true,
			"rawSql": "SELECT $__timeGroupAlias(at, $__interval, NULL), city AS metric, avg(high) AS high FROM weather WHERE $__timeFilter(at) GROUP BY 1, 2 ORDER BY 1",
			"sql": {"columns": [{"type": "function", "parameters": []}], "groupBy": [{"type": "groupBy", "property": {"type": "string"}}], "limit": 50},
			"format": "time_series"}`,
		"epochs": `{"rawSql": "SELECT extract(epoch from at) AS time, high, city FROM weather ORDER BY at DESC"}`,
		"table":  `{"rawSql": "SELECT at AS time, city FROM weather WHERE at > $__timeFrom() AND at < $__timeTo()", "format": "table"}`,
		"params": `{"rawSql": "SELECT city, $2::int + 1 AS n FROM weather WHERE high = $1", "params": [14, 41], "format": "table"}`,
	} {
		t.Run(name, func(t *testing.T) {
			frametest.Golden(t, "testdata/postgres-"+name+".txt", x.frame(t, model), *update)
		})
	}
}

func TestPostgresHealthAndCompletion(t *testing.T) {
	x, _ := newPostgres(t, "completion", weather+`;
CREATE SCHEMA shop;
CREATE VIEW shop.orders AS SELECT 1::numeric AS price`)
	health, err := x.client.CheckHealth(t.Context(), &plugin.HealthRequest{Context: x.context})
	if err != nil || health.Status != plugin.HealthOK || !strings.HasPrefix(health.Message, "PostgreSQL 1") || !strings.HasSuffix(health.Message, ": database has 2 tables") {
		t.Errorf("health %+v, %v", health, err)
	}
	for url, want := range map[string]string{
		"tables":                    `["weather","shop.orders"]`,
		"columns?table=weather":     `[{"name":"at","type":"timestamp with time zone"},{"name":"city","type":"text"},{"name":"high","type":"integer"}]`,
		"columns?table=shop.orders": `[{"name":"price","type":"numeric"}]`,
		"columns?table=x'--":        `[]`,
	} {
		if status, body := x.resource(t, url); status != 200 || body != want {
			t.Errorf("%s: %d %s", url, status, body)
		}
	}
	if status, body := x.resource(t, "completions"); status != 200 || !strings.HasSuffix(body, `{"value":"shop.orders","label":"table"},{"value":"price","label":"shop.orders · numeric"}]`) {
		t.Errorf("completions: %d %s", status, body)
	}
	if status, body := x.resource(t, "columns"); status != 400 || !strings.Contains(body, "table is missing") {
		t.Errorf("columns without a table: %d %s", status, body)
	}
}

func TestPostgresFaults(t *testing.T) {
	x, server := newPostgres(t, "faults", weather)
	x.refuses(t, "SELECT city,\n nosuch FROM weather", 400, `query: column "nosuch" does not exist at line 2, column 2, SQLSTATE 42703`)
	x.refuses(t, "SELEC 1", 400, `syntax error at or near "SELEC" at line 1, column 1`)
	x.refuses(t, "SELECT 1/0", 400, "division by zero")
	x.refuses(t, "SELECT 1; DROP TABLE weather", 400, "multiple commands")
	x.refuses(t, "SELECT * FROM weather WHERE $__timeFilter(at", 400, "macro $__timeFilter: its parenthesis is not closed")
	x.refuses(t, `{"rawSql": "SELECT $1::int", "params": ["x"]}`, 400, "invalid input syntax")
	x.refuses(t, `{"rawSql": "SELECT $1::int, $2::int", "params": [1]}`, 400, "parameters")
	x.refuses(t, `{"rawSql": "SELECT 1", "format": "graph"}`, 400, `format "graph"`)
	x.refuses(t, `{"rawSql": ""}`, 400, "rawSql is missing")
	x.refuses(t, `{"rawSql": "SELECT city FROM weather"}`, 400, "format time_series: it wants a column of times")

	change := func(edit func(*plugin.DataSourceSettings)) target {
		settings := *x.context.DataSource
		edit(&settings)
		return newTarget(t, "postgres", settings)
	}
	wrong := change(func(s *plugin.DataSourceSettings) { s.Secrets = plugin.Secrets{"password": "open sesame"} })
	wrong.refuses(t, "SELECT 1", 502, "PostgreSQL at "+server.Address(), `password authentication failed for user "plugboard"`)
	wrong.unhealthy(t, "password authentication failed")
	change(func(s *plugin.DataSourceSettings) { s.JSON = []byte(`{"database": "nosuch", "sslmode": "disable"}`) }).
		refuses(t, "SELECT 1", 502, `database "nosuch" does not exist`)
	nobody := unreachable(t)
	change(func(s *plugin.DataSourceSettings) { s.URL = nobody }).refuses(t, "SELECT 1", 502, "PostgreSQL at "+nobody, "connection refused")
}

func TestPostgresTLS(t *testing.T) {
	x, server := newPostgres(t, "cert", "")
	_, port, _ := net.SplitHostPort(server.Address())
	connect := func(host, mode string, secrets plugin.Secrets) target {
		settings := *x.context.DataSource
		settings.URL = net.JoinHostPort(host, port)
		settings.JSON = fmt.Appendf(nil, `{"database": "cert", "sslmode": %q, "tlsConfigurationMethod": "file-content"}`, mode)
		settings.Secrets = secrets
		return newTarget(t, "postgres", settings)
	}
	own := plugin.Secrets{"tlsCACert": server.CA, "tlsClientCert": server.ClientCert, "tlsClientKey": server.ClientKey}
	const encrypted = "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
	for host, mode := range map[string]string{"127.0.0.1": "verify-ca", "localhost": "verify-full"} {
		if f := connect(host, mode, own).frame(t, encrypted); f.Fields[0].At(0) != true {
			t.Errorf("%s: not encrypted", mode)
		}
	}
	if f := connect("127.0.0.1", "require", plugin.Secrets{"tlsClientCert": server.ClientCert, "tlsClientKey": server.ClientKey}).frame(t, encrypted); f.Fields[0].At(0) != true {
		t.Error("require: not encrypted")
	}
	connect("127.0.0.1", "verify-full", own).refuses(t, "SELECT 1", 502, "certificate", "127.0.0.1")
	stranger := plugin.Secrets{"tlsCACert": otherCA, "tlsClientCert": server.ClientCert, "tlsClientKey": server.ClientKey}
	connect("127.0.0.1", "verify-ca", stranger).refuses(t, "SELECT 1", 502, "certificate")
	connect("127.0.0.1", "require", plugin.Secrets{"password": server.Password}).refuses(t, "SELECT 1", 502, "certificate")

	// One that does not speak TLS at all.
	x.context.DataSource.URL = refusesTLS(t)
	x.context.DataSource.JSON = []byte(`{"database": "cert"}`)
	x.refuses(t, "SELECT 1", 502, "server refused TLS", "set sslmode to disable")
}

// refusesTLS is a server that answers a request for TLS as PostgreSQL does that
// has none.
func refusesTLS(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { listener.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if _, err := io.ReadFull(conn, make([]byte, 8)); err == nil {
				_, _ = conn.Write([]byte("N"))
			}
			conn.Close()
		}
	}()
	return listener.Addr().String()
}

// TestPostgresCancel checks that the database stops working on a query that
// nobody waits for, and that the connection can be used again.
func TestPostgresCancel(t *testing.T) {
	x, _ := newPostgres(t, "cancel", "")
	const sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"
	count := func() any { return x.frame(t, sleeping).Fields[0].At(0) }
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan plugin.Response, 1)
	go func() { ended <- x.ask(ctx, t, "SELECT pg_sleep(600)") }()
	eventually(t, "the query runs", func() bool { return count() == int64(1) })
	cancel()
	eventually(t, "the query is gone", func() bool { return count() == int64(0) })
	if answer := <-ended; answer.Error == "" {
		t.Error("a cancelled query has an answer")
	}
}

func TestPostgresPool(t *testing.T) {
	x, _ := newPostgres(t, "pool", "")
	x.context.DataSource.JSON = []byte(`{"database": "pool", "sslmode": "disable", "maxOpenConns": 3, "rowLimit": 10}`)
	queries := make([]plugin.DataQuery, 10)
	for i := range queries {
		queries[i] = plugin.DataQuery{RefID: fmt.Sprint(i), JSON: []byte(`{"rawSql": "SELECT pg_sleep(0.02), (SELECT count(*) FROM pg_stat_activity WHERE datname = 'pool') AS n", "format": "table"}`)}
	}
	response, err := x.client.Query(t.Context(), &plugin.QueryRequest{Context: x.context, Queries: queries})
	if err != nil {
		t.Fatal(err)
	}
	for id, answer := range response.Responses {
		frames, err := answer.Decode()
		if err != nil || answer.Error != "" {
			t.Fatalf("%s: %s, %v", id, answer.Error, err)
		}
		if n := frames[0].Field("n").At(0).(int64); n > 3 {
			t.Errorf("%s: %d connections", id, n)
		}
	}
	many := x.frame(t, "SELECT * FROM generate_series(1, 1000) n")
	if many.Rows() != 10 || len(many.Meta.Notices) != 1 || !strings.Contains(many.Meta.Notices[0].Text, "first 10 rows") {
		t.Errorf("%d rows, notices %v", many.Rows(), many.Meta.Notices)
	}
}

// TestPostgresTimeout: a limit of the database's own is not the asker's fault.
func TestPostgresTimeout(t *testing.T) {
	x, _ := newPostgres(t, "timeout", `ALTER DATABASE timeout SET statement_timeout = 20`)
	begin := time.Now()
	x.refuses(t, "SELECT pg_sleep(60)", 502, "canceling statement due to statement timeout")
	if time.Since(begin) > 30*time.Second {
		t.Error("it slept on")
	}
}

// otherCA signed nothing here.
const otherCA = `-----BEGIN CERTIFICATE-----
MIIBeTCCAR+gAwIBAgIUePFpGXa/FlD/iD13KWvPSXg+QqwwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGbm9ib2R5MCAXDTI2MTEyMjEyNDMzOFoYDzIxMjYxMDI5MTI0
MzM4WjARMQ8wDQYDVQQDDAZub2JvZHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AARrNySyL96FxnyUDc4HCMzV59EQzBb2FxPR58xIYTKyneCR8GefyD0sOHhVdim3
JYbQ33YclFLzp2g99aHKxhHdo1MwUTAdBgNVHQ4EFgQUgTIWUfCuYv07I2yqkoP7
rLgYHjEwHwYDVR0jBBgwFoAUgTIWUfCuYv07I2yqkoP7rLgYHjEwDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAouwigbEdv3UeI+icHGu/lHGmyH2p
9SkX0qjv3PBlz40CIC3cktCSK3vPvtrYSqPrzr5So0OZejUBqv9PlWbGwrEB
-----END CERTIFICATE-----
`
