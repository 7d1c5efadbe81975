package plugintest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/frametest"
	"github.com/plugboard/plugboard/plugin"
)

// health: with settings that work the plugin is well, or does not say.
func health(ctx context.Context, r *run) error {
	got, err := r.client.CheckHealth(ctx, &plugin.HealthRequest{Context: r.Context})
	switch {
	case errors.Is(err, plugin.ErrNotImplemented):
		return nil
	case err != nil:
		return fmt.Errorf("the health check failed: %w", err)
	case got.Status != plugin.HealthOK:
		return fmt.Errorf("settings that work are not healthy: %s", got.Message)
	}
	return r.said("the health check", got.Message+string(got.Details))
}

// query: a query that has an answer gets it, of frames that can be sent.
func query(ctx context.Context, r *run) error {
	frames, err := r.ask(ctx, r.Context, r.Query)
	if err != nil {
		return fmt.Errorf("query %s: %w", r.Query, err)
	}
	for i, f := range frames {
		if err := f.Validate(); err != nil {
			return err
		}
		if f.RefID != "A" {
			return fmt.Errorf("frame %d of the answer to A has ref id %q", i, f.RefID)
		}
	}
	return nil
}

// capabilities: what a plugin has answers, even to what it does not know, and
// what it lacks says so.
func capabilities(ctx context.Context, r *run) error {
	const nowhere = "plugintest-no-such-place"
	description, err := r.client.Describe(ctx)
	if err != nil {
		return fmt.Errorf("the plugin does not describe itself: %w", err)
	}
	var faults error
	reply := func(what string, err error) {
		switch {
		case late(ctx):
			faults = errors.Join(faults, fmt.Errorf("%s does not answer", what))
		case err != nil && !errors.Is(err, plugin.ErrNotImplemented):
			faults = errors.Join(faults, r.said(what, err.Error()))
		}
	}
	_, err = r.client.Subscribe(ctx, &plugin.StreamRequest{Context: r.Context, Path: nowhere})
	reply("Subscribe to an unknown channel", err)
	_, err = r.client.Publish(ctx, &plugin.StreamRequest{Context: r.Context, Path: nowhere, Data: []byte(`{}`)})
	reply("Publish to an unknown channel", err)
	_, err = r.client.Metrics(ctx)
	reply("Metrics", err)
	err = r.client.CallResource(ctx, &plugin.ResourceRequest{Context: r.Context, Method: "GET", Path: nowhere, URL: nowhere}, func(m plugin.ResourceResponse) error {
		return r.said("an unknown resource", string(m.Body))
	})
	reply("an unknown resource", err)
	if description.Chunked && asks(r.Subject) {
		faults = errors.Join(faults, chunked(ctx, r))
	}
	return faults
}

// late tells whether ctx's deadline has passed. The plugin knows it too: what
// hangs until then may answer before ctx says so.
func late(ctx context.Context) bool {
	deadline, limited := ctx.Deadline()
	return ctx.Err() != nil || limited && !time.Now().Before(deadline)
}

// chunked: an answer in pieces has as many rows as a whole one.
func chunked(ctx context.Context, r *run) error {
	rows := 0
	err := r.client.QueryChunks(ctx, r.request(r.Context, r.Query), func(c plugin.Chunk) error {
		if c.Error != "" {
			return errors.New(c.Error)
		}
		f, err := frame.UnmarshalArrow(c.Frame)
		if err == nil {
			rows += f.Rows()
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("the query in chunks: %w", err)
	}
	whole, err := r.ask(ctx, r.Context, r.Query)
	if err != nil || r.Changing {
		return err
	}
	want := 0
	for _, f := range whole {
		want += f.Rows()
	}
	if rows != want {
		return fmt.Errorf("the chunks have %d rows together, the whole answer %d", rows, want)
	}
	return nil
}

// stable: the same query has the same answer, and nobody else's.
func stable(ctx context.Context, r *run) error {
	first, err := r.ask(ctx, r.Context, r.Query)
	if err != nil {
		return err
	}
	for range 3 {
		again, err := r.ask(ctx, r.Context, r.Query)
		if err != nil {
			return err
		}
		if err := same(again, first); err != nil {
			return fmt.Errorf("the same query has another answer (set Changing if it may): %w", err)
		}
	}
	return nil
}

func same(got, want frame.Frames) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d frames, %d before", len(got), len(want))
	}
	for i := range got {
		if diff := frametest.Diff(got[i], want[i]); len(diff) > 0 {
			return fmt.Errorf("frame %d:\n%s", i, strings.Join(diff, "\n"))
		}
	}
	return nil
}

// Callers at once, and how often each asks.
const callers, rounds = 16, 8

// concurrency: many callers at once are answered like one.
func concurrency(ctx context.Context, r *run) error {
	return together(callers, func(int) error {
		for range rounds {
			if err := r.use(ctx, r.Context); err != nil {
				return err
			}
		}
		return nil
	})
}

// use makes the calls that a plugin should always answer.
func (r *run) use(ctx context.Context, settings plugin.Context) error {
	if asks(r.Subject) {
		if _, err := r.ask(ctx, settings, r.Query); err != nil {
			return fmt.Errorf("query %s: %w", r.Query, err)
		}
	}
	got, err := r.client.CheckHealth(ctx, &plugin.HealthRequest{Context: settings})
	switch {
	case errors.Is(err, plugin.ErrNotImplemented):
		return nil
	case err == nil && got.Status != plugin.HealthOK:
		return fmt.Errorf("health: %s", got.Message)
	}
	return err
}

