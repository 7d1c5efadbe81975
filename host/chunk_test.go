package host_test

import (
	"errors"
	"slices"
	"testing"

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
