package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/spf13/cobra"
)

func newPlugin() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plugin",
		Short: "List, look into, start and stop the plugins of a server; sign and verify plugins",
	}
	return group(cmd, newPluginList(), newPluginShow(), newPluginStart(), newPluginStop(), newPluginRestart(), newPluginReload(), newPluginUpgrade(), newPluginRollback(), newPluginEvents(), newPluginLogs(),
		newPluginKeygen(), newPluginSign(), newPluginVerify())
}

// installed is a plugin as the API tells it.
type installed struct {
	ID, Name, Type, Category, QueryText    string
	Signature, SignatureType, SignatureOrg string
	Info                                   struct{ Version, Description string }
	Process                                process
}

// process is how a plugin's process is.
type process struct {
	State     string
	PID       int
	Since     *time.Time
	Restarts  int
	LastError string
	Level     string
	Sandbox   []tier
}

// tier is one means of confining a process.
type tier struct {
	Tier   string
	On     bool
	Detail string
}

func pluginPath(id string) string { return "/api/plugins/" + url.PathEscape(id) }

func newPluginList() *cobra.Command {
	var s serverFlags
	var o output
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List the plugins, and how their processes are",
		Long: `Ls lists the plugins that are installed, and how their processes are. What was
found and could not be loaded is told on stderr.`,
		Example: `  plugboard plugin ls
  plugboard plugin ls -o json`,
		Args: cobra.NoArgs,
		RunE: s.run(&o, func(ctx context.Context, server *api, cmd *cobra.Command, _ []string) error {
			var list []installed
			answer, err := server.read(ctx, "/api/plugins", &list)
			if err != nil {
				return err
			}
			warnOfFaults(ctx, server, cmd.ErrOrStderr())
			return o.print(cmd.OutOrStdout(), answer,
				textColumn("id", list, func(p installed) string { return p.ID }),
				textColumn("type", list, func(p installed) string { return p.Type }),
				textColumn("version", list, func(p installed) string { return p.Info.Version }),
				textColumn("signature", list, func(p installed) string { return p.Signature }),
				textColumn("state", list, func(p installed) string { return p.Process.State }),
				textColumn("pid", list, func(p installed) string { return orNone(p.Process.PID) }),
				textColumn("restarts", list, func(p installed) string { return strconv.Itoa(p.Process.Restarts) }),
				textColumn("last error", list, func(p installed) string { return firstLine(p.Process.LastError) }))
		}),
	}
	s.register(cmd.Flags())
	o.register(cmd.Flags())
	return cmd
}

func orNone(number int) string {
	if number == 0 {
		return ""
	}
	return strconv.Itoa(number)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// warnOfFaults tells what could not be loaded. Only admins may know.
func warnOfFaults(ctx context.Context, server *api, stderr io.Writer) {
	var faults []struct{ PluginID, Path, Reason string }
	if server.get(ctx, "/api/plugins/errors", &faults) != nil {
		return
	}
	for _, f := range faults {
		fmt.Fprintf(stderr, "not loaded: %s: %s\n", printable(f.Path), printable(f.Reason))
	}
}

func newPluginShow() *cobra.Command {
	var s serverFlags
	var o output
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show a plugin, how its process is, and its settings",
		Long: `Show prints what a plugin is, how its process is, and, where the plugin tells
them, the settings and secrets that a data source of it has and the fields of its
queries. As json, it is the server's answer, without those: they are in
GET /api/plugins/ID/schema.`,
		Example: `  plugboard plugin show sql
  plugboard plugin show sql -o json`,
		Args: cobra.ExactArgs(1),
		RunE: s.run(&o, func(ctx context.Context, server *api, cmd *cobra.Command, args []string) error {
			var p installed
			answer, err := server.read(ctx, pluginPath(args[0])+"/settings", &p)
			if err != nil {
				return err
			}
			f, schema := p.facts(), pluginSchema{}
			if o != "json" {
				schema = readSchema(ctx, server, args[0])
			}
			schema.fields(f)
			for _, fault := range schema.Faults {
				fmt.Fprintf(cmd.ErrOrStderr(), "not read: %s: %s\n", printable(fault.Path), printable(fault.Reason))
			}
			return o.print(cmd.OutOrStdout(), answer, f.columns()...)
		}),
		ValidArgsFunction: s.completePlugins,
	}
	s.register(cmd.Flags())
	o.register(cmd.Flags())
	return cmd
}

