package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framecsv"
)

func newToken() *cobra.Command {
	return group(&cobra.Command{
		Use:   "token",
		Short: "Let a program ask a server, and no more than it needs",
		Long: `Token makes, lists and revokes tokens of a server. Each belongs to a service
account of the same name, which has a role and, if wanted, the data sources that
it may ask:

  viewer   sees and asks data sources: queries, health, resources, streams
  editor   also publishes to channels
  admin    everything, these commands too

They take an admin, by password or by token.`,
	}, newTokenCreate(), newTokenList(), newTokenRemove())
}

// account is a service account as the API tells it.
type account struct {
	ID          int64    `json:"id"`
	Name        string   `json:"name"`
	Login       string   `json:"login"`
	IsDisabled  bool     `json:"isDisabled"`
	Role        string   `json:"role"`
	DataSources []string `json:"dataSources"`
}

// sources reads the data sources for people.
func (a account) sources() string {
	if len(a.DataSources) == 0 {
		return "all data sources"
	}
	return strings.Join(a.DataSources, ", ")
}

// wantedToken is what plugboard token create makes.
type wantedToken struct {
	name, role, expires string
	sources             []string
}

func newTokenCreate() *cobra.Command {
	var s serverFlags
	var wanted wantedToken
	cmd := &cobra.Command{
		Use:   "create --name NAME",
		Short: "Make a token and print it, this once",
		Long: `Create makes a service account with a token, and prints the token on stdout. The
server keeps only its hash, so nobody can print it again.`,
		Example: `  plugboard token create --name cron --role viewer --datasource seattle --expires 90d > cron.token
  PLUGBOARD_TOKEN=$(cat cron.token) plugboard query seattle 'SELECT * FROM weather LIMIT 5'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			server, err := s.api()
			if err != nil {
				return err
			}
			return wanted.create(cmd.Context(), server, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	s.register(flags)
	flags.StringVar(&wanted.name, "name", "", "the name of the token and its service account")
	flags.StringVar(&wanted.role, "role", "viewer", "viewer, editor or admin")
	flags.StringArrayVar(&wanted.sources, "datasource", nil, "the uid of a data source that it may ask; without, it may ask all")
	flags.StringVar(&wanted.expires, "expires", "never", "how long it is good for: 90d, 2w, 12h, never")
	_ = cmd.MarkFlagRequired("name")
	_ = cmd.RegisterFlagCompletionFunc("role", cobra.FixedCompletions([]string{"viewer", "editor", "admin"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// create leaves an account with a token, or neither.
func (w wantedToken) create(ctx context.Context, server *api, stdout, stderr io.Writer) error {
	life, err := parseLife(w.expires)
	if err != nil {
		return err
	}
	var made account
	err = server.change(ctx, http.MethodPost, "/api/serviceaccounts", map[string]any{"name": w.name, "role": w.role, "dataSources": w.sources}, &made)
	if err != nil {
		return err
	}
	path := "/api/serviceaccounts/" + strconv.FormatInt(made.ID, 10)
	var token struct {
		Key string `json:"key"`
	}
	err = server.change(ctx, http.MethodPost, path+"/tokens", map[string]any{"name": w.name, "secondsToLive": int64(life.Seconds())}, &token)
	if err != nil {
		undo := context.WithoutCancel(ctx)
		if left := server.change(undo, http.MethodDelete, path, nil, nil); left != nil {
			return fmt.Errorf("%w; the service account %q is left without a token: %w", err, w.name, left)
		}
		return err
	}
	until := "for ever"
	if life > 0 {
		until = "until " + time.Now().Add(life).UTC().Format(time.RFC3339)
	}
	fmt.Fprintf(stderr, "%s, %s of %s, %s. This is shown once; plugboard token rm %s revokes it.\n", made.Login, made.Role, made.sources(), until, w.name)
	if _, err := fmt.Fprintln(stdout, token.Key); err != nil {
		return failed("print the token: %w", err)
	}
	return nil
}

// parseLife reads how long a token is good for; 0 is never-ending.
func parseLife(text string) (time.Duration, error) {
	if text == "never" {
		return 0, nil
	}
	unit := 24 * time.Hour
	number, ok := strings.CutSuffix(text, "d")
	if !ok {
		if number, ok = strings.CutSuffix(text, "w"); ok {
			unit *= 7
		}
	}
	life, err := time.ParseDuration(text)
	if ok {
		var n int64
		n, err = strconv.ParseInt(number, 10, 16)
		life = time.Duration(n) * unit
	}
	if err != nil || life < time.Second {
		return 0, misused("--expires is a time such as 90d, 2w or 12h, or never, not %q", text)
	}
	return life, nil
}

// listedToken is a line of plugboard token ls.
type listedToken struct {
	Account     string     `json:"account"`
	Login       string     `json:"login"`
	Role        string     `json:"role"`
	DataSources []string   `json:"dataSources"`
	Token       string     `json:"token"`
	Expires     *time.Time `json:"expires"`
	LastUsed    *time.Time `json:"lastUsed"`
	State       string     `json:"state"`
}

func newTokenList() *cobra.Command {
	var s serverFlags
	var output string
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List tokens: who has one, for what, and when it was used last",
		Example: `  plugboard token ls`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != "table" && output != "json" && output != "csv" {
				return misused("--output is table, json or csv, not %q", output)
			}
			server, err := s.api()
			if err != nil {
				return err
			}
			tokens, err := listTokens(cmd.Context(), server)
			if err != nil {
				return err
			}
			if err := writeTokens(cmd.OutOrStdout(), output, tokens); err != nil {
				return failed("print the tokens: %w", err)
			}
			return nil
		},
	}
	s.register(cmd.Flags())
	cmd.Flags().StringVarP(&output, "output", "o", "table", "table, json or csv")
	return cmd
}

// listTokens returns all tokens of all accounts; an account without one has a
// line too.
func listTokens(ctx context.Context, server *api) ([]listedToken, error) {
	var accounts []account
	if err := server.get(ctx, "/api/serviceaccounts", &accounts); err != nil {
		return nil, err
	}
	list := []listedToken{}
	for _, a := range accounts {
		var tokens []struct {
			Name       string     `json:"name"`
			Expiration *time.Time `json:"expiration"`
			LastUsedAt *time.Time `json:"lastUsedAt"`
			HasExpired bool       `json:"hasExpired"`
		}
		if err := server.get(ctx, "/api/serviceaccounts/"+strconv.FormatInt(a.ID, 10)+"/tokens", &tokens); err != nil {
			return nil, err
		}
		line := listedToken{Account: a.Name, Login: a.Login, Role: a.Role, DataSources: a.DataSources, State: "no token"}
		if len(tokens) == 0 {
			list = append(list, line)
		}
		for _, t := range tokens {
			line.Token, line.Expires, line.LastUsed, line.State = t.Name, t.Expiration, t.LastUsedAt, "valid"
			if t.HasExpired {
				line.State = "expired"
			}
			if a.IsDisabled {
				line.State = "disabled"
			}
			list = append(list, line)
		}
	}
	return list, nil
}

func writeTokens(w io.Writer, output string, tokens []listedToken) error {
	if output == "json" {
		return json.NewEncoder(w).Encode(tokens)
	}
	var accounts, roles, sources, names, expires, used, states []string
	for _, t := range tokens {
		accounts, roles, states = append(accounts, t.Account), append(roles, t.Role), append(states, t.State)
		sources = append(sources, account{DataSources: t.DataSources}.sources())
		names = append(names, t.Token)
		expires, used = append(expires, orNever(t.Expires)), append(used, orNever(t.LastUsed))
	}
	frames := frame.Frames{frame.New("", frame.NewField("account", nil, accounts), frame.NewField("role", nil, roles),
		frame.NewField("data sources", nil, sources), frame.NewField("token", nil, names), frame.NewField("expires", nil, expires),
		frame.NewField("last used", nil, used), frame.NewField("state", nil, states))}
	if output == "csv" {
		return framecsv.Write(w, frames...)
	}
	return writeTables(w, frames)
}

func orNever(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}

func newTokenRemove() *cobra.Command {
	var s serverFlags
	cmd := &cobra.Command{
		Use:     "rm NAME",
		Aliases: []string{"remove"},
		Short:   "Revoke the tokens of a service account, and remove it",
		Long: `Rm removes a service account with all its tokens. They are refused from that
moment on, and streams that are open with them end within seconds.`,
		Example: `  plugboard token rm cron`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := s.api()
			if err != nil {
				return err
			}
			return removeAccount(cmd.Context(), server, args[0])
		},
	}
	s.register(cmd.Flags())
	return cmd
}

func removeAccount(ctx context.Context, server *api, name string) error {
	var accounts []account
	if err := server.get(ctx, "/api/serviceaccounts", &accounts); err != nil {
		return err
	}
	for _, a := range accounts {
		if a.Name == name {
			return server.change(ctx, http.MethodDelete, "/api/serviceaccounts/"+strconv.FormatInt(a.ID, 10), nil, nil)
		}
	}
	return misused("there is no token and no service account named %q; plugboard token ls shows those there are", name)
}
