//go:build unix

package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/plugboard/plugboard/server/dbtest"
)

// TestDatabases runs testdata/databases: stories with a real PostgreSQL,
// MariaDB and Prometheus, whose addresses and passwords are in the environment.
func TestDatabases(t *testing.T) {
	var servers dbtest.Servers
	t.Cleanup(servers.Stop)
	postgres, mariadb := servers.PostgreSQL(t), servers.MariaDB(t)
	// What start starts has this process's environment.
	for name, value := range map[string]string{
		"POSTGRES": postgres.Address(), "MARIADB": mariadb.Address(), "DB_USER": postgres.User, "DB_PASSWORD": postgres.Password,
		"PROMETHEUS": dbtest.Prometheus(t),
	} {
		t.Setenv(name, value)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/databases",
		Setup: func(e *testscript.Env) error {
			e.Values[runningKey{}] = &running{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"start": start, "code": code, "saved": saved, "until": until},
	})
}

// saved asks a query that is in a file, and compares the answer with another:
//
//	saved UID QUERY-FILE ANSWER-FILE
func saved(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(ts.Exec("plugboard", "query", args[0], ts.ReadFile(args[1]), "--from", "2012-03-01T00:00:00Z", "--to", "2012-03-01T00:02:00Z"))
	if got, want := ts.ReadFile("stdout"), ts.ReadFile(args[2]); got != want {
		ts.Fatalf("%s: got\n%s\nwant\n%s", args[1], got, want)
	}
}
