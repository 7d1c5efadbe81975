package host

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/plugboard/plugboard/host/internal/catalog"
)

// lookEvery is how often the plugins of DevDirs are looked at. Polling works on
// every file system, and two files a plugin cost nothing.
const lookEvery = 250 * time.Millisecond

// inDev tells whether a plugin lies in one of DevDirs.
func (c Config) inDev(entry *catalog.Entry) bool {
	return slices.ContainsFunc(c.DevDirs, func(dir string) bool {
		absolute, err := filepath.Abs(dir)
		return err == nil && entry.Dir != "" && (entry.Dir == absolute || strings.HasPrefix(entry.Dir, absolute+string(filepath.Separator)))
	})
}

// folders are those that plugins are searched in.
func (c Config) folders() []string { return slices.Concat(c.DevDirs, c.PluginDirs) }

// watch reloads the plugins of DevDirs whenever their plugin.json or executable
// has changed, until ctx ends.
func (h *Host) watch(ctx context.Context) {
	var watched []*member
	for _, m := range h.ordered {
		if h.config.inDev(m.version().entry) {
			watched = append(watched, m)
		}
	}
	if len(watched) == 0 {
		return
	}
	loaded, last := map[*member]string{}, map[*member]string{}
	for _, m := range watched {
		loaded[m] = stamp(m.version().entry)
	}
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		for _, m := range watched {
			now := stamp(m.version().entry)
			if now != "" && now == last[m] && now != loaded[m] { // nobody is writing it any more
				loaded[m] = now
				h.reloadChanged(ctx, m)
			}
			last[m] = now
		}
	}
}

func (h *Host) reloadChanged(ctx context.Context, m *member) {
	if err := h.Reload(ctx, m.id, nil); err != nil && ctx.Err() == nil {
		h.config.Logger.Error("plugin has changed, and is not reloaded", keyPlugin, m.id, "error", err)
	}
}

// stamp changes when one of a plugin's files does; it is empty while one is
// missing.
func stamp(entry *catalog.Entry) string {
	var text strings.Builder
	for _, path := range append([]string{filepath.Join(entry.Dir, "plugin.json")}, entry.Command...) {
		info, err := os.Stat(path)
		if err != nil {
			return ""
		}
		fmt.Fprintln(&text, info.Size(), info.ModTime().UnixNano())
	}
	return text.String()
}
