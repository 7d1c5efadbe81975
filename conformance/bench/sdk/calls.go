package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/plugboard/plugboard/conformance/bench/measure"
)

// side is a host and its plugin.
type side interface {
	health(ctx context.Context) (string, error)
	// query asks for a frame of times and columns of numbers, and decodes it.
	query(ctx context.Context, rows, cols int) (frame any, err error)
	resource(ctx context.Context) ([]byte, error)
	streams() (streamer, error)

	// text returns what query returned as JSON.
	text(frame any) (string, error)
	process
}

// streamer is a client and its plugin.
type streamer interface {
	// stream hands packets to send until that returns an error.
	stream(ctx context.Context, send func([]byte) error) error
	process
}

// process is that of a plugin.
type process interface {
	pid() int
	stop()
}

// call is one row of the table.
type call struct {
	name string
	// most is how much of the official CPU time ours may take.
	most float64
	once func(context.Context, side) error
	// answer is for comparing.
	answer func(context.Context, side) (string, error)
}

var calls = []call{
	{"CheckHealth", 0.6, func(ctx context.Context, s side) error {
		_, err := s.health(ctx)
		return err
	}, func(ctx context.Context, s side) (string, error) { return s.health(ctx) }},
	query("QueryData 10x2", 0.6, 10, 1),
	query("QueryData 1000x6", 0.45, 1000, 5),
	{"CallResource 1 KiB", 0.6, func(ctx context.Context, s side) error {
		_, err := s.resource(ctx)
		return err
	}, func(ctx context.Context, s side) (string, error) {
		body, err := s.resource(ctx)
		return string(body), err
	}},
}

func query(name string, most float64, rows, cols int) call {
	return call{name, most, func(ctx context.Context, s side) error {
		_, err := s.query(ctx, rows, cols)
		return err
	}, func(ctx context.Context, s side) (string, error) {
		frame, err := s.query(ctx, rows, cols)
		if err != nil {
			return "", err
		}
		return s.text(frame)
	}}
}

// cost is what calls took.
type cost struct {
	calls        int
	took         time.Duration
	host, plugin time.Duration
}

func (c cost) perCall(d time.Duration) time.Duration {
	return (d / time.Duration(max(1, c.calls))).Round(100 * time.Nanosecond)
}

func (c cost) all() time.Duration { return c.perCall(c.host + c.plugin) }

func (c cost) rate() float64 { return float64(c.calls) / c.took.Seconds() }

func (c *cost) add(more cost) {
	c.calls += more.calls
	c.took += more.took
	c.host += more.host
	c.plugin += more.plugin
}

func compareCalls(ctx context.Context, o options, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "bench-sdk-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ours, err := startOurs(ctx, filepath.Join(dir, "ours"))
	if err != nil {
		return err
	}
	defer ours.stop()
	official, err := startOfficial(ctx, filepath.Join(dir, "official"))
	if err != nil {
		return err
	}
	defer official.stop()
	fmt.Fprintf(out, "%-24s %9s %9s   %9s %9s   %6s %6s\n", "CPU per call", "our host", "plugin", "official", "plugin", "ratio", "want")
	for _, c := range calls {
		if strings.Contains(c.name, o.only) {
			if err := o.compare(ctx, c, ours, official, out); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	return o.compareStreams(ctx, [2]side{ours, official}, out)
}

func (o options) compare(ctx context.Context, c call, ours, official side, out io.Writer) error {
	have, err1 := c.answer(ctx, ours)
	want, err2 := c.answer(ctx, official)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if have != want {
		return fmt.Errorf("the answers differ:\n%.500s\n%.500s", have, want)
	}
	var a, b cost
	for range o.rounds {
		for _, of := range []struct {
			side side
			cost *cost
		}{{ours, &a}, {official, &b}} {
			more, err := o.press(ctx, of.side, c.once)
			if err != nil {
				return err
			}
			of.cost.add(more)
		}
	}
	row(out, c.name, c.most, a, b)
	return nil
}

// press makes one call after the other, by several clients, for a while.
func (o options) press(ctx context.Context, s side, once func(context.Context, side) error) (cost, error) {
	return used(s, func() (int, error) {
		counts, errs := make([]int, o.clients), make([]error, o.clients)
		began := time.Now()
		var wait sync.WaitGroup
		for i := range o.clients {
			wait.Go(func() {
				for errs[i] == nil && time.Since(began) < o.length {
					errs[i] = once(ctx, s)
					counts[i]++
				}
			})
		}
		wait.Wait()
		calls := 0
		for _, n := range counts {
			calls += n
		}
		return calls, errors.Join(errs...)
	})
}

// used tells what f took, in this process and in the plugin's.
func used(s process, f func() (int, error)) (cost, error) {
	plugin, err := measure.CPU(s.pid())
	if err != nil {
		return cost{}, err
	}
	host, began := ownCPU(), time.Now()
	calls, err := f()
	c := cost{calls: calls, took: time.Since(began), host: ownCPU() - host}
	after, err2 := measure.CPU(s.pid())
	c.plugin = after - plugin
	return c, errors.Join(err, err2)
}

func ownCPU() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // of oneself it works
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// errEnough ends a stream.
var errEnough = errors.New("enough packets")

// compareStreams counts the packets of 200 bytes that a stream carries.
func (o options) compareStreams(ctx context.Context, sides [2]side, out io.Writer) error {
	const name = "RunStream 200 B"
	if !strings.Contains(name, o.only) {
		return nil
	}
	var streams [2]streamer
	for i, s := range sides {
		var err error
		if streams[i], err = s.streams(); err != nil {
			return err
		}
		defer streams[i].stop()
	}
	var costs [2]cost
	var packets [2]string
	for range o.rounds {
		for i, s := range streams {
			more, err := used(s, func() (n int, err error) {
				packets[i], n, err = o.pressStream(ctx, s)
				return n, err
			})
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			costs[i].add(more)
		}
	}
	if packets[0] != packets[1] || len(packets[0]) != 200 {
		return fmt.Errorf("%s: the packets differ:\n%s\n%s", name, packets[0], packets[1])
	}
	row(out, name, 1, costs[0], costs[1])
	ours, official := costs[0].rate(), costs[1].rate()
	fmt.Fprintf(out, "%-24s %9.0f/s %18.0f/s   %20.2fx (at least 1x)\n", "  packets", ours, official, ours/official)
	return nil
}

// pressStream takes packets for a while, and returns the last.
func (o options) pressStream(ctx context.Context, s streamer) (last string, n int, err error) {
	began := time.Now()
	err = s.stream(ctx, func(packet []byte) error {
		if n++; n%256 == 0 && time.Since(began) > o.length {
			last = string(packet)
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return last, n, err
}

func row(out io.Writer, name string, most float64, ours, official cost) {
	fmt.Fprintf(out, "%-24s %9s %9s   %9s %9s   %5.0f%% %5.0f%%\n", name, ours.perCall(ours.host), ours.perCall(ours.plugin),
		official.perCall(official.host), official.perCall(official.plugin), 100*float64(ours.all())/float64(official.all()), 100*most)
}
