package gateway

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/plugboard/plugboard/plugin"
)

// The permits of package plugin bound how many answers of one plugin are in
// memory. They are given back before that where a request over several data
// sources holds each answer until the last is in, and where a client is slow to
// read, since others would wait for it. Without bounds of their own, a client
// with many queries, or many clients that do not read, would fill memory.
const (
	heldBytes    = 256 << 20       // of all requests over several data sources together
	heldPatience = 5 * time.Second // for room; two requests may wait for each other's
	slowBytes    = 128 << 20       // of all answers that slow clients read
)

// held bounds the bytes of answers that are held without a permit.
type held struct {
	limit int64
	room  *semaphore.Weighted
}

func newHeld(limit int64) *held { return &held{limit, semaphore.NewWeighted(limit)} }

// take waits a while for room for an answer, which the caller gives back. Its
// error is a *failure.
func (h *held) take(ctx context.Context, t target, size int64) error {
	if size <= h.limit {
		patient, cancel := context.WithTimeout(ctx, heldPatience)
		defer cancel()
		if h.room.Acquire(patient, size) == nil {
			return nil
		}
		if ctx.Err() != nil {
			return t.failed(callQuery, ctx.Err())
		}
	}
	return &failure{
		status: http.StatusServiceUnavailable,
		message: fmt.Sprintf("Answer too large: %s answered %d bytes, and the answers that requests over several data sources hold until the last is in "+
			"are bounded to %d bytes: ask it in a request of its own, or try again", t, size, h.limit),
	}
}

func (h *held) give(size int64) { h.room.Release(size) }

// sizeOf returns how many bytes the frames of an answer are.
func sizeOf(response *plugin.QueryResponse) (size int64) {
	for _, answer := range response.Responses {
		for _, raw := range answer.Frames {
			size += int64(len(raw))
		}
	}
	return size
}
