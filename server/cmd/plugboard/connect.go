package main

import (
	"cmp"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

// serverFlags say which server to ask, and as whom.
type serverFlags struct {
	server, user, token string
}

// register adds the flags. The token's has no default, as help would show it.
func (s *serverFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&s.server, "server", cmp.Or(os.Getenv("PLUGBOARD_SERVER"), "http://127.0.0.1:3030"), "the server's address")
	flags.StringVar(&s.user, "user", cmp.Or(os.Getenv("PLUGBOARD_USER"), "admin"), "who asks, if PLUGBOARD_PASSWORD is set; else nobody in particular")
	flags.StringVar(&s.token, "token", "", "ask with this token instead; better put it in PLUGBOARD_TOKEN, where other users of the machine do not see it")
}

// api returns the server that flags and environment name.
func (s *serverFlags) api() (*api, error) {
	base := strings.TrimRight(s.server, "/")
	if !strings.HasPrefix(base, "http://") && !strings.HasPrefix(base, "https://") {
		return nil, misused("--server is a URL such as http://127.0.0.1:3030, not %q", s.server)
	}
	a := &api{base: base, client: http.DefaultClient}
	if a.token = strings.TrimSpace(cmp.Or(s.token, os.Getenv("PLUGBOARD_TOKEN"))); a.token != "" {
		return a, nil
	}
	if password := os.Getenv("PLUGBOARD_PASSWORD"); password != "" {
		a.user, a.password = s.user, password
	}
	return a, nil
}
