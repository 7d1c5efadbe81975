package sql

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/plugboard/plugboard/frame/frametest"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/dbtest"
)

// newMySQL is a data source as Grafana's provisioning has it, for a new
// database with these statements in it.
func newMySQL(t *testing.T, database, statements string) (target, *dbtest.Server) {
	t.Helper()
	server := servers.MariaDB(t)
	run := func(database, statement string) {
		d, err := openMySQL(settings{URL: server.Socket, User: server.User, Password: server.Password, Database: database})
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
	run("", "CREATE DATABASE `"+database+"` CHARACTER SET utf8mb4")
	if statements != "" {
		run(database, statements)
	}
	return newTarget(t, "mysql", plugin.DataSourceSettings{
		URL: server.Address(), User: server.User, Database: database,
		JSON:    []byte(`{"maxOpenConns": 100, "connMaxLifetime": 14400, "maxIdleConnsAuto": true}`),
		Secrets: plugin.Secrets{"password": server.Password},
	}), server
}

const mysqlWeather = `CREATE TABLE weather (at TIMESTAMP NULL, local DATETIME, city VARCHAR(20), high INT);
INSERT INTO weather VALUES ('2012-03-01 00:00:10', '2012-03-01 00:00:10', 'Seattle', 12), ('2012-03-01 00:00:20', '2012-03-01 00:00:20', 'Seattle', 14),
	('2012-03-01 00:03:00', '2012-03-01 00:03:00', 'Oslo', -3), ('2012-04-01', '2012-04-01', 'Oslo', 1)`

func TestMySQLTypes(t *testing.T) {
	columns := []string{
		"TINYINT", "-1", "TINYINT UNSIGNED", "255", "SMALLINT", "-2", "SMALLINT UNSIGNED", "65535", "MEDIUMINT", "-3", "MEDIUMINT UNSIGNED", "16777215",
		"INT", "-4", "INT UNSIGNED", "4294967295", "BIGINT", "-9007199254740993", "BIGINT UNSIGNED", "18446744073709551615",
		"BOOLEAN", "TRUE", "FLOAT", "0.1", "DOUBLE", "1e300", "DECIMAL(10,2)", "12345.67", "BIT(10)", "b'1000000001'",
		"DATE", "'2012-01-02'", "DATETIME(6)", "'2012-01-02 03:04:05.000006'", "TIMESTAMP", "'2012-01-02 03:04:05'", "YEAR", "2012", "TIME", "'-12:30:00'",
		"DATETIME", "'9999-12-31 00:00:00'",
		"CHAR(3)", "'a'", "VARCHAR(3)", "'bü'", "TINYTEXT", "'c'", "LONGTEXT", "'d'", "ENUM('x','y')", "'y'", "SET('x','y')", "'x,y'",
		"BINARY(2)", `x'ff00'`, "VARBINARY(5)", `'text'`, "BLOB", `x'deff'`,
		"JSON", `'{"a": [1, null]}'`, "INET6", "'::1'", "UUID", "'0b4a5a6e-0000-4000-8000-000000000001'", "POINT", "POINT(1, 2)",
	}
	var definitions, values, nulls []string
	for i := 0; i < len(columns); i += 2 {
		definitions = append(definitions, fmt.Sprintf("`%d %s` %s NULL", i/2, columns[i], columns[i]))
		values, nulls = append(values, columns[i+1]), append(nulls, "NULL")
	}
	x, _ := newMySQL(t, "types", fmt.Sprintf("CREATE TABLE typed (%s);\nINSERT INTO typed VALUES (%s);\nINSERT INTO typed VALUES (%s)",
		strings.Join(definitions, ", "), strings.Join(values, ", "), strings.Join(nulls, ", ")))
	// Without parameters the server answers in text, with them in binary.
	text := x.frame(t, "SELECT * FROM typed")
	binary := x.frame(t, `{"rawSql": "SELECT * FROM typed WHERE 1 = ?", "params": [1], "format": "table"}`)
	text.Meta.ExecutedQueryString, binary.Meta.ExecutedQueryString = "", ""
	frametest.Golden(t, "testdata/mysql.txt", text, *update)
	frametest.Equal(t, binary, text)
}

// TestMySQLQueries asks what Grafana's editor saves. The server's own time zone
// is not UTC.
func TestMySQLQueries(t *testing.T) {
	x, _ := newMySQL(t, "queries", mysqlWeather)
	for name, model := range map[string]string{
		"series": `{"refId": "A", "datasource": {"type": "mysql", "uid": "it"}, "editorMode": "builder", "dataset": "queries", "table": "weather", "rawQuery": true,
			"rawSql": "SELECT $__timeGroupAlias(at,'1m',previous), city AS metric, avg(high) AS high FROM weather WHERE $__timeFilter(at) GROUP BY 1, 2 ORDER BY 1",
			"sql": {"columns": [], "groupBy": []}, "format": "time_series"}`,
		"epochs": `{"rawSql": "SELECT $__time(local), high, city FROM weather ORDER BY time_sec"}`,
		"table":  `{"rawSql": "SELECT at AS time, local, city FROM weather WHERE at > $__timeFrom() AND at < $__timeTo() AND $__unixEpochFilter(UNIX_TIMESTAMP(at))", "format": "table"}`,
		"params": `{"rawSql": "SELECT city, ? + 1 AS n FROM weather WHERE high = ?", "params": [41, 14], "format": "table"}`,
	} {
		t.Run(name, func(t *testing.T) {
			frametest.Golden(t, "testdata/mysql-"+name+".txt", x.frame(t, model), *update)
		})
	}
}

func TestMySQLHealthAndCompletion(t *testing.T) {
	x, _ := newMySQL(t, "completion", mysqlWeather)
	newMySQL(t, "shop", "CREATE TABLE orders (price DECIMAL(10,2) UNSIGNED)")
	health, err := x.client.CheckHealth(t.Context(), &plugin.HealthRequest{Context: x.context})
	if err != nil || health.Status != plugin.HealthOK || !strings.Contains(health.Message, "MariaDB") || !strings.Contains(string(health.Details), `"engine":"MySQL"`) {
		t.Errorf("health %+v, %v", health, err)
	}
	status, body := x.resource(t, "tables")
	if status != 200 || !strings.HasPrefix(body, `["weather",`) || !strings.Contains(body, `"shop.orders"`) {
		t.Errorf("tables: %d %s", status, body)
	}
	if status, body := x.resource(t, "completions"); status != 200 || !strings.Contains(body, `{"value":"weather","label":"table"},{"value":"at","label":"weather · timestamp"}`) {
		t.Errorf("completions: %d %s", status, body)
	}
	for url, want := range map[string]string{
		"columns?table=weather":     `[{"name":"at","type":"timestamp"},{"name":"local","type":"datetime"},{"name":"city","type":"varchar(20)"},{"name":"high","type":"int(11)"}]`,
		"columns?table=shop.orders": `[{"name":"price","type":"decimal(10,2) unsigned"}]`,
		"columns?table=x'--":        `[]`,
	} {
		if status, body := x.resource(t, url); status != 200 || body != want {
			t.Errorf("%s: %d %s", url, status, body)
		}
	}
}

func TestMySQLFaults(t *testing.T) {
	x, server := newMySQL(t, "faults", mysqlWeather)
	x.refuses(t, "SELECT city,\n nosuch FROM weather", 400, "query: Unknown column 'nosuch' in", "error 1054")
	x.refuses(t, "SELECT *\nFRM weather", 400, "near 'FRM weather' at line 2, error 1064")
	x.refuses(t, "SELECT * FROM nosuch", 400, "Table 'faults.nosuch' doesn't exist")
	x.refuses(t, "SELECT 1; DROP TABLE weather", 400, "error 1064")
	x.refuses(t, "SELECT * FROM weather WHERE $__nosuch(at)", 400, "no macro $__nosuch")
	x.refuses(t, `{"rawSql": "SELECT ?, ?", "params": [1]}`, 400, "expected 2 arguments, got 1")

	change := func(edit func(*plugin.DataSourceSettings)) target {
		settings := *x.context.DataSource
		edit(&settings)
		return newTarget(t, "mysql", settings)
	}
	wrong := change(func(s *plugin.DataSourceSettings) { s.Secrets = plugin.Secrets{"password": "open sesame"} })
	wrong.refuses(t, "SELECT 1", 502, "MySQL at "+server.Address(), "Access denied for user 'plugboard'")
	wrong.unhealthy(t, "Access denied")
	change(func(s *plugin.DataSourceSettings) { s.Database = "nosuch" }).refuses(t, "SELECT 1", 502, "Unknown database 'nosuch'")
	nobody := unreachable(t)
	change(func(s *plugin.DataSourceSettings) { s.URL = nobody }).refuses(t, "SELECT 1", 502, "MySQL at "+nobody, "connection refused")
	change(func(s *plugin.DataSourceSettings) { s.JSON = []byte(`{"timezone": "' OR 1"}`) }).refuses(t, "SELECT 1", 502, "Unknown or incorrect time zone")
}

func TestMySQLTLS(t *testing.T) {
	x, server := newMySQL(t, "secure", "")
	_, port, _ := net.SplitHostPort(server.Address())
	connect := func(user, host, settings string, secrets plugin.Secrets) target {
		s := *x.context.DataSource
		s.URL, s.User, s.JSON, s.Secrets = net.JoinHostPort(host, port), user, []byte(settings), plugin.Secrets{"password": server.Password}
		for key, value := range secrets {
			s.Secrets[key] = value
		}
		return newTarget(t, "mysql", s)
	}
	encrypted := func(x target) bool {
		return x.frame(t, "SHOW STATUS LIKE 'Ssl_cipher'").Fields[1].At(0) != ""
	}
	own := plugin.Secrets{"tlsCACert": server.CA, "tlsClientCert": server.ClientCert, "tlsClientKey": server.ClientKey}
	for settings, secrets := range map[string]plugin.Secrets{
		`{"tlsAuthWithCACert": true}`:                  own,
		`{"tlsAuthWithCACert": true, "tlsAuth": true}`: own,
		`{"tlsSkipVerify": true}`:                      nil,
	} {
		if !encrypted(connect("plugboard", "localhost", settings, secrets)) {
			t.Errorf("%s: not encrypted", settings)
		}
	}
	if encrypted(x) {
		t.Error("encrypted without being asked to")
	}
	connect("plugboard", "127.0.0.1", `{"tlsAuthWithCACert": true}`, own).refuses(t, "SELECT 1", 502, "certificate", "127.0.0.1")
	connect("plugboard", "localhost", `{"tlsAuthWithCACert": true}`, plugin.Secrets{"tlsCACert": otherCA}).refuses(t, "SELECT 1", 502, "certificate")
	connect("tls", "localhost", `{}`, nil).refuses(t, "SELECT 1", 502, "Access denied for user 'tls'")
}

// TestMySQLCancel checks that the database stops working on a query that
// nobody waits for.
func TestMySQLCancel(t *testing.T) {
	x, _ := newMySQL(t, "cancel", "")
	const sleeping = "SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'"
	count := func() any { return x.frame(t, sleeping).Fields[0].At(0) }
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan plugin.Response, 1)
	go func() { ended <- x.ask(ctx, t, "SELECT SLEEP(600)") }()
	eventually(t, "the query runs", func() bool { return count() == int64(1) })
	cancel()
	eventually(t, "the query is gone", func() bool { return count() == int64(0) })
	if answer := <-ended; answer.Error == "" {
		t.Error("a cancelled query has an answer")
	}
}