// together runs callers side by side and returns their first faults.
func together(n int, caller func(i int) error) error {
	faults := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { faults[i] = caller(i) })
	}
	all.Wait()
	for i, err := range faults {
		if err != nil {
			return fmt.Errorf("caller %d of %d: %w", i+1, n, err)
		}
	}
	return nil
}

// soon is how long what should end at once may take, on a busy machine.
const soon = 20 * time.Second

// cancellation: a query that nobody waits for any more ends, in the plugin too.
func cancellation(ctx context.Context, r *run) error {
	if err := r.use(ctx, r.Context); err != nil { // opens the instance
		return err
	}
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := r.ask(asking, r.Context, r.Slow)
		ended <- err
	}()
	if left := r.eventually(ctx, func(now string) bool { return strings.Contains(now, answering) || len(ended) > 0 }); left != "" {
		return fmt.Errorf("the slow query did not reach the plugin:\n%s", left)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		return fmt.Errorf("the slow query ended before it was cancelled: %v", err)
	}
	if left := r.eventually(ctx, func(now string) bool { return !strings.Contains(now, answering) }); left != "" {
		return fmt.Errorf("the plugin still works on a query that was cancelled:\n%s", left)
	}
	return nil
}

// answering is where the plugin's goroutines are that answer a query.
const answering = "(*server).QueryData"

// eventually waits until the plugin's goroutines are as wanted, and returns them
// where they do not become so.
func (r *run) eventually(ctx context.Context, want func(goroutines string) bool) string {
	ctx, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	for {
		now := r.goroutines()
		if want(now) {
			return ""
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return now
		}
	}
}

// swaps: settings change while calls are on their way, and none of them fails.
func swaps(ctx context.Context, r *run) error {
	return together(callers, func(i int) error {
		for n := range rounds {
			if err := r.use(ctx, r.changed(nil, 1+n+i%2)); err != nil {
				return fmt.Errorf("while the settings change: %w", err)
			}
		}
		return nil
	})
}

// badSettings: settings that cannot be right are refused in words, and are
// forgotten when they have been put right.
func badSettings(ctx context.Context, r *run) error {
	for n, jsonData := range append([]string{`[]`, `"text"`, `{"a":`}, r.BadSettings...) {
		settings := r.changed([]byte(jsonData), 2*n+1)
		got, err := r.client.CheckHealth(ctx, &plugin.HealthRequest{Context: settings})
		if errors.Is(err, plugin.ErrNotImplemented) {
			got.Status = plugin.HealthError // it does not say
		} else if err != nil {
			got = plugin.Health{Status: plugin.HealthError, Message: err.Error()}
		}
		if got.Status == plugin.HealthOK {
			return fmt.Errorf("settings %s are healthy", jsonData)
		}
		if err := r.said("the health check with settings "+jsonData, got.Message); err != nil {
			return err
		}
		if asks(r.Subject) {
			_, err := r.ask(ctx, settings, r.Query)
			if err == nil {
				return fmt.Errorf("a query with settings %s has an answer", jsonData)
			}
			if err := r.said("a query with settings "+jsonData, err.Error()); err != nil {
				return err
			}
		}
		if err := r.use(ctx, r.changed(nil, 2*n+2)); err != nil {
			return fmt.Errorf("after settings %s were put right: %w", jsonData, err)
		}
	}
	return nil
}

// badQueries: queries that cannot be right are refused in words, and harm
// nobody else.
func badQueries(ctx context.Context, r *run) error {
	for _, model := range append([]string{`[]`, `"text"`, `{"a":`, `1`}, r.BadQueries...) {
		_, err := r.ask(ctx, r.Context, model)
		if err == nil {
			return fmt.Errorf("query %s has an answer", model)
		}
		if err := r.said("query "+model, err.Error()); err != nil {
			return err
		}
		if failure, ok := errors.AsType[*plugin.Error](err); ok && failure.Source != plugin.SourceDownstream {
			return fmt.Errorf("query %s is said to be the plugin's fault: %s (use plugin.BadRequest)", model, failure.Message)
		}
		if _, err := r.ask(ctx, r.Context, r.Query); err != nil {
			return fmt.Errorf("after query %s: %w", model, err)
		}
	}
	return nil
}

// shutdown: calls under way end when the plugin does, and it ends.
func shutdown(ctx context.Context, r *run) error {
	if err := r.use(ctx, r.Context); err != nil {
		return err
	}
	r.cancel()
	select {
	case err := <-r.ended:
		r.ended <- err
		if strings.Contains(r.log.String(), "did not end in time") {
			return fmt.Errorf("an instance was not closed (does its Close return?):\n%s", r.goroutines())
		}
		return err
	case <-time.After(soon):
		return fmt.Errorf("the plugin did not end within %v of being told to; it still does\n%s", soon, r.goroutines())
	}
}

// goroutines: replaced instances and a plugin that has ended leave nothing
// running.
func goroutines(ctx context.Context, r *run) error {
	for n := range rounds {
		if err := r.use(ctx, r.changed(nil, n+1)); err != nil {
			return err
		}
	}
	if err := shutdown(ctx, r); err != nil {
		return err
	}
	if left := r.eventually(ctx, func(now string) bool { return now == "" }); left != "" {
		return fmt.Errorf("the plugin has ended, but goroutines of it have not (has the instance a Close that ends them?):\n%s", left)
	}
	return nil
}
