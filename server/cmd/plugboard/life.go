package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func newPluginStart() *cobra.Command {
	return newPluginOrder("start", "started", "Start a plugin that was stopped, or is in quarantine",
		`Start starts a plugin that was stopped, that is in quarantine because it has
crashed too often, or that waits for its next attempt to start. It returns when
the process answers. One that runs is left alone.`)
}

func newPluginStop() *cobra.Command {
	return newPluginOrder("stop", "stopped", "Stop the process of a plugin, until it is started",
		`Stop ends the process of a plugin, and returns when nothing of it is left.
Queries are refused until plugboard plugin start, or a restart of the server.`)
}

func newPluginRestart() *cobra.Command {
	return newPluginOrder("restart", "restarted", "Stop the process of a plugin and start it anew",
		`Restart stops the process of a plugin, if there is one, and starts it anew at
once, however often that has failed before. It returns when the new process
answers. Queries wait for it, streams go on.`)
}

// newPluginOrder is a command that tells a plugin's process what to do.
func newPluginOrder(verb, done, short, long string) *cobra.Command {
	var s serverFlags
	cmd := &cobra.Command{
		Use:     verb + " ID",
		Short:   short,
		Long:    long,
		Example: "  plugboard plugin " + verb + " http",
		Args:    cobra.ExactArgs(1),
		RunE: s.run(nil, func(ctx context.Context, server *api, cmd *cobra.Command, args []string) error {
			began := time.Now()
			var answer struct {
				Version string // of one that was switched to
				Process process
			}
			if err := server.change(ctx, http.MethodPost, pluginPath(args[0])+"/"+verb, nil, &answer); err != nil {
				return err
			}
			state := answer.Process.State
			if pid := answer.Process.PID; pid != 0 {
				state += fmt.Sprintf(", pid %d", pid)
			}
			to := ""
			if answer.Version != "" {
				to = " to version " + answer.Version
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s plugin %s%s: %s, after %v\n", done, args[0], to, state, time.Since(began).Round(time.Millisecond))
			return nil
		}),
		ValidArgsFunction: s.completePlugins,
	}
	s.register(cmd.Flags())
	return cmd
}

// pluginEvent is an event of a plugin's life.
type pluginEvent struct {
	Number int64
	Time   time.Time
	State  string
	PID    int
	Reason string
	Exit   *struct {
		OutOfMemory  bool
		PeakRSSBytes int64
		Stderr       []string
	}
}

// details tells what a person wants to know beside the reason.
func (e pluginEvent) details() string {
	if e.Exit == nil {
		return ""
	}
	var details []string
	if e.Exit.PeakRSSBytes > 0 {
		details = append(details, fmt.Sprintf("peak memory %d MiB", e.Exit.PeakRSSBytes>>20))
	}
	if words := lastWords(e.Exit.Stderr); words != "" {
		details = append(details, "last words: "+words)
	}
	return strings.Join(details, "; ")
}

// lastWords is the line that says most: of a Go program that failed its stack
// follows the reason, and neither what is for debugging nor what the official SDK
// says of every request is one.
func lastWords(stderr []string) string {
	var last string
	for _, line := range stderr {
		switch {
		case strings.HasPrefix(line, "panic: "), strings.HasPrefix(line, "fatal error: "):
			return line
		case !strings.Contains(line, `"@level":"debug"`) && !strings.Contains(line, `"@message":"Plugin Request Completed"`):
			last = line
		}
	}
	return spoken(last)
}

// spoken makes the message and the pairs of a line of hclog's JSON, as they are
// in a plugin's log; other lines are what they are.
func spoken(line string) string {
	var pairs map[string]any
	if json.Unmarshal([]byte(line), &pairs) != nil {
		return line
	}
	message, ok := pairs["@message"].(string)
	if !ok {
		return line
	}
	var text strings.Builder
	log := slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if strings.HasPrefix(a.Key, "@") || a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey {
			return slog.Attr{}
		}
		return a
	}}))
	for _, key := range slices.Sorted(maps.Keys(pairs)) {
		log = log.With(slog.Any(key, pairs[key]))
	}
	log.Info("")
	return strings.TrimSpace(message + " " + text.String())
}

func newPluginEvents() *cobra.Command {
	var s serverFlags
	var o output
	cmd := &cobra.Command{
		Use:   "events ID",
		Short: "Print what became of a plugin's processes, and why",
		Long: `Events prints the states that a plugin has been in, oldest first: when it was
started, hung, crashed or was put into quarantine, and why. As json, the end of a
process comes with its exit status, its signal and its last lines of stderr. The
server keeps two hundred events of each plugin, as long as it runs.`,
		Example: `  plugboard plugin events testdata
  plugboard plugin events testdata -o json`,
		Args: cobra.ExactArgs(1),
		RunE: s.run(&o, func(ctx context.Context, server *api, cmd *cobra.Command, args []string) error {
			var list []pluginEvent
			answer, err := server.read(ctx, pluginPath(args[0])+"/events", &list)
			if err != nil {
				return err
			}
			return o.print(cmd.OutOrStdout(), answer,
				textColumn("time", list, func(e pluginEvent) string { return e.Time.UTC().Format(time.RFC3339) }),
				textColumn("state", list, func(e pluginEvent) string { return e.State }),
				textColumn("pid", list, func(e pluginEvent) string { return orNone(e.PID) }),
				textColumn("reason", list, func(e pluginEvent) string { return e.Reason }),
				textColumn("details", list, pluginEvent.details))
		}),
		ValidArgsFunction: s.completePlugins,
	}
	s.register(cmd.Flags())
	o.register(cmd.Flags())
	return cmd
}
