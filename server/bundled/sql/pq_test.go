package sql

import (
	"database/sql"
	"fmt"
	"testing"

	_ "github.com/lib/pq" // the other driver for PostgreSQL

	"github.com/plugboard/plugboard/frame/frametest"
	"github.com/plugboard/plugboard/plugin/sqlframe"
)

// TestPQ reads every type through lib/pq: the frame is the one that pgx makes.
func TestPQ(t *testing.T) {
	newPostgres(t, "pq", `CREATE TYPE mood AS ENUM ('happy', 'sad');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0)`)
	server := servers.PostgreSQL(t)
	db, err := sql.Open("postgres", fmt.Sprintf("host=%s port=%s user=%s dbname=pq sslmode=disable", server.Socket, server.Port, server.User))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	answer, _, err := sqlframe.Reader{}.Query(t.Context(), db, sqlframe.Query{SQL: selectTypes()})
	if err != nil {
		t.Fatal(err)
	}
	answer[0].RefID, answer[0].Meta.ExecutedQueryString = "A", ""
	frametest.Golden(t, "testdata/postgres.txt", answer[0], false)
}