func (p installed) facts() *facts {
	f := &facts{}
	f.add("id", p.ID)
	f.add("name", p.Name)
	f.add("type", p.Type)
	f.add("version", p.Info.Version)
	f.add("description", p.Info.Description)
	f.add("signature", p.Signature)
	f.add("signature type", p.SignatureType)
	f.add("signed by", p.SignatureOrg)
	f.add("query text", p.QueryText)
	f.add("state", p.Process.State)
	f.add("pid", orNone(p.Process.PID))
	if p.Process.Since != nil {
		f.add("since", p.Process.Since.UTC().Format(time.RFC3339))
	}
	f.add("restarts", p.Process.Restarts)
	f.add("last error", p.Process.LastError)
	f.add("sandbox", p.Process.Level)
	for _, t := range p.Process.Sandbox {
		state := "off"
		if t.On {
			state = "on"
		}
		f.add(t.Tier, state+": "+t.Detail)
	}
	return f
}

// logLine is a line of a plugin's log.
type logLine struct {
	Number  int64
	Time    time.Time
	Level   string
	Message string
	Attrs   string
}

// pluginLogs is what plugboard plugin logs is told.
type pluginLogs struct {
	id     string
	lines  int
	follow bool
	output output
}

func newPluginLogs() *cobra.Command {
	var s serverFlags
	var l pluginLogs
	cmd := &cobra.Command{
		Use:   "logs ID",
		Short: "Print the last lines of a plugin's log, and go on with --follow",
		Long: `Logs prints the last lines that a plugin has logged, and what the server has to
say about its process. The server keeps a thousand of each plugin. As json, it is
one object a line.

With --follow it goes on until Ctrl-C, and comes back when the connection breaks.
Secrets of the plugin's data sources are left out.`,
		Example: `  plugboard plugin logs testdata -n 20
  plugboard plugin logs testdata --follow`,
		Args: cobra.ExactArgs(1),
		RunE: s.run(&l.output, func(ctx context.Context, server *api, cmd *cobra.Command, args []string) error {
			l.id = args[0]
			return l.print(ctx, server, cmd.OutOrStdout(), cmd.ErrOrStderr())
		}),
		ValidArgsFunction: s.completePlugins,
	}
	flags := cmd.Flags()
	s.register(flags)
	l.output.register(flags)
	flags.IntVarP(&l.lines, "lines", "n", 100, "how many lines of the past")
	flags.BoolVarP(&l.follow, "follow", "f", false, "go on with the lines to come")
	return cmd
}

func (l pluginLogs) print(ctx context.Context, server *api, stdout, stderr io.Writer) error {
	path := pluginPath(l.id) + "/logs?lines=" + strconv.Itoa(l.lines)
	lines := &rows{output: l.output, w: stdout}
	if l.follow {
		return server.follow(ctx, path+"&follow=1", stderr, func(text []byte) error { return l.line(lines, text) })
	}
	var list []json.RawMessage
	if err := server.get(ctx, path, &list); err != nil {
		return err
	}
	for _, text := range list {
		if err := l.line(lines, text); err != nil {
			return err
		}
	}
	return nil
}

// line prints one line. A table would have most of its width for the message.
func (l pluginLogs) line(lines *rows, text []byte) error {
	var line logLine
	if err := json.Unmarshal(text, &line); err != nil {
		return failed("read a line of the log: %w", err)
	}
	at := line.Time.UTC().Format("2006-01-02T15:04:05.000Z")
	switch l.output {
	case "json":
		return lines.raw(text)
	case "csv":
		return lines.add(frame.New("", frame.NewField("number", nil, []int64{line.Number}), frame.NewField("time", nil, []string{at}),
			frame.NewField("level", nil, []string{line.Level}), frame.NewField("message", nil, []string{line.Message}),
			frame.NewField("attrs", nil, []string{line.Attrs})))
	}
	return lines.raw([]byte(strings.TrimSpace(fmt.Sprintf("%s %-5s %s  %s", at, line.Level, printable(line.Message), printable(line.Attrs)))))
}
