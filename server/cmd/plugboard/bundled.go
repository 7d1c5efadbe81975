package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/bundled/httpsource"
	"github.com/plugboard/plugboard/server/bundled/prometheus"
	"github.com/plugboard/plugboard/server/bundled/sql"
	"github.com/plugboard/plugboard/server/bundled/testsource"
	"github.com/plugboard/plugboard/trace/otlp"
)

// inside is a plugin inside this binary.
type inside struct {
	manifest []byte
	plugin   func() plugin.Plugin
	policy   host.Policy
}

// anyFile lets a plugin use the files that its user may: data sources of SQL
// name databases anywhere. A policy in the configuration takes its place.
var anyFile = host.Policy{Read: []string{"/"}, Write: []string{"/"}}

// bundled returns the plugins inside this binary by id.
func bundled() map[string]inside {
	return map[string]inside{
		"http":       {httpsource.Manifest, httpsource.Plugin, host.Policy{}},
		"prometheus": {prometheus.Manifest, prometheus.Plugin, host.Policy{}},
		"sql":        {sql.Manifest, sql.Plugin, anyFile},
		"testdata":   {testsource.Manifest, testsource.Plugin, host.Policy{}},
	}
}

// asBundled tells the host how to start these plugins.
func asBundled(ids ...string) ([]host.Bundled, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, failed("find this program, which the bundled plugins are in: %w", err)
	}
	var all []host.Bundled
	for _, id := range ids {
		one := bundled()[id]
		all = append(all, host.Bundled{Manifest: one.manifest, Command: []string{self, "bundled", id}, Policy: one.policy})
	}
	return all, nil
}

// allBundled is asBundled of every plugin inside.
func allBundled() ([]host.Bundled, error) {
	return asBundled(slices.Sorted(maps.Keys(bundled()))...)
}

// newBundled is the command that the host starts bundled plugins with.
func newBundled() *cobra.Command {
	return &cobra.Command{
		Use:    "bundled ID",
		Short:  "Serve a bundled plugin to the host that started this process",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, ok := bundled()[args[0]]
			if !ok {
				return misused("no bundled plugin %q, only %s", args[0], strings.Join(slices.Sorted(maps.Keys(bundled())), ", "))
			}
			// Ctrl-C reaches the whole process group; the host says when to end.
			if err := plugin.Serve(context.WithoutCancel(cmd.Context()), p.plugin().Trace(otlp.FromEnv)); err != nil {
				return &failure{codeUnavailable, fmt.Errorf("bundled plugin %s: %w", args[0], err)}
			}
			return nil
		},
	}
}
