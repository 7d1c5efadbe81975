package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
)

// question is what plugboard query asks.
type question struct {
	text     string
	field    string
	from, to string
	output   string
}

func newQuery() *cobra.Command {
	var t targetFlags
	var q question
	cmd := &cobra.Command{
		Use:   "query UID QUERY | query --plugin DIR QUERY",
		Short: "Ask a data source and print the answer",
		Long: `Query asks a data source one query and prints the answer.

The data source is one of a server, named by its UID (which server, "plugboard
help" says), or none at all: --plugin starts the plugin in a folder (or a bundled one: http,
prometheus, sql, testdata), asks it with the settings of --set and --secret, and
stops it.

QUERY is the query's JSON, the object that Grafana shows in its query inspector.
Any other text goes into the one field of the JSON that the plugin names for it,
as bundled plugins and those on Plugboard's SDK do: rawSql for sql, scenarioId
for testdata. For a plugin that names none, --field says which.

--from and --to are relative (now-1h, now/d), dates (2012-03-01), RFC 3339 times
or Unix milliseconds.

-o csv, ndjson, arrow and parquet print the answer as it arrives, however large
it is (see the server's --answer-bytes); with table and json it is in memory whole.

What the plugin has to say beside its data (with table and json), and errors, go
to stderr. The exit code is 1 if the query failed, 2 if the command is wrong, 3 if the server or the
plugin cannot be reached.`,
		Example: `  plugboard query seattle 'SELECT * FROM weather LIMIT 5'
  plugboard query seattle 'SELECT count(*) FROM weather WHERE $__timeFilter(date)' --from 2012-02-01 --to 2012-02-28 -o csv
  plugboard query --field expr prometheus 'sum(rate(http_requests_total[5m]))'
  plugboard query --plugin sql --set jsonData.path=shop.db 'SELECT * FROM orders'
  plugboard query --plugin ./dist --set url=http://localhost:9090 \
      --secret basicAuthPassword=@password.txt '{"expr": "up"}'`,
		Args: t.takes("QUERY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			q.text = args[len(args)-1]
			return t.with(cmd, args, func(ctx context.Context, to target) error {
				return q.ask(ctx, to, cmd.OutOrStdout(), cmd.ErrOrStderr())
			})
		},
	}
	cmd.ValidArgsFunction = t.complete
	t.register(cmd)
	cmd.Flags().StringVar(&q.from, "from", "now-1h", "begin of the time range")
	cmd.Flags().StringVar(&q.to, "to", "now", "end of the time range")
	cmd.Flags().StringVarP(&q.output, "output", "o", "table", "table, json, csv, ndjson, arrow or parquet")
	cmd.Flags().StringVar(&q.field, "field", "", "the field of the query that takes QUERY as plain text")
	return cmd
}

// ask asks the question and prints the answer. An answer of errors only
// prints nothing but those.
func (q question) ask(ctx context.Context, to target, stdout, stderr io.Writer) error {
	mediaType, asServed := servedAs[q.output]
	if q.output != "table" && q.output != "json" && !asServed {
		return misused("--output is table, json, csv, ndjson, arrow or parquet, not %q", q.output)
	}
	if to.isApp {
		return misused("plugin %s is an app: it has resources (see plugboard call), and no queries", to.plugin)
	}
	body, err := q.body(ctx, to)
	if err != nil {
		return err
	}
	if asServed {
		return passOn(ctx, to, mediaType, body, stdout)
	}
	status, raw, err := to.fetch(ctx, http.MethodPost, "/api/ds/query", body)
	if err != nil {
		return err
	}
	if !hasResults(raw) {
		return refusal(status, raw)
	}
	if q.output == "json" {
		if _, err := fmt.Fprintln(stdout, strings.TrimSpace(string(raw))); err != nil {
			return failed("%w", err)
		}
	}
	return q.print(raw, to, stdout, stderr)
}

// servedAs has the outputs that are printed as the server writes them, and while
// it does.
var servedAs = map[string]string{
	"csv":     "text/csv",
	"ndjson":  "application/x-ndjson",
	"arrow":   "application/vnd.apache.arrow.stream",
	"parquet": "application/vnd.apache.parquet",
}

