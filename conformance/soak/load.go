package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
)

// load asks plugins, and counts.
type load struct {
	host    *host.Host
	plugins []string

	mu       sync.Mutex
	calls    map[string]int
	failures map[string]int
	last     map[string]time.Time // of the troubles of a plugin
	strange  []error              // failures that no trouble explains
}

func newLoad(h *host.Host, plugins []string) *load {
	return &load{host: h, plugins: plugins, calls: map[string]int{}, failures: map[string]int{}, last: map[string]time.Time{}}
}

// run asks for a while, and returns when all calls have ended.
func (l *load) run(ctx context.Context, callers int, length time.Duration) {
	until, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var asking sync.WaitGroup
	for range callers {
		asking.Go(func() {
			for until.Err() == nil {
				l.call(ctx, l.plugins[rand.IntN(len(l.plugins))], rand.IntN(10))
			}
		})
	}
	asking.Wait()
}

func (l *load) call(ctx context.Context, id string, kind int) {
	c := plugin.Context{PluginID: id, DataSource: &plugin.DataSourceSettings{ID: 1, UID: fmt.Sprint("ds", rand.IntN(3))}}
	began := time.Now()
	var name string
	var err error
	switch {
	case kind < 6:
		name = "query 10x1"
		err = l.query(ctx, c, `{"rows":10,"cols":1}`)
	case kind < 8:
		name = "query 1000x5"
		err = l.query(ctx, c, `{"rows":1000,"cols":5}`)
	case kind < 9:
		name = "health"
		_, err = l.host.CheckHealth(ctx, &plugin.HealthRequest{Context: c})
	default:
		name = "resource"
		err = l.host.CallResource(ctx, &plugin.ResourceRequest{Context: c, Path: "echo", URL: "echo", Method: "GET"}, func(plugin.ResourceResponse) error { return nil })
	}
	l.count(id, name, began, err)
}

func (l *load) query(ctx context.Context, c plugin.Context, model string) error {
	answer, err := l.host.Query(ctx, &plugin.QueryRequest{Context: c, Queries: []plugin.DataQuery{{RefID: "A", JSON: []byte(model)}}})
	if err == nil && answer.Responses["A"].Error != "" {
		return errors.New(answer.Responses["A"].Error)
	}
	return err
}

// grace is how long after a trouble its failures may show: a hung process is
// found after three probes.
const grace = 15 * time.Second

func (l *load) count(id, name string, began time.Time, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls[name]++
	if err == nil {
		return
	}
	l.failures[name+": "+cause(err)]++
	if trouble := l.last[id]; trouble.IsZero() || began.Sub(trouble) > grace {
		l.strange = append(l.strange, fmt.Errorf("%s of %s failed without trouble: %w", name, id, err))
	}
}

// cause sorts failures.
func cause(err error) string {
	text := err.Error()
	for _, known := range []string{"stopped on request", "died during the call", "does not answer", "not ready after", "shutting down"} {
		if strings.Contains(text, known) {
			return known
		}
	}
	return text
}

// troubled notes that something is about to be done to a plugin.
func (l *load) troubled(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last[id] = time.Now()
}

// answersAgain waits for an answer of another process than the one of a pid.
func (l *load) answersAgain(ctx context.Context, id string, pid int) bool {
	c := plugin.Context{PluginID: id, DataSource: &plugin.DataSourceSettings{ID: 1, UID: "again"}}
	for ctx.Err() == nil {
		if p, _ := l.host.Plugin(id); p.PID == pid || p.PID == 0 {
			time.Sleep(time.Millisecond)
			continue
		}
		if l.query(ctx, c, `{"rows":1,"cols":1}`) == nil {
			return true
		}
	}
	return false
}

func (l *load) report() {
	total, failed := 0, 0
	fmt.Printf("\n%-14s %10s\n", "call", "times")
	for _, name := range slices.Sorted(maps.Keys(l.calls)) {
		fmt.Printf("%-14s %10d\n", name, l.calls[name])
		total += l.calls[name]
	}
	fmt.Printf("\n%-50s %10s\n", "failure", "times")
	for _, name := range slices.Sorted(maps.Keys(l.failures)) {
		fmt.Printf("%-50s %10d\n", name, l.failures[name])
		failed += l.failures[name]
	}
	fmt.Printf("%d of %d calls failed\n", failed, total)
}

// unexplained is an error if calls failed that no trouble explains.
func (l *load) unexplained() error { return errors.Join(l.strange[:min(len(l.strange), 5)]...) }

func percentile(all []time.Duration, percent int) time.Duration {
	slices.Sort(all)
	return all[(len(all)-1)*percent/100].Round(100 * time.Microsecond)
}
