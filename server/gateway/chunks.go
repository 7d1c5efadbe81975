package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framejson"
	"github.com/plugboard/plugboard/plugin"
)

// gatherBytes is what is held of an answer in chunks before its first row is
// written: up to there it is answered as any other is, an error is one of its
// own, and a table has the columns of all frames.
const gatherBytes = 256 << 10

// inChunks tells whether an answer can be written as it arrives: one query, in a
// format that needs no whole columns, to a plugin that answers in chunks. Answers
// to several queries come in any order, and would have to wait for each other.
func (g *Gateway) inChunks(ctx context.Context, f format, groups []*group) (bool, error) {
	if f.begin == nil || len(groups) != 1 || len(groups[0].queries) != 1 {
		return false, nil
	}
	chunked, err := g.host.Chunked(ctx, groups[0].PluginID)
	if err != nil {
		return false, groups[0].failed(callQuery, err)
	}
	return chunked, nil
}

// answerChunks asks a query and writes the answer as it arrives. The plugin
// waits while the client is slow to read.
func (g *Gateway) answerChunks(ctx context.Context, w http.ResponseWriter, f format, q *group) error {
	out := &answer{w: w, contentType: f.contentType, status: http.StatusOK, place: &place{}}
	return out.write(func(out *answer) error {
		s := &flow{group: q, format: f, out: out, numbers: map[string]int{}}
		start := time.Now()
		err := g.host.QueryChunks(ctx, q.request(), s.take)
		if err == nil {
			err = s.end()
		}
		if out.gone != nil {
			g.observe(callQuery, q.target, start, context.Canceled)
			return nil
		}
		g.observe(callQuery, q.target, start, err)
		if err != nil {
			return f.tell(out, s.failed(err))
		}
		return nil
	})
}

// flow is an answer in chunks on its way into a format.
type flow struct {
	*group
	format format
	out    *answer

	numbers map[string]int // of the frames, by their ids
	schemas []*frame.Frame // of those that came as JSON, by number
	first   []frame.Frames // what came before writer began
	size    int64          // of that
	writer  writer
}

// take takes the next chunk.
func (s *flow) take(c plugin.Chunk) error {
	if c.Error != "" {
		return queryFailed(c.RefID, s.redact(c.Error), c.ErrorSource)
	}
	if len(c.Frame) == 0 {
		return nil
	}
	number, batches, err := s.read(c)
	if err != nil {
		return queryFailed(c.RefID, fmt.Sprintf("%s sent a chunk that cannot be read: %v", s.target, err), plugin.SourcePlugin)
	}
	if s.writer == nil {
		s.first[number] = append(s.first[number], batches...)
		if s.size += int64(len(c.Frame)); s.size < gatherBytes {
			return nil
		}
		return s.begin()
	}
	return s.write(c.RefID, number, batches)
}

// read returns the rows of a chunk, and the number of the frame that they are
// of.
func (s *flow) read(c plugin.Chunk) (number int, batches frame.Frames, err error) {
	id := c.RefID + "\x00" + c.FrameID
	number, known := s.numbers[id]
	switch {
	case c.Format == plugin.FormatArrow:
		batches, err = frame.UnmarshalBatches(c.Frame)
	case known && s.schemas[number] != nil:
		batches, err = one(framejson.UnmarshalData(c.Frame, s.schemas[number]))
	default:
		batches, err = one(framejson.Unmarshal(c.Frame))
	}
	if err != nil {
		return 0, nil, err
	}
	if !known {
		number = len(s.numbers)
		s.numbers[id], s.schemas, s.first = number, append(s.schemas, nil), append(s.first, nil)
		if c.Format == plugin.FormatJSON {
			s.schemas[number] = batches[0].SliceRows(0, 0)
		}
	}
	for _, batch := range batches {
		if batch.RefID == "" {
			batch.RefID = c.RefID
		}
	}
	return number, batches, nil
}

func one(f *frame.Frame, err error) (frame.Frames, error) { return frame.Frames{f}, err }

// begin writes what was held.
func (s *flow) begin() (err error) {
	if s.writer, err = s.format.begin(s.out, s.first); err != nil {
		return queryFailed(s.queries[0].RefID, err.Error(), plugin.SourcePlugin)
	}
	first := s.first
	s.first = make([]frame.Frames, len(first))
	for number, batches := range first {
		if err := s.write(s.queries[0].RefID, number, batches); err != nil {
			return err
		}
	}
	return nil
}

func (s *flow) write(refID string, number int, batches frame.Frames) error {
	for _, batch := range batches {
		if err := s.writer.write(number, batch); err != nil {
			return queryFailed(refID, err.Error(), plugin.SourcePlugin)
		}
	}
	return nil
}

// end writes what is left.
func (s *flow) end() error {
	if s.writer == nil {
		if err := s.begin(); err != nil {
			return err
		}
	}
	return s.writer.end()
}

// failed leaves failures as they are.
func (s *flow) failed(err error) error {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	return s.group.failed(callQuery, err)
}

// queryFailed is the failure of one query, where the format has no room for it.
func queryFailed(refID, message string, source plugin.ErrorSource) *failure {
	return &failure{status: http.StatusBadRequest, id: "query.failed", source: source, message: fmt.Sprintf("query %q failed: %s", refID, message)}
}
