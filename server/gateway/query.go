package gateway

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

// parallel bounds the data sources that one request asks at a time.
const parallel = 8

// group is the part of a request that goes to one data source in one call.
type group struct {
	target
	headers map[string]string
	queries []plugin.DataQuery
}

// query answers POST /api/ds/query.
func (g *Gateway) query(w http.ResponseWriter, r *http.Request) error {
	f, err := formatOf(r, "")
	if err != nil {
		return err
	}
	body, err := g.readBody(w, r)
	if err != nil {
		return err
	}
	queries, err := parseQueries(body, time.Now())
	if err != nil {
		return err
	}
	groups, err := g.groups(r, queries)
	if err != nil {
		return err
	}
	return g.answer(w, r, f, groups)
}

// answer asks the groups and writes the answer.
func (g *Gateway) answer(w http.ResponseWriter, r *http.Request, f format, groups []*group) error {
	chunks, err := g.inChunks(r.Context(), f, groups)
	switch {
	case err != nil:
		return err
	case chunks:
		return g.answerChunks(r.Context(), w, f, groups[0])
	case len(groups) == 1:
		return g.askOne(r.Context(), groups[0], func(results []result, where *place) error {
			return respond(w, f, results, where)
		})
	}
	results, give := g.askAll(r.Context(), groups)
	defer give()
	return respond(w, f, results, &place{})
}

// respond writes the answer to queries: 200, or 400 if any failed, which is said
// in JSON whatever the format.
func respond(w http.ResponseWriter, f format, results []result, where *place) error {
	slices.SortFunc(results, func(a, b result) int { return cmp.Compare(a.refID, b.refID) })
	out := &answer{w: w, contentType: f.contentType, status: statusOf(results), place: where}
	if f.begin == nil {
		return out.write(func(out *answer) error { return writeJSONResults(out, results) })
	}
	frames, err := framesOf(results)
	if err != nil {
		return err
	}
	return out.write(func(out *answer) error { return f.write(out, frames) })
}

// framesOf returns the frames of all results, each in its batches, or the
// failure of one.
func framesOf(results []result) ([]frame.Frames, error) {
	var frames []frame.Frames
	for _, r := range results {
		if r.failed != "" {
			return nil, queryFailed(r.refID, r.failed, r.source)
		}
		for i, e := range r.frames {
			batches, err := e.batches()
			if err != nil {
				return nil, queryFailed(r.refID, fmt.Sprintf("the plugin sent a frame that cannot be read: frame %d: %v", i, err), plugin.SourcePlugin)
			}
			frames = append(frames, batches)
		}
	}
	return frames, nil
}

// groups sorts queries by the data source they ask, in order of appearance.
func (g *Gateway) groups(r *http.Request, queries []sourceQuery) ([]*group, error) {
	var groups []*group
	byKey := map[any]*group{}
	for _, q := range queries {
		found := byKey[q.source]
		if found == nil {
			t, err := g.sourceTarget(r, q.source)
			if err != nil {
				return nil, err
			}
			if found = byKey[t.DataSource.ID]; found == nil { // else it was named in another way before
				found = &group{target: t, headers: callHeaders(r, t)}
				byKey[t.DataSource.ID] = found
				groups = append(groups, found)
			}
			byKey[q.source] = found
		}
		found.queries = append(found.queries, q.DataQuery)
	}
	return groups, nil
}

// askOne makes the call of one group and calls use with the answer and its
// place. Its error is use's, or a *failure.
func (g *Gateway) askOne(ctx context.Context, q *group, use func(results []result, where *place) error) error {
	start, answered := time.Now(), false
	err := g.host.QueryFunc(ctx, q.request(), func(response *plugin.QueryResponse, release func()) error {
		answered = true
		where := &place{held: g.slow, size: sizeOf(response) + blockSize, release: release}
		defer where.end()
		return use(g.results(q, response, start), where)
	})
	if err != nil && !answered {
		g.observe(callQuery, q.target, start, err)
		return q.failed(callQuery, err)
	}
	return err
}

// ask makes the call of one group among others, whose answer, of that size, is
// held until give. Its error is a *failure.
func (g *Gateway) ask(ctx context.Context, q *group) (results []result, size int64, err error) {
	start, answered := time.Now(), false
	err = g.host.QueryFunc(ctx, q.request(), func(response *plugin.QueryResponse, _ func()) error {
		answered = true
		keep(response)
		found := g.results(q, response, start) // which may panic: before anything is taken
		if err := g.held.take(ctx, q.target, sizeOf(response)); err != nil {
			return err
		}
		results, size = found, sizeOf(response)
		return nil
	})
	if err != nil && !answered {
		g.observe(callQuery, q.target, start, err)
		err = q.failed(callQuery, err)
	}
	return results, size, err
}

// keep gives an answer memory of its own: that of its frames is used for other
// answers as soon as QueryFunc has returned.
func keep(response *plugin.QueryResponse) {
	for _, answer := range response.Responses {
		for i, raw := range answer.Frames {
			answer.Frames[i] = bytes.Clone(raw)
		}
	}
}

func (q *group) request() *plugin.QueryRequest {
	return &plugin.QueryRequest{Context: q.Context, Headers: q.headers, Queries: q.queries}
}

// results checks a plugin's answer, and reports the call.
func (g *Gateway) results(q *group, response *plugin.QueryResponse, start time.Time) []result {
	results := make([]result, 0, len(response.Responses))
	for refID, answer := range response.Responses {
		results = append(results, q.result(refID, answer))
	}
	var err error
	if statusOf(results) != http.StatusOK {
		err = errQueryFailed
	}
	g.observe(callQuery, q.target, start, err)
	return results
}

// errQueryFailed is observed where the call itself went well.
var errQueryFailed = errors.New("a query failed")

// askAll makes the calls of several groups, some at a time. A call that fails
// becomes an error of each of its queries, and a plugin's answer to a query
// that another was asked is left out. The results are held until give is called.
func (g *Gateway) askAll(ctx context.Context, groups []*group) (_ []result, give func()) {
	results, sizes := make([][]result, len(groups)), make([]int64, len(groups))
	slots := make(chan struct{}, parallel)
	var wait sync.WaitGroup
	for i, q := range groups {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			results[i], sizes[i] = g.askOrFail(ctx, q)
		})
	}
	wait.Wait()
	asked, total := map[string]int{}, int64(0)
	for i, q := range groups {
		total += sizes[i]
		for _, query := range q.queries {
			asked[query.RefID] = i
		}
	}
	for i := range results {
		results[i] = slices.DeleteFunc(results[i], func(r result) bool {
			other, known := asked[r.refID]
			return known && other != i
		})
	}
	return slices.Concat(results...), func() { g.held.give(total) }
}

// askOrFail turns a failed call into a result for each of its queries; a panic
// here would take down more than one request.
func (g *Gateway) askOrFail(ctx context.Context, q *group) (results []result, size int64) {
	defer func() {
		if p := recover(); p != nil {
			g.log.Error("query panicked", keyPlugin, q.PluginID, keySource, q.sourceUID(), keyError, p, "stack", string(debug.Stack()))
			results = q.failAll(&failure{status: http.StatusInternalServerError, message: fmt.Sprintf("Internal server error: query of %s", q.target)})
		}
	}()
	results, size, err := g.ask(ctx, q)
	if err != nil {
		return q.failAll(asFailure(err)), size
	}
	return results, size
}

func (q *group) failAll(f *failure) []result {
	results := make([]result, len(q.queries))
	for i, query := range q.queries {
		results[i] = result{refID: query.RefID, failed: f.message, source: f.source, status: f.status}
	}
	return results
}
