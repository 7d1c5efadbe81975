package theirs

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
)

// TestUpgrade switches versions of a plugin on the official SDK, which knows
// nothing of that, back and forth under load: no query fails, and a stream goes
// on.
func TestUpgrade(t *testing.T) {
	h, _ := runWith(t, host.Config{VersionsDir: t.TempDir()})
	if _, err := query(t, h, `{"rows":1}`); err != nil {
		t.Fatal(err)
	}
	stream, err := h.Subscribe(t.Context(), &plugin.StreamRequest{Context: dataSource("{}"), Path: "count"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	next(t, stream)

	newer := t.TempDir()
	if err := os.CopyFS(newer, os.DirFS(filepath.Join(pluginDir, "everything"))); err != nil {
		t.Fatal(err)
	}
	manifest := filepath.Join(newer, "plugin.json")
	text, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(manifest, bytes.Replace(text, []byte("1.2.3"), []byte("1.3.0"), 1), 0o600); err != nil {
		t.Fatal(err)
	}

	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	var calls atomic.Int64
	for range 8 {
		clients.Go(func() {
			for ctx.Err() == nil {
				r, err := query(t, h, `{"rows":100}`)
				if err != nil || r.Error != "" {
					t.Errorf("a query failed: %v %s", err, r.Error)
					return
				}
				calls.Add(1)
			}
		})
	}
	for range 3 {
		if err := h.Upgrade(t.Context(), dataSourceID, newer, false, nil); err != nil {
			t.Error(err)
		}
		if p, _ := h.Plugin(dataSourceID); p.Manifest.Info.Version != "1.3.0" {
			t.Errorf("version %s runs", p.Manifest.Info.Version)
		}
		next(t, stream)
		if err := h.Rollback(t.Context(), dataSourceID, nil); err != nil {
			t.Error(err)
		}
		next(t, stream)
	}
	stop()
	clients.Wait()
	t.Logf("%d queries", calls.Load())
}
