package main

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"
)

// completePatience bounds how long a shell waits for what may come next.
const completePatience = 2 * time.Second

// addCompletions teaches the shell the values of the flags that many commands
// have.
func addCompletions(cmd *cobra.Command) {
	if cmd.Flags().Lookup("output") != nil {
		_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(outputsOf(cmd), cobra.ShellCompDirectiveNoFileComp))
	}
	if cmd.Flags().Lookup("profile") != nil {
		_ = cmd.RegisterFlagCompletionFunc("profile", completeProfiles)
	}
	for _, sub := range cmd.Commands() {
		addCompletions(sub)
	}
}

// completeSources offers the uids of the server's data sources for the first
// argument.
func (s *serverFlags) completeSources(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var list []source
	if len(args) > 0 || !s.ask(cmd, "/api/datasources", &list) {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names := make([]string, len(list))
	for i, d := range list {
		names[i] = cobra.CompletionWithDesc(d.UID, printable(d.Name+" ("+d.Type+")"))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// complete offers data sources, unless --plugin says who to ask.
func (t *targetFlags) complete(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if t.plugin != "" {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return t.completeSources(cmd, args, begun)
}

// completeChannels offers the beginnings of channels.
func (s *serverFlags) completeChannels(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var list []source
	if len(args) > 0 || !s.ask(cmd, "/api/datasources", &list) {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names := make([]string, len(list))
	for i, d := range list {
		names[i] = "ds/" + d.UID + "/"
	}
	return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completePlugins offers the ids of the server's plugins, for the first
// argument or a flag.
func (s *serverFlags) completePlugins(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var list []installed
	if len(args) > 0 && cmd.Flags().Lookup("type") == nil || !s.ask(cmd, "/api/plugins", &list) {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names := make([]string, len(list))
	for i, p := range list {
		names[i] = cobra.CompletionWithDesc(p.ID, printable(p.Name))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// ask gets something of the server that the flags name, if it is there.
func (s *serverFlags) ask(cmd *cobra.Command, path string, into any) bool {
	server, err := s.api()
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completePatience)
	defer cancel()
	return server.get(ctx, path, into) == nil
}

// addCompletionExamples completes what cobra says of its own command.
func addCompletionExamples(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() != "completion" {
			continue
		}
		for _, shell := range cmd.Commands() {
			shell.Example = "  plugboard completion " + shell.Name() + " > plugboard." + shell.Name()
		}
	}
}

// outputsOf returns what a command can print.
func outputsOf(cmd *cobra.Command) []string {
	outputs := []string{"table", "json", "csv"}
	if cmd.Name() == "query" {
		outputs = append(outputs, slices.Sorted(maps.Keys(servedAs))...)
	}
	return outputs
}
