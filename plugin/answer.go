package plugin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framejson"
	"github.com/plugboard/plugboard/wire"
)

var errNilFrame = errors.New("the plugin answered a nil frame")

// maxQueries is how many queries of one request are asked at once.
const maxQueries = 10

func (s *server) QueryData(ctx context.Context, req *wire.QueryDataRequest) (*wire.QueryDataResponse, error) {
	if !s.plugin.offer.query {
		return nil, toStatus(ErrNotImplemented)
	}
	response := &wire.QueryDataResponse{Responses: make(map[string]*wire.DataResponse, len(req.Queries))}
	err := s.call(ctx, "queryData", call{context: contextFromWire(req.PluginContext), headers: req.Headers},
		func(ctx context.Context, h *held) error {
			req.Format = formatOf(req.Format)
			if h.batch != nil {
				return s.askTogether(ctx, h, req, response)
			}
			return s.askEach(ctx, h, req, response)
		})
	if endedEarly(ctx, err) {
		return nil, toStatus(err)
	}
	// What went wrong for the whole request goes wrong for every query of it.
	for _, q := range req.Queries {
		if _, answered := response.Responses[q.RefId]; !answered && err != nil {
			response.Responses[q.RefId] = failedResponse(err)
		}
	}
	return response, nil
}

// askEach asks the queries side by side. The error it returns is one of the
// answers', for the metrics.
func (s *server) askEach(ctx context.Context, h *held, req *wire.QueryDataRequest, response *wire.QueryDataResponse) error {
	answers := make([]*wire.DataResponse, len(req.Queries))
	failures := make([]error, len(req.Queries))
	inParallel(len(req.Queries), func(i int) {
		query := &queryContext{ctx, req.Queries[i].RefId}
		answers[i], failures[i] = s.askOne(query, h, req.Queries[i], req.Format)
	})
	for i, q := range req.Queries {
		response.Responses[q.RefId] = answers[i]
	}
	return firstFailure(failures)
}

func (s *server) askOne(ctx context.Context, h *held, q *wire.DataQuery, format wire.DataFrameFormat) (*wire.DataResponse, error) {
	var answer Answer
	func() {
		defer recovered(ctx, s.logger, &answer.Err)
		answer.Frames, answer.Err = h.query(ctx, queryFromWire(q))
	}()
	return s.respond(ctx, q.RefId, answer, format)
}

func (s *server) askTogether(ctx context.Context, h *held, req *wire.QueryDataRequest, response *wire.QueryDataResponse) error {
	queries := make([]DataQuery, len(req.Queries))
	for i, q := range req.Queries {
		queries[i] = queryFromWire(q)
	}
	answers, err := h.batch(ctx, queries)
	if err != nil {
		return err
	}
	failures := make([]error, 0, len(answers))
	for refID, answer := range answers {
		encoded, failure := s.respond(&queryContext{ctx, refID}, refID, answer, req.Format)
		response.Responses[refID] = encoded
		failures = append(failures, failure)
	}
	return firstFailure(failures)
}

// respond puts an answer on the wire. The error it returns is what the answer
// says.
func (s *server) respond(ctx context.Context, refID string, answer Answer, format wire.DataFrameFormat) (*wire.DataResponse, error) {
	frames, err := s.encode(ctx, refID, answer.Frames, format)
	answer.Err = sound(answer.Err)
	if answer.Err == nil {
		answer.Err = err
	}
	response := failedResponse(answer.Err)
	response.Frames, response.Format = frames, format
	return response, answer.Err
}

// failedResponse is the answer to a query that failed with err; without err,
// the answer 200 to one that did not.
func failedResponse(err error) *wire.DataResponse {
	if err == nil {
		return &wire.DataResponse{Status: http.StatusOK}
	}
	failure := failureOf(err)
	return &wire.DataResponse{
		Error:       failure.Message,
		ErrorSource: string(failure.Source),
		Status:      int32(failure.Status),
	}
}

func (s *server) encode(ctx context.Context, refID string, frames frame.Frames, format wire.DataFrameFormat) (encoded [][]byte, err error) {
	defer recovered(ctx, s.logger, &err)
	encoded = make([][]byte, 0, len(frames))
	for i, f := range frames {
		one, err := encodeFrame(refID, f, format, framejson.IncludeAll)
		if err != nil {
			return nil, fmt.Errorf("frame %d: %w", i, err)
		}
		encoded = append(encoded, one)
	}
	return encoded, nil
}

// encodeFrame writes a frame with the ref id of its query, unless it has one
// of its own. The author's frame stays as it is. Arrow includes everything.
func encodeFrame(refID string, f *frame.Frame, format wire.DataFrameFormat, parts framejson.Include) ([]byte, error) {
	if f == nil {
		return nil, errNilFrame
	}
	if f.RefID == "" {
		named := *f
		named.RefID = refID
		f = &named
	}
	if format == wire.DataFrameFormat_JSON {
		return framejson.Append(nil, f, parts)
	}
	return f.MarshalArrow()
}

// formatOf is the format to answer in: Arrow, where the host asks for one that
// we do not know.
func formatOf(asked wire.DataFrameFormat) wire.DataFrameFormat {
	if asked == wire.DataFrameFormat_JSON {
		return asked
	}
	return wire.DataFrameFormat_ARROW
}

// inParallel calls f with 0 to n-1, a few at once, and returns when all calls
// have.
func inParallel(n int, f func(i int)) {
	if n == 1 {
		f(0)
		return
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, maxQueries) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	workers.Wait()
}

// firstFailure prefers a failure that is the plugin's fault.
func firstFailure(failures []error) error {
	var first error
	for _, err := range failures {
		if err != nil && failureOf(err).Source == SourcePlugin {
			return err
		}
		if first == nil {
			first = err
		}
	}
	return first
}
