// Command plugboard asks Grafana data source plugins without Grafana: a server
// with their HTTP API, and a command line for one question.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

// version and commit are set by the linker in releases.
var version, commit = "", ""

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	root := newRoot()
	err := root.ExecuteContext(ctx)
	stop()
	os.Exit(report(root.ErrOrStderr(), err))
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "plugboard",
		Short: "Ask any Grafana data source without Grafana",
		Long: `Plugboard runs Grafana data source plugins without Grafana, and asks them from
curl, the command line or Go.

  plugboard demo      a server with data sources to try, nothing to configure
  plugboard query     one query, to a server or straight to a plugin
  plugboard stream    listen to a channel
  plugboard serve     the server
  plugboard datasource, plugboard plugin    what a server has, and how that is
  plugboard token     let a program ask it, and no more than it needs

The server that a command asks, and who asks, are said by the flags --server,
--user, --token and --profile, else by the environment (PLUGBOARD_SERVER,
PLUGBOARD_USER and PLUGBOARD_PASSWORD, PLUGBOARD_TOKEN, PLUGBOARD_PROFILE), else
by the default of the file plugboard/profiles.yaml in the user's configuration
folder (on Linux ~/.config), which nobody else may be able to read:

  default: home
  profiles:
    home: {server: "http://127.0.0.1:3030", user: admin, password: "..."}
    shop: {server: "https://shop.example", token: "..."}

The credentials of a profile are sent to its own server only.

Exit codes:
  0  it worked
  1  the query, the plugin or what the plugin talks to failed
  2  the command is wrong: its flags, or what it names does not exist
  3  the server or the plugin cannot be reached or does not run`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newDemo(), newServe(), newQuery(), newCall(), newStream(), newDatasource(), newPlugin(), newHealth(), newToken(), newVersion(), newBundled())
	addCompletions(root)
	addCompletionExamples(root)
	return root
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: `  plugboard version`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "plugboard", versionText())
			return err
		},
	}
}

// versionText is the linker's version, or what Go knows of a build without.
func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}
