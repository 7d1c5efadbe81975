package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// load is what a host did while it was asked.
type load struct {
	requests int
	took     time.Duration
	cpu      usage
}

// usage is processor time by who used it.
type usage struct{ host, plugin, load time.Duration }

func (l *load) add(more load) {
	l.requests += more.requests
	l.took += more.took
	l.cpu.host += more.cpu.host
	l.cpu.plugin += more.cpu.plugin
	l.cpu.load += more.cpu.load
}

func (l load) rate() float64 { return float64(l.requests) / l.took.Seconds() }

func (l load) perRequest(d time.Duration) time.Duration { return d / time.Duration(max(1, l.requests)) }

// press has clients ask a host as fast as it answers, until length is over;
// what has been asked by then is waited for. Every answer must be of the size
// given.
func press(ctx context.Context, h *host, r request, clients int, length time.Duration, size int64) (load, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	before, err := h.usage()
	if err != nil {
		return load{}, err
	}
	counts := make([]int, clients)
	began := time.Now()
	var wait sync.WaitGroup
	for i := range clients {
		wait.Go(func() {
			if err := h.pressOne(ctx, r, began.Add(length), size, &counts[i]); err != nil {
				cancel(err)
			}
		})
	}
	wait.Wait()
	l := load{took: time.Since(began)}
	for _, n := range counts {
		l.requests += n
	}
	after, err := h.usage()
	l.cpu = usage{host: after.host - before.host, plugin: after.plugin - before.plugin, load: after.load - before.load}
	return l, errors.Join(context.Cause(ctx), err)
}

// pressOne is one client of press.
func (h *host) pressOne(ctx context.Context, r request, until time.Time, size int64, count *int) error {
	c, err := h.dial(ctx, r)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	for time.Now().Before(until) && ctx.Err() == nil {
		got, err := c.ask()
		if err != nil {
			return err
		}
		if got != size {
			return fmt.Errorf("an answer of %d bytes, the first had %d", got, size)
		}
		*count++
	}
	return nil
}

// ask makes one request and writes the answer to w. It returns its size.
func (h *host) ask(ctx context.Context, r request, w io.Writer) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+h.address+r.path, strings.NewReader(r.body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	if r.accept != "" {
		req.Header.Set("Accept", r.accept)
	}
	if h.token != "" {
		req.Header.Set("Authorization", "Bearer "+h.token)
	}
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1000))
		return 0, fmt.Errorf("POST %s answers %s: %s", r.path, response.Status, text)
	}
	return io.Copy(w, response.Body)
}
