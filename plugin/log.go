package plugin

import (
	"context"
	"log/slog"

	"github.com/hashicorp/go-hclog"
)

// Keys of log lines.
const (
	keyDataSource = "datasource_uid"
	keyOrg        = "org_id"
	keyNamespace  = "namespace"
	keyError      = "error"
	keyPanic      = "panic"
	keyStack      = "stack"
)

// instanceAttr names an instance in the log.
func instanceAttr(c Context) slog.Attr {
	if c.DataSource != nil {
		return slog.String(keyDataSource, c.DataSource.UID)
	}
	return slog.Int64(keyOrg, c.OrgID)
}

// logHandler writes the lines that a host reads off a plugin's stderr: one
// JSON object each, as hclog writes it. Groups become prefixes of keys.
type logHandler struct {
	to     hclog.Logger
	prefix string
}

func (h logHandler) Enabled(_ context.Context, level slog.Level) bool {
	return h.to.GetLevel() <= levelOf(level)
}

func (h logHandler) Handle(_ context.Context, r slog.Record) error {
	pairs := make([]any, 0, 2*r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		pairs = appendAttr(pairs, h.prefix, a)
		return true
	})
	h.to.Log(levelOf(r.Level), r.Message, pairs...)
	return nil
}

func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var pairs []any
	for _, a := range attrs {
		pairs = appendAttr(pairs, h.prefix, a)
	}
	h.to = h.to.With(pairs...)
	return h
}

func (h logHandler) WithGroup(name string) slog.Handler {
	if name != "" {
		h.prefix += name + "."
	}
	return h
}

func appendAttr(pairs []any, prefix string, a slog.Attr) []any {
	value := a.Value.Resolve()
	if value.Kind() != slog.KindGroup {
		if a.Key == "" {
			return pairs
		}
		return append(pairs, prefix+a.Key, value.Any())
	}
	if a.Key != "" {
		prefix += a.Key + "."
	}
	for _, member := range value.Group() {
		pairs = appendAttr(pairs, prefix, member)
	}
	return pairs
}

func levelOf(level slog.Level) hclog.Level {
	switch {
	case level < slog.LevelDebug:
		return hclog.Trace
	case level < slog.LevelInfo:
		return hclog.Debug
	case level < slog.LevelWarn:
		return hclog.Info
	case level < slog.LevelError:
		return hclog.Warn
	default:
		return hclog.Error
	}
}
