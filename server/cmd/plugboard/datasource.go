package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/spf13/cobra"
)

func newDatasource() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "datasource",
		Aliases: []string{"ds"},
		Short:   "List, make, change, remove and check the data sources of a server",
	}
	return group(cmd, newSourceList(), newSourceShow(), newSourceAdd(), newSourceEdit(), newSourceRemove(), newSourceTest())
}

func newSourceList() *cobra.Command {
	var s serverFlags
	var o output
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List the data sources",
		Example: `  plugboard datasource ls
  plugboard datasource ls -o csv`,
		Args: cobra.NoArgs,
		RunE: s.run(&o, func(ctx context.Context, server *api, cmd *cobra.Command, _ []string) error {
			var list []source
			answer, err := server.read(ctx, "/api/datasources", &list)
			if err != nil {
				return err
			}
			return o.print(cmd.OutOrStdout(), answer,
				textColumn("uid", list, func(d source) string { return d.UID }),
				textColumn("name", list, func(d source) string { return d.Name }),
				textColumn("type", list, func(d source) string { return d.Type }),
				textColumn("url", list, func(d source) string { return withoutPassword(d.URL) }),
				textColumn("default", list, func(d source) string { return yes(d.IsDefault) }),
				textColumn("read only", list, func(d source) string { return yes(d.ReadOnly) }))
		}),
	}
	s.register(cmd.Flags())
	o.register(cmd.Flags())
	return cmd
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return ""
}

// withoutPassword hides the password that some write into a URL.
func withoutPassword(text string) string {
	if u, err := url.Parse(text); err == nil && u.User != nil {
		return u.Redacted()
	}
	return text
}

func newSourceShow() *cobra.Command {
	var s serverFlags
	var o output
	cmd := &cobra.Command{
		Use:   "show UID",
		Short: "Show the settings of a data source",
		Long: `Show prints the settings of a data source, and which secrets it has: what they
are, the server tells nobody.`,
		Example: `  plugboard datasource show seattle
  plugboard datasource show seattle -o json`,
		Args: cobra.ExactArgs(1),
		RunE: s.run(&o, func(ctx context.Context, server *api, cmd *cobra.Command, args []string) error {
			d, answer, err := readSource(ctx, server, args[0])
			if err != nil {
				return err
			}
			return o.print(cmd.OutOrStdout(), answer, d.facts().columns()...)
		}),
		ValidArgsFunction: s.completeSources,
	}
	s.register(cmd.Flags())
	o.register(cmd.Flags())
	return cmd
}

func (s source) facts() *facts {
	f := &facts{}
	f.add("uid", s.UID)
	f.add("name", s.Name)
	f.add("type", s.Type)
	f.add("url", withoutPassword(s.URL))
	f.add("user", s.User)
	f.add("database", s.Database)
	f.add("basicAuthUser", s.BasicAuthUser)
	f.add("default", yes(s.IsDefault))
	f.add("read only", yes(s.ReadOnly))
	f.add("version", s.Version)
	if data, err := decodeObject(s.JSONData); err == nil {
		for _, key := range slices.Sorted(maps.Keys(data)) {
			f.add("jsonData."+key, jsonText(data[key]))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.SecureJSONFields)) {
		f.add("secret "+key, "is set")
	}
	return f
}

// sourceFlags are the settings that add and edit take.
type sourceFlags struct {
	name, kind, url string
	set, secret     []string
}

func (f *sourceFlags) register(cmd *cobra.Command, s *serverFlags) {
	flags := cmd.Flags()
	s.register(flags)
	flags.StringVar(&f.name, "name", "", "the `name` that people see")
	flags.StringVar(&f.kind, "type", "", "the `id` of the plugin that answers")
	flags.StringVar(&f.url, "url", "", "where the plugin finds the data, an `address`")
	flags.StringArrayVar(&f.set, "set", nil, "a setting: user=…, database=…, basicAuth=true, basicAuthUser=…, jsonData.KEY=…; null removes a KEY")
	flags.StringArrayVar(&f.secret, "secret", nil, "a secret, as KEY=@FILE, KEY=@- for standard input, or KEY=VALUE")
	_ = cmd.RegisterFlagCompletionFunc("type", s.completePlugins)
}

// apply writes what the flags say into a data source.
func (f *sourceFlags) apply(d *source, stdin io.Reader) error {
	secrets, err := readSecrets(f.secret, stdin)
	if err != nil {
		return err
	}
	d.Name, d.Type, d.URL = cmp.Or(f.name, d.Name), cmp.Or(f.kind, d.Type), cmp.Or(f.url, d.URL)
	return d.configure(f.set, secrets)
}

