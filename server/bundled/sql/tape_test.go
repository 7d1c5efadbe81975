package sql

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/frametest"
	"github.com/plugboard/plugboard/plugin/plugintest/tape"
	"github.com/plugboard/plugboard/plugin/sqlframe"
)

// TestTape records what real databases answer, and plays it: the frames are the
// same without a database.
func TestTape(t *testing.T) {
	p, _ := newPostgres(t, "tape", weather)
	postgres, err := openDatabase("postgres", settings{URL: p.context.DataSource.URL, User: p.context.DataSource.User, Password: p.context.DataSource.Secrets["password"], Database: "tape", SSLMode: "disable"})
	if err != nil {
		t.Fatal(err)
	}
	defer postgres.Close()
	m, _ := newMySQL(t, "tape", mysqlWeather)
	mysql, err := openDatabase("mysql", settings{URL: m.context.DataSource.URL, User: m.context.DataSource.User, Password: m.context.DataSource.Secrets["password"], Database: "tape"})
	if err != nil {
		t.Fatal(err)
	}
	defer mysql.Close()
	lite := newDatabase(t, "CREATE TABLE weather (at DATETIME, city TEXT, high REAL); INSERT INTO weather VALUES ('2012-01-01', 'Oslo', 1.5), (0, NULL, 'x')")
	for _, d := range []*database{postgres, mysql, lite} {
		t.Run(d.product, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "tape.json")
			ask := func(db *sql.DB) frame.Frames {
				reader := sqlframe.Reader{Dialect: d.dialect}
				answer, _, err := reader.Query(t.Context(), db, sqlframe.Query{SQL: "SELECT at, city, high FROM weather WHERE $__timeFilter(at) OR 1 = 1", TimeRange: march})
				if err != nil {
					t.Fatal(err)
				}
				return answer
			}
			want := ask(d.db)
			t.Run("record", func(t *testing.T) { frametest.Equal(t, ask(tape.Open(t, path, true).DB(d.db))[0], want[0]) })
			t.Run("play", func(t *testing.T) { frametest.Equal(t, ask(tape.Open(t, path, false).DB(nil))[0], want[0]) })
			if fmt.Sprint(want[0].Rows()) == "0" {
				t.Error("there are no rows")
			}
		})
	}
}
