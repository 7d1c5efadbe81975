package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// healthTimeout is less than what those who probe a server allow.
const healthTimeout = 5 * time.Second

func newHealth() *cobra.Command {
	var s serverFlags
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask a server whether it is well",
		Long: `Health asks a server whether it and its store answer: for containers, which have
no curl. It fails with exit code 3 if they do not.`,
		Example: `  plugboard health`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, err := s.api()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), healthTimeout)
			defer cancel()
			var health struct{ Database, Version string }
			if err := a.get(ctx, "/api/health", &health); err != nil {
				return unavailable("health of %s: %w", a.base, err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "plugboard %s, database %s\n", health.Version, health.Database)
			return err
		},
	}
	s.register(cmd.Flags())
	return cmd
}
