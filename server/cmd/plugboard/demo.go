package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server"
	"github.com/plugboard/plugboard/server/config"
	"github.com/plugboard/plugboard/server/datasource"
)

// demo is what plugboard demo is told.
type demo struct {
	listen  string
	data    string
	plugins []string
}

func newDemo() *cobra.Command {
	var d demo
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a server with data sources to try, nothing to configure",
		Long: `Demo runs a server with data sources to try: the weather in Seattle, this
server's own vitals, made-up data, and one for every data source plugin in the
folders of --plugins. It prints them, and what to try. Ctrl-C stops it.

Nobody has to log in, so it listens on this machine only, and every plugin may
run. Its data is in a temporary folder, which goes with it, unless --data says
where to keep it.`,
		Example: `  plugboard demo --listen 127.0.0.1:0
  plugboard demo --listen 127.0.0.1:0 --plugins ./dist --data ./demo`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return d.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&d.listen, "listen", config.DefaultListen, "`address` to serve HTTP on, of this machine")
	cmd.Flags().StringVar(&d.data, "data", "", "`folder` to keep the data in (default a temporary one)")
	cmd.Flags().StringArrayVar(&d.plugins, "plugins", nil, "`folder` to search for plugins; may be repeated")
	return cmd
}

func (d demo) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	if err := checkLoopback(d.listen); err != nil {
		return err
	}
	if d.data == "" {
		if d.data, err = os.MkdirTemp("", "plugboard-demo-"); err != nil {
			return failed("%w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(d.data)) }()
	}
	if d.data, err = filepath.Abs(d.data); err != nil {
		return failed("%w", err)
	}
	if err := errors.Join(os.MkdirAll(d.data, 0o700), writeSeattle(ctx, filepath.Join(d.data, seattleFile))); err != nil {
		return failed("demo data: %w", err)
	}
	inside, err := allBundled()
	if err != nil {
		return err
	}
	s, err := server.New(ctx, server.Config{
		Config: config.Config{
			Listen:        d.listen,
			Data:          d.data,
			PluginDirs:    d.plugins,
			AllowUnsigned: []string{"*"},
			Anonymous:     true,
		},
		Bundled: inside,
		Version: versionText(),
		Landing: demoLanding(),
		Logger:  slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return notStarted(err)
	}
	return runBeside(ctx, s.Run, func(ctx context.Context) error { return d.introduce(ctx, s, stdout) })
}

// checkLoopback refuses addresses that other machines can reach: there is no
// login.
func checkLoopback(address string) error {
	name, _, err := net.SplitHostPort(address)
	if err != nil {
		return misused("--listen: %w", err)
	}
	if ip := net.ParseIP(name); name == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return misused("--listen %s: the demo lets everybody in, so it listens on loopback only, as 127.0.0.1:3030 is; "+
		"for other machines there is plugboard serve", address)
}

// runBeside runs a server and something that uses it. Both end if one of them
// fails.
func runBeside(ctx context.Context, run, use func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	used := make(chan struct{})
	go func() {
		defer close(used)
		if err := use(ctx); err != nil {
			cancel(err)
		}
	}()
	err := run(ctx)
	cancel(nil)
	<-used
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

// introduce makes the data sources, waits until they are well, and prints them
// and what to try.
func (d demo) introduce(ctx context.Context, s *server.Server, stdout io.Writer) error {
	address := "http://" + s.Addr()
	fmt.Fprintln(stdout, address)
	sources, err := demoSources(address, d.data, s.Host().Plugins())
	if err != nil {
		return err
	}
	if err := keepSources(ctx, s.Store(), sources); err != nil {
		return failed("%w", err)
	}
	conditions := checkAll(ctx, &api{base: address, client: http.DefaultClient}, sources)
	if ctx.Err() != nil {
		return nil
	}
	printSources(stdout, sources, conditions, s.Host())
	printTry(stdout, address, sources, s.Host())
	return nil
}

// condition is what a health check says.
type condition struct {
	well, unknown bool
	message       string
}

// startPatience is how long a data source may take to become well.
const startPatience = 15 * time.Second

// checkAll asks all data sources at once.
func checkAll(ctx context.Context, server *api, sources []datasource.DataSource) []condition {
	conditions := make([]condition, len(sources))
	var checks sync.WaitGroup
	for i, source := range sources {
		checks.Go(func() { conditions[i] = check(ctx, server, source) })
	}
	checks.Wait()
	return conditions
}

// check asks a data source whether it works, and asks again while its plugin
// is not there.
func check(ctx context.Context, server *api, source datasource.DataSource) condition {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		status, answer, err := server.fetch(ctx, http.MethodGet, "/api/datasources/uid/"+url.PathEscape(source.UID)+"/health", nil)
		if errors.Is(err, context.DeadlineExceeded) {
			return condition{message: fmt.Sprintf("no answer within %v", startPatience)}
		}
		if err != nil {
			return condition{message: err.Error()}
		}
		if status != http.StatusServiceUnavailable {
			return readCondition(status, answer)
		}
		select {
		case <-ctx.Done():
			return readCondition(status, answer)
		case <-ticker.C:
		}
	}
}

func readCondition(status int, answer []byte) condition {
	var health struct{ Status, Message string }
	if err := json.Unmarshal(answer, &health); err != nil {
		return condition{message: fmt.Sprintf("the health check answers %d %.100s", status, answer)}
	}
	return condition{well: status == http.StatusOK, unknown: health.Status == plugin.HealthUnknown.String(), message: health.Message}
}

func printSources(w io.Writer, sources []datasource.DataSource, conditions []condition, h *host.Host) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nSOURCE\tPLUGIN\tSTATE\tPID\tHEALTH")
	for i, source := range sources {
		p, _ := h.Plugin(source.Type)
		health := "OK"
		switch {
		case conditions[i].unknown:
			health = "unknown" // it has no health check, which is no fault
		case !conditions[i].well:
			health = "not well"
		}
		if conditions[i].message != "" {
			health += ": " + printable(conditions[i].message)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\n", source.UID, source.Type, p.State, p.PID, health)
	}
	_ = table.Flush() // nobody reads on
}

// printTry prints what works when pasted where the demo was started.
func printTry(w io.Writer, address string, sources []datasource.DataSource, h *host.Host) {
	self := os.Args[0]
	query := self + " query"
	if address != "http://"+config.DefaultListen {
		query += " --server " + address
	}
	fmt.Fprintf(w, `
Try, in another terminal:

  %[2]s seattle 'SELECT date, temp_max, weather FROM weather ORDER BY temp_max DESC LIMIT 5'

  curl -s %[1]s/api/ds/query -H 'Content-Type: application/json' -d '{"from": "1338508800000", "to": "1341100800000", "queries": [{"refId": "A", "datasource": {"uid": "seattle"}, "format": "time_series", "rawSql": "SELECT date AS time, temp_max FROM weather WHERE $__timeFilter(date)"}]}'

  curl -sG %[1]s/api/datasources/uid/seattle/query -H 'Accept: text/csv' --data-urlencode 'query=SELECT date, temp_max, weather FROM weather LIMIT 5'

  curl -sN '%[1]s/api/live/sse?channel=ds/vitals/vitals'

`, address, query)
	uid, question := "testdata", "random_walk"
	if slices.ContainsFunc(sources, func(d datasource.DataSource) bool { return d.UID == "foreign" }) {
		uid, question = "foreign", `{"city": "Seattle", "show": "altitude"}`
	}
	for _, source := range sources {
		if p, ok := h.Plugin(source.Type); ok && source.UID == uid && p.PID != 0 {
			fmt.Fprintf(w, "  kill -9 %d && %s %s '%s'\n\n", p.PID, query, uid, question)
		}
	}
	fmt.Fprintf(w, "  %s demo --listen 127.0.0.1:0 --plugins ./your-dist\n\nCtrl-C stops it.\n", self)
}
