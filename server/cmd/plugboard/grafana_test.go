//go:build unix

package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/plugboard/plugboard/server/dbtest"
)

// databaseVariables tell a server that a script starts where the databases
// are.
var databaseVariables = []string{"PG_ADDRESS", "MYSQL_ADDRESS", "PROMETHEUS_URL", "DB_USER", "DB_PASSWORD"}

// TestGrafanasFiles serves a provisioning folder and saved queries as Grafana
// has them, unchanged, from real databases.
func TestGrafanasFiles(t *testing.T) {
	var servers dbtest.Servers
	t.Cleanup(servers.Stop)
	postgres, mariadb := servers.PostgreSQL(t), servers.MariaDB(t)
	prometheus := dbtest.Prometheus(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/grafana",
		Setup: func(e *testscript.Env) error {
			e.Values[runningKey{}] = &running{}
			e.Setenv("PG_ADDRESS", postgres.Address())
			e.Setenv("MYSQL_ADDRESS", mariadb.Address())
			e.Setenv("PROMETHEUS_URL", prometheus)
			e.Setenv("DB_USER", postgres.User)
			e.Setenv("DB_PASSWORD", postgres.Password)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"start": start, "interrupt": interrupt, "until": until},
	})
}
