package main

import (
	"cmp"
	"context"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plugboard/plugboard/server/access"
)

const defaultServer = "http://127.0.0.1:3030"

// serverFlags say which server to ask, and as whom; what they leave open, the
// environment says, else a profile.
type serverFlags struct {
	server, user, token, profile string
}

// register adds the flags. Those that may be in the environment have no
// default: help would show it.
func (s *serverFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&s.server, "server", "", "the server's `address` (default PLUGBOARD_SERVER, else "+defaultServer+")")
	flags.StringVar(&s.user, "user", "", "`who` asks, with the password in PLUGBOARD_PASSWORD (default PLUGBOARD_USER, else admin)")
	flags.StringVar(&s.token, "token", "", "ask with this `token` instead; better put it in PLUGBOARD_TOKEN or a profile, where other users of the machine do not see it")
	flags.StringVar(&s.profile, "profile", "", "the `name` of a server in the profiles file (default PLUGBOARD_PROFILE)")
}

// api returns the server that flags, environment and profile name.
//
// Whoever names a profile by flag means it rather than the environment. The
// credentials of a profile go to its own server and no other.
func (s *serverFlags) api() (*api, error) {
	p, err := s.readProfile()
	if err != nil {
		return nil, err
	}
	var named, fallback profile
	if s.profile != "" {
		named = p
	} else {
		fallback = p
	}
	server := cmp.Or(s.server, named.Server, os.Getenv("PLUGBOARD_SERVER"), fallback.Server, defaultServer)
	base := strings.TrimRight(server, "/")
	if !strings.HasPrefix(base, "http://") && !strings.HasPrefix(base, "https://") {
		return nil, misused("--server is a URL such as %s, not %q", defaultServer, server)
	}
	a := &api{base: base, client: http.DefaultClient, progress: terminal(os.Stderr)}
	s.sign(a, named, fallback)
	return a, nil
}

// run makes what a command does of what it asks a server.
func (s *serverFlags) run(o *output, ask func(context.Context, *api, *cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if o != nil {
			if err := o.check(); err != nil {
				return err
			}
		}
		server, err := s.api()
		if err != nil {
			return err
		}
		return ask(cmd.Context(), server, cmd, args)
	}
}

// sign makes requests those of whoever the flags name, else of the profile that
// a flag names, else of whoever the environment names, else of the profile that
// counts when none is named.
func (s *serverFlags) sign(a *api, named, fallback profile) {
	envToken, envPassword := strings.TrimSpace(os.Getenv("PLUGBOARD_TOKEN")), os.Getenv("PLUGBOARD_PASSWORD")
	switch {
	case s.token != "":
		a.token = strings.TrimSpace(s.token)
	case s.user != "":
		a.user, a.password = s.user, cmp.Or(envPassword, named.passwordFor(a, s.user), fallback.passwordFor(a, s.user))
	case named.signs(a):
		named.sign(a)
	case envToken != "":
		a.token = envToken
	case envPassword != "":
		a.user, a.password = cmp.Or(os.Getenv("PLUGBOARD_USER"), access.AdminLogin), envPassword
	case fallback.signs(a):
		fallback.sign(a)
	}
	if a.password == "" {
		a.user = "" // anonymous
	}
}
