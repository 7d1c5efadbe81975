package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plugboard/plugboard/plugin"
)

// target is who a command asks: a data source of a server, or one made for
// this command around a plugin.
type target struct {
	*api
	uid string
	// plugin is the id of a plugin in this process, empty for a server.
	plugin string
	isApp  bool
	// describe asks that plugin about itself; nil for a server.
	describe func(context.Context) (plugin.Description, error)
}

// String names the target for errors.
func (t target) String() string {
	if t.plugin != "" {
		return "plugin " + t.plugin
	}
	return "data source " + t.uid
}

// targetFlags say who to ask.
type targetFlags struct {
	serverFlags
	plugin      string
	set, secret []string
	verbose     bool
}

func (t *targetFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	t.serverFlags.register(flags)
	flags.StringVar(&t.plugin, "plugin", "", "ask this plugin, without a server: its folder, or sql or testdata")
	flags.StringArrayVar(&t.set, "set", nil, "a setting of the data source for --plugin: url=…, user=…, database=…, basicAuth=true, basicAuthUser=…, jsonData.KEY=…")
	flags.StringArrayVar(&t.secret, "secret", nil, "a secret of the data source for --plugin, as KEY=@FILE, KEY=@- for standard input, or KEY=VALUE")
	flags.BoolVarP(&t.verbose, "verbose", "v", false, "print what the plugin of --plugin logs, on stderr")
	_ = cmd.MarkFlagDirname("plugin")
}

// takes returns the check of the arguments: a UID, unless --plugin says who to
// ask, and then these.
func (t *targetFlags) takes(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		want := names
		if t.plugin == "" {
			want = append([]string{"UID"}, names...)
		}
		if len(args) != len(want) {
			return fmt.Errorf("want %s, got %d arguments", strings.Join(want, " and "), len(args))
		}
		if t.plugin == "" && (t.set != nil || t.secret != nil) {
			return fmt.Errorf("--set and --secret are for --plugin: a server's data sources have their own settings")
		}
		return nil
	}
}

// with calls ask with the target that flags and arguments name.
func (t *targetFlags) with(cmd *cobra.Command, args []string, ask func(context.Context, target) error) error {
	if t.plugin != "" {
		return withPlugin(cmd.Context(), t, cmd.InOrStdin(), cmd.ErrOrStderr(), ask)
	}
	server, err := t.api()
	if err != nil {
		return err
	}
	return ask(cmd.Context(), target{api: server, uid: args[0]})
}
