package plugin

import (
	"context"
	"encoding"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"os"
	"strings"
	"sync"
)

// levelVariable sets the least level that is logged: trace, debug, info, warn,
// error or off. It is where Grafana's hosts put the setting log_level of a
// plugin.
const levelVariable = "GF_PLUGIN_LOG_LEVEL"

// logLevel is debug unless somebody says otherwise: a host takes what it wants.
func logLevel() slog.Level {
	switch strings.ToLower(strings.TrimSpace(os.Getenv(levelVariable))) {
	case "trace":
		return math.MinInt
	case "info":
		return slog.LevelInfo
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	case "off":
		return math.MaxInt
	default:
		return slog.LevelDebug
	}
}

// Keys and the layout of times in a line, as HashiCorp's hclog has them and
// hosts read them.
const (
	lineLevel   = "@level"
	lineMessage = "@message"
	lineTime    = "@timestamp"
	timeLayout  = "2006-01-02T15:04:05.000000Z07:00"
)

// lineHandler writes the lines that a host reads off a plugin's stderr: one
// JSON object each, keys in order. Groups become prefixes of keys.
type lineHandler struct {
	to     *lines
	level  slog.Level
	prefix string
	with   map[string]any // not changed
}

// lines keeps those of several goroutines apart.
type lines struct {
	mu sync.Mutex
	to io.Writer
}

func newLineHandler(to io.Writer, level slog.Level) lineHandler {
	return lineHandler{to: &lines{to: to}, level: level}
}

func (h lineHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

func (h lineHandler) Handle(_ context.Context, r slog.Record) error {
	pairs := make(map[string]any, len(h.with)+r.NumAttrs()+3)
	maps.Copy(pairs, h.with)
	r.Attrs(func(a slog.Attr) bool {
		addAttr(pairs, h.prefix, a)
		return true
	})
	pairs[lineLevel], pairs[lineMessage] = levelName(r.Level), r.Message
	if !r.Time.IsZero() {
		pairs[lineTime] = r.Time.Format(timeLayout)
	}
	line, err := json.Marshal(pairs)
	if err != nil {
		return err
	}
	h.to.mu.Lock()
	defer h.to.mu.Unlock()
	_, err = h.to.to.Write(append(line, '\n'))
	return err
}

func (h lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := make(map[string]any, len(h.with)+len(attrs))
	maps.Copy(with, h.with)
	for _, a := range attrs {
		addAttr(with, h.prefix, a)
	}
	h.with = with
	return h
}

func (h lineHandler) WithGroup(name string) slog.Handler {
	if name != "" {
		h.prefix += name + "."
	}
	return h
}

func addAttr(pairs map[string]any, prefix string, a slog.Attr) {
	value := a.Value.Resolve()
	if value.Kind() != slog.KindGroup {
		if a.Key != "" {
			pairs[prefix+a.Key] = loggable(value.Any())
		}
		return
	}
	if a.Key != "" {
		prefix += a.Key + "."
	}
	for _, member := range value.Group() {
		addAttr(pairs, prefix, member)
	}
}

// loggable returns what JSON can say of a value: a line is not lost for one
// that it has no form for.
func loggable(value any) any {
	switch v := value.(type) {
	case string, bool, int64, uint64:
		return v
	case json.Marshaler, encoding.TextMarshaler:
	case error:
		return v.Error()
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return json.RawMessage(encoded)
}

func levelName(level slog.Level) string {
	switch {
	case level < slog.LevelDebug:
		return "trace"
	case level < slog.LevelInfo:
		return "debug"
	case level < slog.LevelWarn:
		return "info"
	case level < slog.LevelError:
		return "warn"
	default:
		return "error"
	}
}
