package plugin

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/plugboard/plugboard/trace"
)

// Keys of log lines: those that Grafana and the official SDK have too are
// theirs, so that searches of logs fit.
const (
	keyPlugin         = "pluginId"
	keyEndpoint       = "endpoint"
	keyRefID          = "refID"
	keyUser           = "uname"
	keyTrace          = "traceId"
	keyDataSource     = "dsUid"
	keyDataSourceName = "dsName"
	keyOrg            = "orgId"
	keyError          = "error"
	keyPanic          = "panic"
	keyStack          = "stack"
)

// instanceAttr names an instance in the log.
func instanceAttr(c Context) slog.Attr {
	if c.DataSource == nil {
		return slog.Int64(keyOrg, c.OrgID)
	}
	return slog.Attr{Value: slog.GroupValue(
		slog.String(keyDataSourceName, c.DataSource.Name), slog.String(keyDataSource, c.DataSource.UID))}
}

// callHandler says in a line which call it is about, if it is logged with a
// call's context. A call that logs nothing does not pay for it.
type callHandler struct {
	next slog.Handler
	// named: the lines name the instance already.
	named bool
}

func (h callHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h callHandler) Handle(ctx context.Context, r slog.Record) error {
	if c, in := ctx.Value(callKey{}).(*call); in {
		r = r.Clone()
		r.AddAttrs(callAttrs(ctx, c, h.named)...)
	}
	return h.next.Handle(ctx, r)
}

func (h callHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return callHandler{h.next.WithAttrs(attrs), h.named || slices.ContainsFunc(attrs, namesInstance)}
}

func (h callHandler) WithGroup(name string) slog.Handler {
	return callHandler{h.next.WithGroup(name), h.named}
}

// namesInstance tells the attribute of instanceAttr from others.
func namesInstance(a slog.Attr) bool {
	return a.Key == keyOrg || a.Key == "" && a.Value.Kind() == slog.KindGroup &&
		slices.ContainsFunc(a.Value.Group(), func(a slog.Attr) bool { return a.Key == keyDataSource })
}

// callAttrs says about a call what Grafana does, the person by name where a
// data source is asked.
func callAttrs(ctx context.Context, c *call, named bool) []slog.Attr {
	attrs := []slog.Attr{slog.String(keyPlugin, c.context.PluginID), slog.String(keyEndpoint, c.endpoint)}
	if !named {
		attrs = append(attrs, instanceAttr(c.context))
	}
	if refID, ok := ctx.Value(queryKey{}).(string); ok {
		attrs = append(attrs, slog.String(keyRefID, refID))
	}
	if c.context.DataSource != nil && c.context.User != nil && c.context.User.Name != "" {
		attrs = append(attrs, slog.String(keyUser, c.context.User.Name))
	}
	if p := trace.From(ctx); p.Valid() {
		attrs = append(attrs, slog.String(keyTrace, p.Trace.String()))
	}
	for _, pair := range metadata.ValueFromIncomingContext(ctx, hostAttrs) {
		if key, value, ok := strings.Cut(pair, ":::"); ok {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	return attrs
}

// hostAttrs is the metadata of a call in which a host sends pairs for its
// lines.
const hostAttrs = "loggerparamsctxmetadata"
