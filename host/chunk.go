package host

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/plugboard/plugboard/plugin"
)

// QueryChunks asks a plugin a batch of queries and hands every piece of the
// answer to send as it arrives; an error of send ends the call and is returned.
// A plugin that does not answer chunked queries is asked a plain one, of which
// every frame becomes a chunk, and every query without a frame one without.
func (h *Host) QueryChunks(ctx context.Context, req *plugin.QueryRequest, send func(plugin.Chunk) error) error {
	m, err := h.member(req.Context.PluginID)
	if err != nil {
		return err
	}
	request := *req
	request.Context = h.fill(m, req.Context)
	ctx, t, err := h.enter(ctx, m, req.Context)
	if err != nil {
		return err
	}
	defer t.leave()
	chunked, err := h.chunked(ctx, m)
	if err != nil {
		return h.config.Limits.explain(ctx, err)
	}
	if chunked {
		send := h.config.Limits.counting(send)
		err := do(ctx, m, true, func(ctx context.Context, c *plugin.Client) error { return c.QueryChunks(ctx, &request, send) })
		if !errors.Is(err, plugin.ErrNotImplemented) {
			return h.config.Limits.explain(ctx, err)
		}
	}
	response, err := call(ctx, m, true, func(ctx context.Context, c *plugin.Client) (*plugin.QueryResponse, error) {
		return c.Query(ctx, &request)
	})
	if err != nil {
		return h.config.Limits.explain(ctx, err)
	}
	t.answered()
	h.config.Limits.check(response)
	return sendWhole(response, send)
}

// chunked reports whether a plugin answers chunked queries.
func (h *Host) chunked(ctx context.Context, m *member) (bool, error) {
	if slices.Contains(h.config.Chunked, m.id) {
		return true, nil
	}
	description, err := m.describe(ctx)
	if errors.Is(err, plugin.ErrNotImplemented) {
		return false, nil
	}
	return description.Chunked, err
}

func sendWhole(response *plugin.QueryResponse, send func(plugin.Chunk) error) error {
	for _, refID := range slices.Sorted(maps.Keys(response.Responses)) {
		if err := sendResponse(refID, response.Responses[refID], send); err != nil {
			return err
		}
	}
	return nil
}

func sendResponse(refID string, r plugin.Response, send func(plugin.Chunk) error) error {
	for i, frame := range r.Frames {
		chunk := plugin.Chunk{RefID: refID, FrameID: strconv.Itoa(i), Frame: frame, Format: r.Format, Status: okStatus(r)}
		if err := send(chunk); err != nil {
			return err
		}
	}
	if len(r.Frames) > 0 && r.Error == "" {
		return nil
	}
	return send(plugin.Chunk{RefID: refID, Format: r.Format, Error: r.Error, ErrorSource: r.ErrorSource, Status: r.Status})
}

// okStatus is the status of a frame that comes beside an error.
func okStatus(r plugin.Response) int {
	if r.Error != "" {
		return 200
	}
	return cmp.Or(r.Status, 200)
}
