package plugin

import (
	"context"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin/internal/schema"
)

// Query is one query to a data source, its model decoded.
//
// Model is DataQuery.JSON, decoded and checked by the tags of Q's fields (see
// Settings). A string field of Q with the tag `plugboard:"text"` is the one
// that takes a query typed as plain text, at a prompt for instance. Keys that
// no field of Q has are ignored, as are refId, datasource, hide and the others
// that every query has.
type Query[Q any] struct {
	DataQuery
	Model Q
}

// Querier answers queries: the one method that every data source has.
//
// The queries of a request are asked side by side, ten at a time. An error is
// the answer to this query alone; Downstream and BadRequest say whose fault it
// is. A panic is answered as an error too. Frames without a RefID get that of
// the query, in a copy: the plugin may keep and return them again.
type Querier[Q any] interface {
	Query(ctx context.Context, q Query[Q]) (frame.Frames, error)
}

// BatchQuerier answers all queries of a request together. It is asked instead
// of Querier where the instance is both.
type BatchQuerier[Q any] interface {
	// QueryBatch returns the answers by ref id. Queries whose model does not
	// decode are answered already and not among these.
	QueryBatch(ctx context.Context, queries []Query[Q]) (Answers, error)
}

// ChunkQuerier answers a query in pieces, so that a large result need not be
// in memory at once.
type ChunkQuerier[Q any] interface {
	// QueryChunks sends the answer piece by piece. Pieces with the same Name
	// and fields are rows of one frame. send waits while the host is slow; it
	// fails when nobody wants more. It may be called from one goroutine at a
	// time, and the frame be used again once it has returned.
	QueryChunks(ctx context.Context, q Query[Q], send func(*frame.Frame) error) error
}

// Answer is what became of one query.
type Answer struct {
	Frames frame.Frames
	Err    error
}

// Answers are answers by ref id.
type Answers map[string]Answer

// addQueries gives an instance the methods that know the query's type.
func addQueries[Q any](in *instance, t *schema.Type) {
	querier := in.author.(Querier[Q])
	in.query = func(ctx context.Context, q DataQuery) (frame.Frames, error) {
		query, err := decodeQuery[Q](t, q)
		if err != nil {
			return nil, err
		}
		return querier.Query(ctx, query)
	}
	if batcher, ok := in.author.(BatchQuerier[Q]); ok {
		in.batch = func(ctx context.Context, queries []DataQuery) (Answers, error) {
			return queryBatch(ctx, t, batcher, queries)
		}
	}
	if chunker, ok := in.author.(ChunkQuerier[Q]); ok {
		in.chunks = func(ctx context.Context, q DataQuery, send func(*frame.Frame) error) error {
			query, err := decodeQuery[Q](t, q)
			if err != nil {
				return err
			}
			return chunker.QueryChunks(ctx, query, send)
		}
	}
}

func queryBatch[Q any](ctx context.Context, t *schema.Type, batcher BatchQuerier[Q], queries []DataQuery) (Answers, error) {
	undecodable := Answers{}
	decoded := make([]Query[Q], 0, len(queries))
	for _, q := range queries {
		query, err := decodeQuery[Q](t, q)
		if err != nil {
			undecodable[q.RefID] = Answer{Err: err}
			continue
		}
		decoded = append(decoded, query)
	}
	if len(decoded) == 0 {
		return undecodable, nil
	}
	answers, err := batcher.QueryBatch(ctx, decoded)
	if err != nil {
		return nil, err
	}
	all := make(Answers, len(queries))
	for refID, answer := range answers {
		all[refID] = answer
	}
	for refID, answer := range undecodable {
		all[refID] = answer
	}
	return all, nil
}

func decodeQuery[Q any](t *schema.Type, q DataQuery) (Query[Q], error) {
	query := Query[Q]{DataQuery: q}
	err := t.Decode(q.JSON, &query.Model)
	if err == nil {
		err = t.Complete(&query.Model)
	}
	if err != nil {
		return query, BadRequest("query: %w", err)
	}
	return query, nil
}
