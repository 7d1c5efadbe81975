package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plugboard/plugboard/server"
	"github.com/plugboard/plugboard/server/config"
)

func newServe() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: `Serve runs the server: plugins as child processes, and the HTTP API that clients
of Grafana know.

Everything that a flag says may also be said in plugboard.yaml, by the same
name, or in the environment, as PLUGBOARD_LISTEN for --listen. Flags win over
the environment and that over the file.

At first start the server makes up a password for its user admin, unless
PLUGBOARD_ADMIN_PASSWORD has one, and prints it once.

SIGHUP reads the provisioning files again. SIGINT and SIGTERM stop the server
and its plugins.`,
		Example: `  plugboard serve --listen 127.0.0.1:0 --data ./data
  plugboard serve --listen 127.0.0.1:0 --data ./data --provisioning ./provisioning --plugins . --allow-unsigned my-own-datasource`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.Load(file, os.Environ(), given(cmd.Flags()))
			if err != nil {
				return misused("%w", err)
			}
			return serve(cmd.Context(), c, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "configuration `file` (default plugboard.yaml, if there is one)")
	for _, flag := range config.Flags() {
		if flag.List {
			cmd.Flags().StringArray(flag.Name, nil, flag.Usage)
		} else {
			cmd.Flags().String(flag.Name, "", flag.Usage)
		}
	}
	return cmd
}

// given returns the flags that were given, with their values.
func given(flags *pflag.FlagSet) map[string][]string {
	values := map[string][]string{}
	flags.Visit(func(f *pflag.Flag) {
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values[f.Name] = list.GetSlice()
		} else if f.Name != "config" {
			values[f.Name] = []string{f.Value.String()}
		}
	})
	return values
}

func serve(ctx context.Context, c config.Config, stdout, stderr io.Writer) error {
	if err := shield(); err != nil {
		return failed("shield this process from plugins: %w", err)
	}
	inside, err := allBundled()
	if err != nil {
		return err
	}
	s, err := server.New(ctx, server.Config{
		Config:  c,
		Bundled: inside,
		Version: versionText(),
		Commit:  commit,
		Logger:  slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: c.LogLevel})),
	})
	if err != nil {
		return notStarted(err)
	}
	fmt.Fprintln(stdout, "http://"+s.Addr())
	if password := s.GeneratedPassword(); password != "" {
		fmt.Fprintf(stdout, "admin's password, shown this once: %s\n", password)
	}
	return runBeside(ctx, s.Run, reloadOnHangup(s))
}

// notStarted is the error of a server that could not be opened.
func notStarted(err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return unavailable("%w: --listen takes another address, and port 0 means a free one", err)
	}
	return unavailable("%w", err)
}

// reloadOnHangup reads the provisioning files again with every SIGHUP.
func reloadOnHangup(s *server.Server) func(context.Context) error {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	return func(ctx context.Context) error {
		defer signal.Stop(hangups)
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-hangups:
				s.Reload(ctx)
			}
		}
	}
}
