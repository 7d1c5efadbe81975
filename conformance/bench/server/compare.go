package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/plugboard/plugboard/conformance/bench/measure"
)

type options struct {
	length  time.Duration
	rounds  int
	clients int
	only    string
	plugin  string // of the two, empty for both
	// profiles is the folder for CPU profiles; empty for none.
	profiles string
	// memoryFor is how long many ask at once; 0 means not at all.
	memoryFor time.Duration
}

// compare measures both hosts and prints the table.
func compare(ctx context.Context, o options, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "bench-server-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for _, p := range []struct{ source, title string }{
		{"bench", "The plugin on the official SDK"},
		{"benchtwin", "The plugin on our SDK: nothing is wanted here"},
	} {
		if o.plugin != "" && o.plugin != p.source {
			continue
		}
		fmt.Fprintf(out, "\n%s\n", p.title)
		if err := o.compareBehind(ctx, p.source, filepath.Join(dir, p.source), out); err != nil {
			return err
		}
	}
	return nil
}

// compareBehind measures both hosts in front of a plugin. Memory is measured with
// the plugin that others write.
func (o options) compareBehind(ctx context.Context, plugin, dir string, out io.Writer) error {
	plugins := filepath.Join(dir, "plugins")
	if _, err := measure.BuildPlugin(ctx, plugin, plugins); err != nil {
		return err
	}
	if err := compareSpeed(ctx, o, dir, plugins, out); err != nil {
		return err
	}
	if o.memoryFor == 0 || plugin != "bench" {
		return nil
	}
	return measureMemory(ctx, o, dir, plugins, out)
}

func compareSpeed(ctx context.Context, o options, dir, plugins string, out io.Writer) error {
	ours, err := start(ctx, "ours", plugins, filepath.Join(dir, "ours"), o.profile("ours"))
	if err != nil {
		return err
	}
	defer ours.stop()
	reference, err := start(ctx, "reference", plugins, filepath.Join(dir, "reference"), o.profile("reference"))
	if err != nil {
		return err
	}
	defer reference.stop()
	fmt.Fprintf(out, "%-28s %9s %9s %6s %6s   %-29s %-29s\n", "", "", "", "", "", "our CPU per request", "the reference's")
	fmt.Fprintf(out, "%-28s %9s %9s %6s %6s   %9s %9s %9s %9s %9s %9s\n", "case", "ours/s", "ref/s", "ratio", "want",
		"host", "plugin", "load", "host", "plugin", "load")
	for _, c := range cases {
		if !strings.Contains(c.name, o.only) {
			continue
		}
		ours, reference, err := o.alternate(ctx, c, ours, reference)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		fmt.Fprintf(out, "%-28s %9.1f %9.1f %5.2fx %5.1fx   %s %s\n", c.name, ours.rate(), reference.rate(),
			ours.rate()/reference.rate(), c.floor, ours.usage(), reference.usage())
	}
	return nil
}

func (o options) profile(role string) string {
	if o.profiles == "" {
		return ""
	}
	return filepath.Join(o.profiles, role+".pprof")
}

// alternate asks one host, the other, the one again, and so on.
func (o options) alternate(ctx context.Context, c benchCase, ours, reference *host) (a, b load, err error) {
	sizeA, sizeB, err := equalAnswers(ctx, c, ours, reference)
	if err != nil {
		return a, b, err
	}
	for range o.rounds {
		more, err := press(ctx, ours, c.ours, o.clients, o.length, sizeA)
		if err != nil {
			return a, b, fmt.Errorf("our server: %w", err)
		}
		a.add(more)
		if more, err = press(ctx, reference, c.reference, o.clients, o.length, sizeB); err != nil {
			return a, b, fmt.Errorf("the reference host: %w", err)
		}
		b.add(more)
	}
	return a, b, nil
}

// equalAnswers asks both hosts once, and returns the sizes of their answers,
// which must say the same.
func equalAnswers(ctx context.Context, c benchCase, ours, reference *host) (int64, int64, error) {
	var a, b bytes.Buffer
	if _, err := ours.ask(ctx, c.ours, &a); err != nil {
		return 0, 0, fmt.Errorf("our server: %w", err)
	}
	if _, err := reference.ask(ctx, c.reference, &b); err != nil {
		return 0, 0, fmt.Errorf("the reference host: %w", err)
	}
	sizes := [2]int64{int64(a.Len()), int64(b.Len())}
	if !c.ours.comparable {
		return sizes[0], sizes[1], nil
	}
	var left, right any
	if err := errors.Join(json.Unmarshal(a.Bytes(), &left), json.Unmarshal(b.Bytes(), &right)); err != nil {
		return 0, 0, err
	}
	if !reflect.DeepEqual(left, right) {
		return 0, 0, fmt.Errorf("the answers differ:\n%.300s\n%.300s", a.Bytes(), b.Bytes())
	}
	return sizes[0], sizes[1], nil
}

// manyClients is how many ask for a large answer at once when memory is
// measured.
const manyClients = 64

// measureMemory starts each host anew and lets many ask for large answers.
func measureMemory(ctx context.Context, o options, dir, plugins string, out io.Writer) error {
	large := query("", 0, 100_000, 5, false)
	fmt.Fprintf(out, "\npeak memory, 100000x5 JSON, %d clients, every answer whole (want under 300 MB)\n", manyClients)
	for _, role := range []string{"ours", "reference"} {
		peak, l, err := pressFresh(ctx, role, plugins, filepath.Join(dir, role+"-memory"), large.ours, o.memoryFor)
		if err != nil {
			return fmt.Errorf("%s: %w", role, err)
		}
		fmt.Fprintf(out, "%-28s %6.0f MB  after %d answers, %.1f/s\n", role, float64(peak)/1e6, l.requests, l.rate())
	}
	return nil
}

func pressFresh(ctx context.Context, role, plugins, data string, r request, length time.Duration) (int64, load, error) {
	h, err := start(ctx, role, plugins, data, "")
	if err != nil {
		return 0, load{}, err
	}
	defer h.stop()
	size, err := h.ask(ctx, r, io.Discard)
	if err != nil {
		return 0, load{}, err
	}
	l, err := press(ctx, h, r, manyClients, length, size)
	if err != nil {
		return 0, l, err
	}
	peak, err := h.peak()
	return peak, l, err
}

// usage tells what one request took, by process.
func (l load) usage() string {
	return fmt.Sprintf("%9s %9s %9s", rounded(l.perRequest(l.cpu.host)), rounded(l.perRequest(l.cpu.plugin)), rounded(l.perRequest(l.cpu.load)))
}

func rounded(d time.Duration) time.Duration {
	if d > 10*time.Millisecond {
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(time.Microsecond)
}