func newSourceAdd() *cobra.Command {
	var s serverFlags
	var f sourceFlags
	cmd := &cobra.Command{
		Use:   "add UID --type PLUGIN",
		Short: "Make a data source",
		Long: `Add makes a data source with the uid that commands and queries name it by. Its
settings are those of Grafana: --set jsonData.KEY=VALUE, where a VALUE that is
JSON is taken as that. Plugboard plugin show lists them; settings that the plugin
would refuse are refused here, with what is wrong.

A secret is best read from a file or from standard input, which keeps it out of
the shell's history and from the other users of the machine. The line's end is
left out.`,
		Example: `  plugboard datasource add shop --type sql --name 'The shop' --set jsonData.path=/srv/shop.db
  printf %s "$TOKEN" | plugboard datasource add api --type testdata --url http://localhost:9090 --secret token=@-`,
		Args: cobra.ExactArgs(1),
		RunE: s.run(nil, func(ctx context.Context, server *api, cmd *cobra.Command, args []string) error {
			d := source{UID: args[0], Name: args[0]}
			if err := f.apply(&d, cmd.InOrStdin()); err != nil {
				return err
			}
			if d.Type == "" {
				return misused("--type says which plugin answers; plugboard plugin ls shows those there are")
			}
			if err := readSchema(ctx, server, d.Type).check(d, f.set, cmd.ErrOrStderr()); err != nil {
				return err
			}
			if err := server.change(ctx, http.MethodPost, "/api/datasources", d, nil); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "added data source %s\n", d.UID)
			warnOfType(ctx, server, cmd.ErrOrStderr(), d.Type)
			return nil
		}),
	}
	f.register(cmd, &s)
	return cmd
}

// warnOfType tells if the server has no plugin for a data source: it may come
// later, or be mistyped.
func warnOfType(ctx context.Context, server *api, stderr io.Writer, kind string) {
	status, _, err := server.fetch(ctx, http.MethodGet, pluginPath(kind)+"/settings", nil)
	if err == nil && status == http.StatusNotFound {
		fmt.Fprintf(stderr, "warning: the server has no plugin %q yet; plugboard plugin ls shows those there are\n", kind)
	}
}

func newSourceEdit() *cobra.Command {
	var s serverFlags
	var f sourceFlags
	cmd := &cobra.Command{
		Use:   "edit UID",
		Short: "Change a data source",
		Long: `Edit changes what its flags say of a data source, and nothing else. An empty
secret (--secret KEY=) is removed, and so is a setting that is null (--set
jsonData.KEY=null). If somebody else changes the data source at the same moment,
edit fails and changes nothing.`,
		Example: `  plugboard datasource edit shop --name 'The old shop'
  plugboard datasource edit shop --set jsonData.limit=500 --secret password=@password.txt`,
		Args: cobra.ExactArgs(1),
		RunE: s.run(nil, func(ctx context.Context, server *api, cmd *cobra.Command, args []string) error {
			d, _, err := readSource(ctx, server, args[0])
			if err != nil {
				return err
			}
			if err := f.apply(&d, cmd.InOrStdin()); err != nil {
				return err
			}
			if err := readSchema(ctx, server, d.Type).check(d, f.set, cmd.ErrOrStderr()); err != nil {
				return err
			}
			kept := d.Version
			var saved struct{ Datasource source }
			if err := server.change(ctx, http.MethodPut, sourcePath(args[0]), d, &saved); err != nil {
				return err
			}
			if saved.Datasource.Version == kept {
				fmt.Fprintf(cmd.OutOrStdout(), "data source %s is so already\n", d.UID)
				return nil
			}
			fmt.Fprintf(cmd.OutOrStdout(), "changed data source %s, version %s\n", d.UID, strconv.FormatInt(saved.Datasource.Version, 10))
			return nil
		}),
		ValidArgsFunction: s.completeSources,
	}
	f.register(cmd, &s)
	return cmd
}

func newSourceRemove() *cobra.Command {
	var s serverFlags
	cmd := &cobra.Command{
		Use:     "rm UID",
		Aliases: []string{"remove"},
		Short:   "Remove a data source",
		Example: `  plugboard datasource rm shop`,
		Args:    cobra.ExactArgs(1),
		RunE: s.run(nil, func(ctx context.Context, server *api, cmd *cobra.Command, args []string) error {
			if err := server.change(ctx, http.MethodDelete, sourcePath(args[0]), nil, nil); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "removed data source %s\n", args[0])
			return nil
		}),
		ValidArgsFunction: s.completeSources,
	}
	s.register(cmd.Flags())
	return cmd
}

func newSourceTest() *cobra.Command {
	var s serverFlags
	cmd := &cobra.Command{
		Use:   "test UID",
		Short: "Ask a data source whether it works",
		Long: `Test asks the plugin of a data source to check it, as Grafana's "Save & test"
does, and prints what it says. The exit code is 1 if the data source does not
work, 2 if there is none, 3 if the server or the plugin cannot be reached.`,
		Example: `  plugboard datasource test seattle`,
		Args:    cobra.ExactArgs(1),
		RunE: s.run(nil, func(ctx context.Context, server *api, cmd *cobra.Command, args []string) error {
			message, err := checkSource(ctx, server, args[0])
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), printable(cmp.Or(message, "it works")))
			return nil
		}),
		ValidArgsFunction: s.completeSources,
	}
	s.register(cmd.Flags())
	return cmd
}
