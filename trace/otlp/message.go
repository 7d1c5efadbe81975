package otlp

import (
	"fmt"
	"log/slog"
	"math"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/plugboard/plugboard/trace"
)

// The messages of OTLP are written by hand: the generated ones bring an HTTP
// gateway along, and register names that the official SDK registers too.

// library is what made the spans, for those who look at them.
const library = "github.com/plugboard/plugboard/trace"

// appendRequest writes an ExportTraceServiceRequest, the spans by service.
func appendRequest(b []byte, spans []trace.Record) []byte {
	var services []trace.Service
	of := map[trace.Service][]trace.Record{}
	for _, span := range spans {
		if of[span.Service] == nil {
			services = append(services, span.Service)
		}
		of[span.Service] = append(of[span.Service], span)
	}
	for _, service := range services {
		b = appendMessage(b, 1, func(b []byte) []byte { return appendResourceSpans(b, service, of[service]) })
	}
	return b
}

func appendResourceSpans(b []byte, service trace.Service, spans []trace.Record) []byte {
	b = appendMessage(b, 1, func(b []byte) []byte {
		b = appendAttr(b, 1, "", slog.String("service.name", service.Name))
		if service.Version != "" {
			b = appendAttr(b, 1, "", slog.String("service.version", service.Version))
		}
		b = appendAttr(b, 1, "", slog.String("telemetry.sdk.name", "plugboard"))
		return appendAttr(b, 1, "", slog.String("telemetry.sdk.language", "go"))
	})
	return appendMessage(b, 2, func(b []byte) []byte {
		b = appendMessage(b, 1, func(b []byte) []byte { return appendText(b, 1, library) })
		for _, span := range spans {
			b = appendMessage(b, 2, func(b []byte) []byte { return appendSpan(b, &span) })
		}
		return b
	})
}

func appendSpan(b []byte, span *trace.Record) []byte {
	b = appendBytes(b, 1, span.Trace[:])
	b = appendBytes(b, 2, span.Span[:])
	b = appendText(b, 3, span.State)
	if span.Caller != (trace.SpanID{}) {
		b = appendBytes(b, 4, span.Caller[:])
	}
	b = appendText(b, 5, span.Name)
	b = appendVarint(b, 6, uint64(span.Kind))
	b = appendFixed64(b, 7, uint64(span.Start.UnixNano()))
	b = appendFixed64(b, 8, uint64(span.End.UnixNano()))
	for _, attr := range span.Attrs {
		b = appendAttr(b, 9, "", attr)
	}
	if span.Failed {
		b = appendMessage(b, 15, func(b []byte) []byte {
			return appendVarint(appendText(b, 2, span.Error), 3, 2)
		})
	}
	b = protowire.AppendTag(b, 16, protowire.Fixed32Type)
	return protowire.AppendFixed32(b, uint32(span.Flags))
}

// appendAttr writes a KeyValue; of a group one for each member.
func appendAttr(b []byte, field protowire.Number, prefix string, attr slog.Attr) []byte {
	value := attr.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		if attr.Key != "" {
			prefix += attr.Key + "."
		}
		for _, member := range value.Group() {
			b = appendAttr(b, field, prefix, member)
		}
		return b
	}
	return appendMessage(b, field, func(b []byte) []byte {
		b = appendText(b, 1, prefix+attr.Key)
		return appendMessage(b, 2, func(b []byte) []byte { return appendValue(b, value) })
	})
}

// appendValue writes an AnyValue, of which at least an empty one is written.
func appendValue(b []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindBool:
		return protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), protowire.EncodeBool(v.Bool()))
	case slog.KindInt64:
		return protowire.AppendVarint(protowire.AppendTag(b, 3, protowire.VarintType), uint64(v.Int64()))
	case slog.KindUint64:
		if n := v.Uint64(); n <= math.MaxInt64 {
			return protowire.AppendVarint(protowire.AppendTag(b, 3, protowire.VarintType), n)
		}
	case slog.KindFloat64:
		return appendFixed64(b, 4, math.Float64bits(v.Float64()))
	case slog.KindTime:
		return appendString(b, 1, v.Time().Format(time.RFC3339Nano))
	case slog.KindAny:
		return appendString(b, 1, fmt.Sprint(v.Any()))
	}
	return appendString(b, 1, v.String())
}

func appendMessage(b []byte, field protowire.Number, write func([]byte) []byte) []byte {
	return appendBytes(b, field, write(nil))
}

func appendBytes(b []byte, field protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), value)
}

// appendText leaves an empty text out, as proto3 does.
func appendText(b []byte, field protowire.Number, text string) []byte {
	if text == "" {
		return b
	}
	return appendString(b, field, text)
}

func appendString(b []byte, field protowire.Number, text string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), strings.ToValidUTF8(text, "\uFFFD"))
}

func appendVarint(b []byte, field protowire.Number, value uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), value)
}

func appendFixed64(b []byte, field protowire.Number, value uint64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(b, field, protowire.Fixed64Type), value)
}
