package host_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/internal/badplugin"
	"github.com/plugboard/plugboard/plugin"
)

func chunks(t *testing.T, h *host.Host, pluginID string) []string {
	t.Helper()
	var values []string
	err := h.QueryChunks(t.Context(), queryOf(pluginID, badplugin.Order{Say: "whole"}), func(c plugin.Chunk) error {
		if c.RefID != "A" || c.FrameID != "0" || c.Format != plugin.FormatJSON || c.Status != 200 || c.Error != "" {
			t.Errorf("chunk: %+v", c)
		}
		values = append(values, valueOf(t, c.Frame))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func TestQueryChunks(t *testing.T) {
	h := withModes(t, badplugin.Good, badplugin.Chunked)
	if got := chunks(t, h, badplugin.Chunked); !slices.Equal(got, []string{"chunk 0", "chunk 1", "chunk 2"}) {
		t.Errorf("chunks %q", got)
	}
	// The bad plugin dies of a chunked query.
	if got := chunks(t, h, badplugin.Good); !slices.Equal(got, []string{"whole"}) {
		t.Errorf("chunks %q", got)
	}
	if p, _ := h.Plugin(badplugin.Good); p.Restarts != 0 {
		t.Errorf("%d restarts", p.Restarts)
	}
}

func TestQueryChunksStopsWithItsReceiver(t *testing.T) {
	h := withModes(t, badplugin.Good, badplugin.Chunked)
	full := errors.New("disk full")
	for _, id := range []string{badplugin.Good, badplugin.Chunked} {
		if err := h.QueryChunks(t.Context(), queryOf(id, badplugin.Order{}), func(plugin.Chunk) error { return full }); err != full {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// TestLimitsOfChunks: an answer without an end is stopped where a limit is, and
// what came before has arrived.
func TestLimitsOfChunks(t *testing.T) {
	for name, test := range map[string]struct {
		limits host.Limits
		want   string
	}{
		"rows":  {host.Limits{Rows: 10}, "stopped at 11 rows, because the answer to a query may have 10: "},
		"bytes": {host.Limits{Bytes: 2000}, " bytes, because the answer to a request may have 2000: "},
	} {
		t.Run(name, func(t *testing.T) {
			h := withConfig(t, host.Config{Limits: test.limits}, badplugin.Chunked)
			arrived := 0
			err := h.QueryChunks(t.Context(), queryOf(badplugin.Chunked, badplugin.Order{Do: badplugin.DoDrip}), func(plugin.Chunk) error {
				arrived++
				return nil
			})
			refusal(t, err, http.StatusRequestEntityTooLarge, test.want)
			if arrived < 5 || arrived > 20 {
				t.Errorf("%d chunks arrived", arrived)
			}
		})
	}
}

// TestLimitOfTimeOfChunks: who reads slowly does not use up the plugin's time.
func TestLimitOfTimeOfChunks(t *testing.T) {
	const limit = time.Second
	h := withConfig(t, host.Config{Limits: host.Limits{Time: limit}}, badplugin.Chunked)
	started(t, h, badplugin.Chunked)
	read := 0
	err := h.QueryChunks(t.Context(), queryOf(badplugin.Chunked, badplugin.Order{}), func(plugin.Chunk) error {
		<-time.After(limit / 2)
		read++
		return nil
	})
	if err != nil || read != 3 {
		t.Errorf("%d chunks, %v", read, err)
	}
}

func TestChunked(t *testing.T) {
	h := withModes(t, badplugin.Good, badplugin.Chunked)
	for _, id := range []string{badplugin.Good, badplugin.Chunked} {
		if chunked, err := h.Chunked(t.Context(), id); err != nil || chunked != (id == badplugin.Chunked) {
			t.Errorf("%s: %t, %v", id, chunked, err)
		}
	}
}
