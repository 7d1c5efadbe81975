// Soak asks plugins under our host without a pause, while it kills, hangs,
// stops and restarts them at random, and then tells what that has cost: calls
// that failed and why, how soon a plugin answered again, and whether the host
// has grown.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/plugboard/plugboard/host"
)

// binaries are the plugins: one on the official SDK, one on ours. Each runs
// under several ids.
var binaries = []string{"bench", "benchtwin"}

const copies = 2

func main() {
	length := flag.Duration("for", 10*time.Minute, "how long")
	callers := flag.Int("callers", 8, "how many ask at once")
	flag.Parse()
	if err := soak(*length, *callers); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func soak(length time.Duration, callers int) error {
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	plugins, err := install(dir)
	if err != nil {
		return err
	}
	h, err := host.New(host.Config{
		PluginDirs: []string{dir}, AllowUnsigned: []string{"*"},
		Crashes:    -1, // it is we who crash them
		ProbeEvery: time.Second,
		Logger:     slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError + 1})),
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	for _, id := range plugins {
		if err := h.Start(ctx, id); err != nil {
			return err
		}
	}

	fmt.Printf("%d plugins, %d callers, for %v\n", len(plugins), callers, length)
	l := newLoad(h, plugins)
	l.run(ctx, callers, min(10*time.Second, length/4)) // to warm up
	before := sizes()
	l = newLoad(h, plugins)
	troubles := &troubles{host: h, load: l, plugins: plugins}
	troubling, calm := context.WithTimeout(ctx, length)
	defer calm()
	done := make(chan struct{})
	go func() { troubles.run(troubling); close(done) }()
	l.run(ctx, callers, length)
	<-done
	l.run(ctx, callers, 2*time.Second) // everything answers again
	unwell := stillFailing(h, plugins)
	after := sizes()
	cancel()
	err = errors.Join(<-ended, unwell, children())

	l.report()
	troubles.report()
	fmt.Printf("\n%-12s %10s %10s\n", "the process", "before", "after")
	fmt.Printf("%-12s %7d MB %7d MB\n%-12s %10d %10d\n%-12s %10d %10d\n", "memory", before.memory>>20, after.memory>>20,
		"goroutines", before.goroutines, after.goroutines, "descriptors", before.descriptors, after.descriptors)
	if after.goroutines > before.goroutines+callers || after.descriptors > before.descriptors+callers {
		err = errors.Join(err, errors.New("goroutines or descriptors have grown"))
	}
	return errors.Join(err, l.unexplained())
}

// install builds the plugins and puts them into a folder, and returns their
// ids.
func install(dir string) ([]string, error) {
	var ids []string
	for _, name := range binaries {
		executable := filepath.Join(dir, name+"-binary")
		build := exec.Command("go", "build", "-o", executable, "./plugins/"+name)
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return nil, fmt.Errorf("build %s: %w", name, err)
		}
		for i := range copies {
			id := fmt.Sprintf("soak-%s%d-datasource", name, i)
			folder := filepath.Join(dir, id)
			manifest := fmt.Appendf(nil, `{"id": %q, "type": "datasource", "name": "Soak", "backend": true, "executable": "gpx", "info": {"version": "1.0.0"}}`, id)
			err := errors.Join(os.Mkdir(folder, 0o755), os.WriteFile(filepath.Join(folder, "plugin.json"), manifest, 0o644),
				os.Link(executable, filepath.Join(folder, "gpx_"+runtime.GOOS+"_"+runtime.GOARCH)))
			if err != nil {
				return nil, err
			}
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// troubles happen to the plugins.
type troubles struct {
	host    *host.Host
	load    *load
	plugins []string

	recoveries map[string][]time.Duration
}

func (t *troubles) run(ctx context.Context) {
	t.recoveries = map[string][]time.Duration{}
	names := []string{"kill -9", "kill -9", "kill -9", "kill -STOP", "restart", "stop and start"}
	for ctx.Err() == nil {
		select {
		case <-time.After(time.Duration(200+rand.IntN(1300)) * time.Millisecond):
		case <-ctx.Done():
			return
		}
		id, name := t.plugins[rand.IntN(len(t.plugins))], names[rand.IntN(len(names))]
		p, _ := t.host.Plugin(id)
		if p.State != host.StateReady {
			continue
		}
		t.load.troubled(id)
		began := time.Now()
		t.make(ctx, name, p)
		if t.load.answersAgain(ctx, id, p.PID) {
			t.recoveries[name] = append(t.recoveries[name], time.Since(began))
		}
	}
}

func (t *troubles) make(ctx context.Context, name string, p host.Plugin) {
	switch id := p.Manifest.ID; name {
	case "kill -9":
		_ = syscall.Kill(p.PID, syscall.SIGKILL)
	case "kill -STOP":
		_ = syscall.Kill(p.PID, syscall.SIGSTOP)
	case "restart":
		_ = t.host.Restart(ctx, id)
	default:
		_ = t.host.Stop(ctx, id)
		_ = t.host.Start(ctx, id)
	}
}

func (t *troubles) report() {
	fmt.Printf("\n%-16s %6s %12s %12s %12s\n", "trouble", "times", "median", "95 %", "longest")
	for name, all := range t.recoveries {
		fmt.Printf("%-16s %6d %12v %12v %12v\n", name, len(all), percentile(all, 50), percentile(all, 95), percentile(all, 100))
	}
	fmt.Println("(from the trouble to the first answer of another process)")
}

// stillFailing names the plugins that do not answer at the end.
func stillFailing(h *host.Host, plugins []string) error {
	var errs []error
	for _, id := range plugins {
		if p, _ := h.Plugin(id); p.State != host.StateReady {
			errs = append(errs, fmt.Errorf("%s is %s at the end: %s", id, p.State, p.LastError))
		}
	}
	return errors.Join(errs...)
}

type size struct {
	memory                  int64
	goroutines, descriptors int
}

// sizes measures this process, which is host and load in one.
func sizes() size {
	runtime.GC()
	s := size{goroutines: runtime.NumGoroutine()}
	if entries, err := os.ReadDir("/proc/self/fd"); err == nil {
		s.descriptors = len(entries)
	}
	var pages, resident int64
	if text, err := os.ReadFile("/proc/self/statm"); err == nil {
		_, _ = fmt.Sscan(string(text), &pages, &resident)
	}
	s.memory = resident * int64(os.Getpagesize())
	return s
}

// children fails if a plugin has outlived its host.
func children() error {
	text, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/children", os.Getpid()))
	if err == nil && len(text) > 0 {
		return fmt.Errorf("processes are left: %s", text)
	}
	return nil
}
