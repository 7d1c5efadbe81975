package main

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/server"
	"github.com/plugboard/plugboard/server/config"
)

func newPluginReload() *cobra.Command {
	cmd := newPluginOrder("reload", "reloaded", "Switch to what is in the folder of a plugin now",
		`Reload reads the folder of a plugin again, starts what is there beside the process
that runs, and switches when that answers and no data source is worse off. No
call fails for it. If anything is wrong all stays as it is.`)
	cmd.Example = "  plugboard plugin reload acme-weather-datasource"
	return cmd
}

func newPluginRollback() *cobra.Command {
	cmd := newPluginOrder("rollback", "rolled back", "Switch back to the version before the last upgrade",
		`Rollback switches to the version that ran before the last upgrade, without a failed
call. Another rollback goes forth again.`)
	cmd.Example = "  plugboard plugin rollback acme-weather-datasource"
	var off offline
	online := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if off.data == "" {
			return online(cmd, args)
		}
		return off.change(cmd, "rolled back", args[0], func(h *host.Host) error { return h.Rollback(cmd.Context(), args[0], nil) })
	}
	off.register(cmd.Flags())
	return cmd
}

func newPluginUpgrade() *cobra.Command {
	var s serverFlags
	cmd := &cobra.Command{
		Use:   "upgrade ID FILE",
		Short: "Switch to another version of a plugin",
		Long: `Upgrade sends another version of a plugin to the server, as a zip file or from a
folder. It has to be signed by somebody whom the server trusts. The server
starts it beside the version that runs, and switches when it answers and no data
source is worse off. No call fails for it. If the new version ends within a
minute, the server goes back to the former by itself.

With --data it is done in the data folder of a server that does not run. Then
--allow-unsigned of its configuration counts, too.`,
		Example: `  plugboard plugin upgrade acme-weather-datasource acme-weather-datasource-1.2.0.zip
  plugboard plugin upgrade acme-weather-datasource ./dist`,
		Args: cobra.ExactArgs(2),
		RunE: s.run(nil, func(ctx context.Context, api *api, cmd *cobra.Command, args []string) error {
			began := time.Now()
			text, err := packed(args[1])
			if err != nil {
				return misused("%w", err)
			}
			var answer struct {
				Version string
				Process process
			}
			if err := api.upload(ctx, pluginPath(args[0])+"/upgrade", text, &answer); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "upgraded plugin %s to version %s: %s, after %v\n", args[0], answer.Version, answer.Process.State,
				time.Since(began).Round(time.Millisecond))
			return nil
		}),
		ValidArgsFunction: s.completePlugins,
	}
	var off offline
	online := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if off.data == "" {
			return online(cmd, args)
		}
		return off.change(cmd, "upgraded", args[0], func(h *host.Host) error {
			return h.Upgrade(cmd.Context(), args[0], args[1], false, nil)
		})
	}
	s.register(cmd.Flags())
	off.register(cmd.Flags())
	return cmd
}

// offline is for a server that does not run.
type offline struct{ data, config string }

func (o *offline) register(flags *pflag.FlagSet) {
	flags.StringVar(&o.data, "data", "", "data `folder` of a server that does not run: do it there, for its next start")
	flags.StringVar(&o.config, "config", "", "configuration `file` of that server (default plugboard.yaml, if there is one)")
}

// change chooses another version for when the server starts. What may run is
// decided as the server decides it.
func (o *offline) change(cmd *cobra.Command, done, id string, do func(*host.Host) error) error {
	c, err := config.Load(o.config, os.Environ(), map[string][]string{"data": {o.data}})
	if err != nil {
		return misused("%w", err)
	}
	versions, err := filepath.Abs(filepath.Join(c.Data, server.VersionsDir))
	if err != nil {
		return failed("%w", err)
	}
	inside, err := allBundled()
	if err != nil {
		return err
	}
	h, err := host.New(host.Config{
		PluginDirs: c.PluginDirs, DevDirs: c.Dev, Bundled: inside, VersionsDir: versions,
		AllowUnsigned: c.AllowUnsigned, TrustedKeys: c.Trust, RootURL: c.RootURL,
	})
	if err != nil {
		return failed("%w", err)
	}
	if err := do(h); err != nil {
		return misused("%w", err)
	}
	p, _ := h.Plugin(id)
	fmt.Fprintf(cmd.OutOrStdout(), "%s plugin %s: version %s runs when the server starts\n", done, id, p.Manifest.Info.Version)
	return nil
}

// packed opens a zip file, or one made of a folder.
func packed(name string) (*os.File, error) {
	info, err := os.Stat(name)
	if err != nil || !info.IsDir() {
		return os.Open(name) // which says what is wrong
	}
	file, err := os.CreateTemp("", "plugboard-*.zip")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(file.Name()) // it is there as long as it is open; on Windows the system removes it later
	archive := zip.NewWriter(file)
	err = errors.Join(archive.AddFS(os.DirFS(name)), archive.Close())
	if _, seekErr := file.Seek(0, io.SeekStart); err == nil {
		err = seekErr
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("pack %s: %w", name, err), file.Close())
	}
	return file, nil
}

// upload sends a file, which it closes, and decodes the answer.
func (a *api) upload(ctx context.Context, path string, file *os.File, into any) error {
	defer file.Close() //nolint:errcheck // only read
	told := startProgress(a.progress)
	defer told.end()
	response, err := a.sendFrom(ctx, http.MethodPost, path, http.Header{"Content-Type": {"application/zip"}}, file)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return unavailable("the server's answer broke off: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return refusal(response.StatusCode, answer)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return failed("read the server's answer to POST %s: %w", path, err)
	}
	return nil
}
