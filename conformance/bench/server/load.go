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
	cpu      time.Duration // the host's
}

func (l *load) add(more load) {
	l.requests += more.requests
	l.took += more.took
	l.cpu += more.cpu
}

func (l load) rate() float64 { return float64(l.requests) / l.took.Seconds() }

func (l load) cpuPerRequest() time.Duration { return l.cpu / time.Duration(max(1, l.requests)) }

// press has clients ask a host as fast as it answers, until length is over;
// what has been asked by then is waited for. Every answer must be of the size
// given.
func press(ctx context.Context, h *host, r request, clients int, length time.Duration, size int64) (load, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients, DisableCompression: true, ReadBufferSize: 64 << 10}}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	before, err := h.cpu()
	if err != nil {
		return load{}, err
	}
	counts := make([]int, clients)
	began := time.Now()
	var wait sync.WaitGroup
	for i := range clients {
		wait.Go(func() {
			for time.Since(began) < length && ctx.Err() == nil {
				got, err := h.ask(ctx, client, r, io.Discard)
				if err == nil && got != size {
					err = fmt.Errorf("an answer of %d bytes, the first had %d", got, size)
				}
				if err != nil {
					cancel(err)
					return
				}
				counts[i]++
			}
		})
	}
	wait.Wait()
	l := load{took: time.Since(began)}
	for _, n := range counts {
		l.requests += n
	}
	after, err := h.cpu()
	l.cpu = after - before
	return l, errors.Join(context.Cause(ctx), err)
}

// ask makes one request and writes the answer to w.
func (h *host) ask(ctx context.Context, client *http.Client, r request, w io.Writer) (int64, error) {
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
	response, err := client.Do(req)
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
