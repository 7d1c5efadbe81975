// Host measures what our host costs beside a bare go-plugin client, how soon a
// plugin that was killed answers again, and what fifty plugins take to start.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/plugboard/plugboard/conformance/bench/measure"
	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "bench/host:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "bench-host")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary, err := measure.BuildPlugin(ctx, "bench", filepath.Join(dir, "plugin"))
	if err != nil {
		return err
	}
	return errors.Join(calls(ctx, binary), recovery(ctx, binary), fifty(ctx, binary, filepath.Join(dir, "fifty")))
}

const id = "bench-datasource"

// running runs a host of the plugins in a folder; stop ends it.
func running(ctx context.Context, dir string) (h *host.Host, stop func() error, err error) {
	h, err = host.New(host.Config{PluginDirs: []string{dir}, AllowUnsigned: []string{"*"}, Crashes: -1})
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	return h, func() error { cancel(); return <-ended }, nil
}

func request(pluginID, model string) *plugin.QueryRequest {
	return &plugin.QueryRequest{
		Context: plugin.Context{PluginID: pluginID, OrgID: 1, DataSource: &plugin.DataSourceSettings{ID: 1, UID: "b"}},
		Queries: []plugin.DataQuery{{
			RefID: "A", JSON: []byte(model), MaxDataPoints: 100, Interval: time.Second,
			TimeRange: plugin.TimeRange{From: time.Unix(1700000000, 0), To: time.Unix(1700003600, 0)},
		}},
	}
}

// recovery kills a plugin once, under a host that has just started it, and asks
// one query after the other until a process answers that is not the killed one.
func recovery(ctx context.Context, binary string) error {
	const hosts = 15
	var took []time.Duration
	failed := 0
	for range hosts {
		once, failures, err := killed(ctx, binary)
		if err != nil {
			return err
		}
		took, failed = append(took, once), failed+failures
	}
	fmt.Printf("\nafter the first kill -9, until the next answer, %d times: median %v, longest %v; %d calls failed\n",
		hosts, percentile(took, 50), percentile(took, 100), failed)
	return nil
}

func killed(ctx context.Context, binary string) (took time.Duration, failed int, err error) {
	h, stop, err := running(ctx, filepath.Dir(binary))
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	query := request(id, `{"rows":10,"cols":1}`)
	if _, err := h.Query(ctx, query); err != nil {
		return 0, 0, err
	}
	p, _ := h.Plugin(id)
	process, err := os.FindProcess(p.PID)
	if err != nil {
		return 0, 0, err
	}
	if err := process.Kill(); err != nil {
		return 0, 0, err
	}
	began := time.Now()
	for {
		_, err := h.Query(ctx, query)
		if now, _ := h.Plugin(id); err == nil && now.PID != p.PID {
			return time.Since(began), failed, nil
		}
		if err != nil {
			failed++
		}
	}
}

// fifty starts fifty plugins at once.
func fifty(ctx context.Context, binary, dir string) error {
	const plugins = 50
	for i := range plugins {
		folder := filepath.Join(dir, fmt.Sprint(i))
		manifest := fmt.Appendf(nil, `{"id": "bench%d-datasource", "type": "datasource", "name": "Bench", "backend": true, "executable": "gpx_bench", "info": {"version": "1.0.0"}}`, i)
		err := errors.Join(os.MkdirAll(folder, 0o755), os.WriteFile(filepath.Join(folder, "plugin.json"), manifest, 0o644),
			os.Link(binary, filepath.Join(folder, filepath.Base(binary))))
		if err != nil {
			return err
		}
	}
	before, err := measure.Memory(os.Getpid())
	if err != nil {
		return err
	}
	began := time.Now()
	cpu, err := measure.CPU(os.Getpid())
	if err != nil {
		return err
	}
	h, stop, err := running(ctx, dir)
	if err != nil {
		return err
	}
	var failures []error
	for i := range plugins {
		id := fmt.Sprintf("bench%d-datasource", i)
		if err := h.Start(ctx, id); err != nil {
			failures = append(failures, err)
		}
	}
	took := time.Since(began)
	after, err1 := measure.Memory(os.Getpid())
	used, err2 := measure.CPU(os.Getpid())
	began = time.Now()
	if err := errors.Join(append(failures, err1, err2, stop())...); err != nil {
		return err
	}
	fmt.Printf("\n%d plugins started at once: all answer after %v; the host used %v of CPU and grew by %.1f MB; all stopped after %v\n",
		plugins, took.Round(time.Millisecond), used-cpu, float64(after-before)/(1<<20), time.Since(began).Round(time.Millisecond))
	fmt.Println("(each is a process on the official SDK, and its own start is nearly all of that)")
	return nil
}