// passOn prints the server's answer as it comes.
func passOn(ctx context.Context, to target, mediaType string, body []byte, stdout io.Writer) error {
	header := http.Header{"Content-Type": {"application/json"}, "Accept": {mediaType}}
	response, err := to.send(ctx, http.MethodPost, "/api/ds/query", header, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		if _, err := io.Copy(stdout, response.Body); err != nil {
			return failed("the answer broke off: %w", err)
		}
		return nil
	}
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return unavailable("the server's answer broke off: %w", err)
	}
	var told struct {
		Message   string `json:"message"`
		MessageID string `json:"messageId"`
	}
	if json.Unmarshal(raw, &told) == nil && told.MessageID == "query.failed" {
		return failed("%s: %s", to, told.Message)
	}
	return refusal(response.StatusCode, raw)
}

// hasResults tells an answer to queries, failed ones too, from a refusal.
func hasResults(raw []byte) bool {
	var top struct {
		Results json.RawMessage `json:"results"`
	}
	return json.Unmarshal(raw, &top) == nil && top.Results != nil
}

func (q question) print(raw []byte, to target, stdout, stderr io.Writer) error {
	answer, err := readAnswer(raw)
	if err != nil {
		return err
	}
	frames, err := answer.frames()
	if err != nil {
		return err
	}
	printNotices(stderr, frames)
	if q.output == "table" {
		if err := writeTables(stdout, frames); err != nil {
			return failed("%w", err)
		}
	}
	return answer.err(to.String())
}

// body is the request for the question.
func (q question) body(ctx context.Context, to target) ([]byte, error) {
	model, err := q.model(ctx, to)
	if err != nil {
		return nil, err
	}
	query := map[string]any{"refId": "A"}
	maps.Copy(query, model)
	query["datasource"] = map[string]string{"uid": to.uid}
	return json.Marshal(map[string]any{
		"from":    moment(q.from),
		"to":      moment(q.to),
		"queries": []any{query},
	})
}

// model is the query's JSON: the text itself, or the text in the field that
// takes it. Its values stay as they were written.
func (q question) model(ctx context.Context, to target) (map[string]any, error) {
	if q.field != "" {
		return map[string]any{q.field: q.text}, nil
	}
	var written map[string]json.RawMessage
	if json.Unmarshal([]byte(q.text), &written) == nil && written != nil {
		model := make(map[string]any, len(written))
		for key, value := range written {
			model[key] = value
		}
		return model, nil
	}
	field, err := to.queryText(ctx)
	if err != nil {
		return nil, err
	}
	if field == "" {
		return nil, misused("the query is not a JSON object, and %s names no field for plain text: "+
			"write JSON, or name the field, as in --field expr", to)
	}
	return map[string]any{field: q.text}, nil
}

// moment turns a date into Unix milliseconds; the server knows all other
// spellings.
func moment(text string) string {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return strconv.FormatInt(day.UnixMilli(), 10)
	}
	return text
}

// queryText returns the field of the target's queries that takes plain text,
// empty if its plugin names none.
func (t target) queryText(ctx context.Context) (string, error) {
	if t.describe != nil {
		description, err := t.describe(ctx)
		if err != nil && !errors.Is(err, plugin.ErrNotImplemented) {
			return "", unavailable("%w", err)
		}
		return description.QueryText, nil
	}
	var source struct {
		Type string `json:"type"`
	}
	if err := t.get(ctx, "/api/datasources/uid/"+url.PathEscape(t.uid), &source); err != nil {
		return "", err
	}
	var p installed
	if err := t.get(ctx, pluginPath(source.Type)+"/settings", &p); err != nil || p.QueryText != "" {
		return p.QueryText, err
	}
	switch host.State(p.Process.State) {
	case host.StateStopped, host.StateQuarantined, host.StateBackingOff, host.StateStarting:
		return "", unavailable("plugin %s is %s, and cannot tell which field of a query takes plain text: start it (plugboard plugin start %s), "+
			"or name the field, as in --field expr", p.ID, p.Process.State, p.ID)
	}
	return "", nil
}
