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
// While send takes its time the plugin waits, too: the call keeps its turn, and
// the limit of time stands still. A plugin that does not answer chunked queries
// is asked a plain one, of which every frame becomes a chunk, and every query
// without a frame one without.
func (h *Host) QueryChunks(ctx context.Context, req *plugin.QueryRequest, send func(plugin.Chunk) error) error {
	m, err := h.member(req.Context.PluginID)
	if err != nil {
		return err
	}
	request := *req
	request.Context = h.fill(m, req.Context)
	t, err := h.takeTurn(ctx, m, req.Context)
	if err != nil {
		return err
	}
	defer t.leave()
	limits := h.config.Limits
	ctx, clock := limits.clock(ctx)
	defer clock.end()
	err, failed := h.chunks(ctx, m, &request, clock.pausing(limits.counting(send)))
	return cmp.Or(failed, limits.explain(ctx, err))
}

// chunks returns the error of the call and, apart from that, the error of send,
// which is no sign of what became of the process.
func (h *Host) chunks(ctx context.Context, m *member, req *plugin.QueryRequest, send func(plugin.Chunk) error) (err, failed error) {
	chunked, err := h.chunked(ctx, m)
	if err != nil {
		return err, nil
	}
	if chunked {
		begun := false
		err := do(ctx, m, true, func(ctx context.Context, c *plugin.Client) error {
			return c.QueryChunks(ctx, req, func(chunk plugin.Chunk) error {
				begun, failed = true, send(chunk)
				return failed
			})
		})
		if begun || !errors.Is(err, plugin.ErrNotImplemented) {
			return err, failed
		}
	}
	response, err := read(ctx, m, func(ctx context.Context, c *plugin.Client) (*plugin.QueryResponse, error) { return c.Query(ctx, req) })
	if err != nil {
		return err, nil
	}
	h.config.Limits.check(response)
	return nil, sendWhole(response, send)
}

// Chunked reports whether QueryChunks asks a plugin chunked queries: it says so,
// or Config.Chunked does.
func (h *Host) Chunked(ctx context.Context, pluginID string) (bool, error) {
	m, err := h.member(pluginID)
	if err != nil {
		return false, err
	}
	return h.chunked(ctx, m)
}

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
