package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/plugboard/plugboard/frame"
)

// Query is one query to a data source, its model decoded.
//
// Model is DataQuery.JSON as encoding/json decodes it into a Q. A string field
// of Q with the tag `plugboard:"text"` is the one that takes a query typed as
// plain text, at a prompt for instance.
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
func addQueries[Q any](in *instance) {
	querier := in.author.(Querier[Q])
	in.query = func(ctx context.Context, q DataQuery) (frame.Frames, error) {
		query, err := decodeQuery[Q](q)
		if err != nil {
			return nil, err
		}
		return querier.Query(ctx, query)
	}
	if batcher, ok := in.author.(BatchQuerier[Q]); ok {
		in.batch = func(ctx context.Context, queries []DataQuery) (Answers, error) {
			return queryBatch(ctx, batcher, queries)
		}
	}
	if chunker, ok := in.author.(ChunkQuerier[Q]); ok {
		in.chunks = func(ctx context.Context, q DataQuery, send func(*frame.Frame) error) error {
			query, err := decodeQuery[Q](q)
			if err != nil {
				return err
			}
			return chunker.QueryChunks(ctx, query, send)
		}
	}
}

func queryBatch[Q any](ctx context.Context, batcher BatchQuerier[Q], queries []DataQuery) (Answers, error) {
	undecodable := Answers{}
	decoded := make([]Query[Q], 0, len(queries))
	for _, q := range queries {
		query, err := decodeQuery[Q](q)
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

func decodeQuery[Q any](q DataQuery) (Query[Q], error) {
	query := Query[Q]{DataQuery: q}
	if err := decodeObject(q.JSON, &query.Model); err != nil {
		return query, BadRequest("query: %w", err)
	}
	return query, nil
}

// decodeObject decodes what a person wrote; its errors name the path.
func decodeObject(object []byte, into any) error {
	if len(bytes.TrimSpace(object)) == 0 {
		return nil
	}
	err := json.Unmarshal(object, into)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		path := wrong.Field
		if path == "" {
			return fmt.Errorf("want %s, have %s", kindName(wrong.Type), wrong.Value)
		}
		return fmt.Errorf("%s: want %s, have %s", path, kindName(wrong.Type), wrong.Value)
	}
	return err
}

// kindName says what JSON a Go type wants, in words for the person who wrote
// the JSON.
func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number (" + t.Kind().String() + ")"
	default:
		return t.String()
	}
}

// textField returns the JSON key of the field of a query model that is tagged
// to take plain text, empty if none is.
func textField(t reflect.Type) (string, error) {
	if t.Kind() != reflect.Struct {
		return "", nil
	}
	key := ""
	for _, field := range reflect.VisibleFields(t) {
		if field.Tag.Get("plugboard") != "text" {
			continue
		}
		name := jsonKey(field)
		switch {
		case field.Type.Kind() != reflect.String || !field.IsExported() || name == "":
			return "", fmt.Errorf("field %s of %s takes a query's plain text: it must be a string that JSON decodes", field.Name, t)
		case key != "":
			return "", fmt.Errorf("field %s of %s is the second that takes a query's plain text", field.Name, t)
		}
		key = name
	}
	return key, nil
}

// jsonKey returns the key that encoding/json knows a field by, empty if it
// ignores the field.
func jsonKey(field reflect.StructField) string {
	tag := field.Tag.Get("json")
	if tag == "-" {
		return ""
	}
	if name, _, _ := strings.Cut(tag, ","); name != "" {
		return name
	}
	return field.Name
}
