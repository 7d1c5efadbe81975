package plugin

import (
	"context"
	"maps"
	"net/http"
	"strconv"
	"sync"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framejson"
	"github.com/plugboard/plugboard/wire"
)

func (s *server) QueryChunkedData(req *wire.QueryChunkedDataRequest, stream wire.Data_QueryChunkedDataServer) error {
	if !s.plugin.offer.chunks {
		return toStatus(ErrNotImplemented)
	}
	out := &chunkStream{send: stream.Send, format: formatOf(req.Format)}
	ctx := stream.Context()
	err := s.call(ctx, "queryChunkedData", call{context: contextFromWire(req.PluginContext), headers: req.Headers},
		func(ctx context.Context, h *held) error {
			failures := make([]error, len(req.Queries))
			inParallel(len(req.Queries), func(i int) {
				failures[i] = s.askInChunks(&queryContext{ctx, req.Queries[i].RefId}, h, req.Queries[i], out)
			})
			return firstFailure(failures)
		})
	switch {
	case endedEarly(ctx, err):
		return toStatus(err)
	case out.err != nil:
		return out.err
	case err != nil && !out.used:
		// No query was asked: the reason is the answer to each.
		for _, q := range req.Queries {
			if err := out.fail(q.RefId, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// askInChunks asks one query. The error it returns is what the answer says.
func (s *server) askInChunks(ctx context.Context, h *held, q *wire.DataQuery, out *chunkStream) error {
	frames := frameIDs{}
	err := func() (err error) {
		defer recovered(ctx, s.logger, &err)
		return h.chunks(ctx, queryFromWire(q), func(f *frame.Frame) error {
			chunk, err := encodeChunk(q.RefId, f, out.format, frames)
			if err != nil {
				return err
			}
			return out.write(chunk)
		})
	}()
	if err != nil {
		_ = out.fail(q.RefId, err) // the stream keeps its own error
	}
	return err
}

func encodeChunk(refID string, f *frame.Frame, format wire.DataFrameFormat, frames frameIDs) (*wire.QueryChunkedDataResponse, error) {
	if f == nil {
		return nil, errNilFrame
	}
	if err := f.Validate(); err != nil {
		return nil, err
	}
	id, first := frames.of(f)
	parts := framejson.IncludeAll
	if !first {
		parts = framejson.IncludeDataOnly
	}
	encoded, err := encodeFrame(refID, f, format, parts)
	if err != nil {
		return nil, err
	}
	return &wire.QueryChunkedDataResponse{
		RefId:   refID,
		FrameId: id,
		Frame:   encoded,
		Format:  format,
		Status:  http.StatusOK,
	}, nil
}

// chunkStream lets the queries of a request write to one stream.
type chunkStream struct {
	send   func(*wire.QueryChunkedDataResponse) error
	format wire.DataFrameFormat
	mu     sync.Mutex
	used   bool
	err    error
}

func (c *chunkStream) write(chunk *wire.QueryChunkedDataResponse) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used = true
	if c.err == nil {
		c.err = c.send(chunk)
	}
	return c.err
}

func (c *chunkStream) fail(refID string, err error) error {
	failure := failureOf(err)
	return c.write(&wire.QueryChunkedDataResponse{
		RefId:       refID,
		Format:      c.format,
		Error:       failure.Message,
		ErrorSource: string(failure.Source),
		Status:      int32(failure.Status),
	})
}

// frameIDs names the frames of one query, which arrive in pieces. Pieces
// belong together if they have the same name and fields of the same shape.
type frameIDs map[string]frameShape

type frameShape struct {
	number int
	fields []fieldShape
}

type fieldShape struct {
	name     string
	typ      frame.Type
	nullable bool
	labels   frame.Labels
}

// of returns the id of the frame that f is a piece of, and whether it is the
// first.
func (ids frameIDs) of(f *frame.Frame) (string, bool) {
	known, seen := ids[f.Name]
	first := !seen || !known.fits(f)
	if first {
		known = frameShape{number: known.number + 1, fields: shapeOf(f)}
		ids[f.Name] = known
	}
	return f.Name + "#" + strconv.Itoa(known.number), first
}

func shapeOf(f *frame.Frame) []fieldShape {
	fields := make([]fieldShape, len(f.Fields))
	for i, field := range f.Fields {
		fields[i] = fieldShape{field.Name, field.Type(), field.Nullable(), maps.Clone(field.Labels)}
	}
	return fields
}

func (s frameShape) fits(f *frame.Frame) bool {
	if len(s.fields) != len(f.Fields) {
		return false
	}
	for i, field := range f.Fields {
		have := s.fields[i]
		if have.name != field.Name || have.typ != field.Type() || have.nullable != field.Nullable() ||
			!maps.Equal(have.labels, field.Labels) {
			return false
		}
	}
	return true
}
