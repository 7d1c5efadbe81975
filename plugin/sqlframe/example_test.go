package sqlframe_test

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/sqlframe"
)

type model struct {
	SQL    string          `json:"rawSql" plugboard:"text"`
	Format sqlframe.Format `json:"format"`
}

type source struct{ db *sql.DB }

// Query is all that a data source for a database needs.
func (s source) Query(ctx context.Context, q plugin.Query[model]) (frame.Frames, error) {
	reader := sqlframe.Reader{Dialect: sqlframe.PostgreSQL, Limit: 10_000}
	answer, _, err := reader.Query(ctx, s.db, sqlframe.Query{
		SQL: q.Model.SQL, Format: q.Model.Format, TimeRange: q.TimeRange, Interval: q.Interval,
	})
	if err != nil {
		return nil, plugin.Downstream(err)
	}
	return answer, nil
}

func Example() {
	var _ plugin.Querier[model] = source{}
	// Output:
}

func ExampleReader_Expand() {
	reader := sqlframe.Reader{Dialect: sqlframe.PostgreSQL}
	expanded, err := reader.Expand(sqlframe.Query{
		SQL:       `SELECT $__timeGroup(at, $__interval) AS time, avg(high) FROM weather WHERE $__timeFilter(at) GROUP BY 1`,
		Interval:  time.Hour,
		TimeRange: plugin.TimeRange{From: time.Unix(1325376000, 0), To: time.Unix(1325462400, 0)},
	})
	fmt.Println(expanded, err)
	// Output:
	// SELECT floor(extract(epoch from at) / 3600.0) * 3600 AS time, avg(high) FROM weather WHERE at BETWEEN '2012-01-01T00:00:00Z' AND '2012-01-02T00:00:00Z' GROUP BY 1 <nil>
}
