// Command server measures our server beside a reference host: the official
// SDK's client side, frames decoded, JSON encoded the official way, with no
// store and nobody signing in. The same plugin binary runs behind both, on the
// same machine and in the same run, one after the other and again.
//
//	go run ./bench/server -run 1000x5
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"time"
)

// roles are what this program runs itself as.
var roles = map[string]func(context.Context, setup) error{
	"ours":      runOurs,
	"reference": runReference,
}

// setup is what a host that is measured is told.
type setup struct {
	plugins string // the folder of the plugin
	data    string // an empty folder
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench/server:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 4 && roles[args[0]] != nil {
		return profiled(args[3], func() error { return roles[args[0]](ctx, setup{plugins: args[1], data: args[2]}) })
	}
	flags := flag.NewFlagSet("bench/server", flag.ContinueOnError)
	var o options
	flags.DurationVar(&o.length, "for", time.Second, "how long each host is asked at a time; much longer than an answer takes, or the ends are measured")
	flags.IntVar(&o.rounds, "rounds", 10, "how many times each host is asked")
	flags.IntVar(&o.clients, "clients", 16, "how many ask at once")
	flags.StringVar(&o.only, "run", "", "only cases whose name contains this")
	flags.StringVar(&o.plugin, "plugin", "", "bench, on the official SDK, or benchtwin, on ours; empty for one after the other")
	flags.StringVar(&o.profiles, "profiles", "", "a folder that the hosts write their CPU profiles to")
	flags.DurationVar(&o.memoryFor, "memory", 10*time.Second, "how long many clients ask for large answers, to measure memory; 0 for not at all")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return compare(ctx, o, os.Stdout)
}

// profiled writes a CPU profile of what f does to a file, if one is named.
func profiled(file string, f func() error) error {
	if file == "" {
		return f()
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		return errors.Join(err, out.Close())
	}
	err = f()
	pprof.StopCPUProfile()
	return errors.Join(err, out.Close())
}
