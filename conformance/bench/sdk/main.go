// Command sdk measures what a call costs host and plugin together: our host and
// a plugin on our SDK, beside the official SDK's client side and a plugin on
// that. All are real processes, asked in turn in one run.
//
//	go run ./bench/sdk -for 1s
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

type options struct {
	length  time.Duration
	rounds  int
	clients int
	only    string
	weight  bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench/sdk:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bench/sdk", flag.ContinueOnError)
	var o options
	flags.DurationVar(&o.length, "for", time.Second, "how long each side is asked at a time")
	flags.IntVar(&o.rounds, "rounds", 4, "how many times each side is asked")
	flags.IntVar(&o.clients, "clients", 1, "how many ask at once")
	flags.StringVar(&o.only, "run", "", "only calls whose name contains this")
	flags.BoolVar(&o.weight, "weight", true, "weigh the hello plugins too")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := compareCalls(ctx, o, os.Stdout); err != nil || !o.weight {
		return err
	}
	return compareWeight(ctx, os.Stdout)
}
