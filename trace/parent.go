// Package trace carries W3C trace context through calls, and times what
// happens under them for whoever has set up a Tracer.
//
// Without one it does next to nothing: contexts are passed on, and no span is
// made.
package trace

import (
	"context"
	"encoding/hex"
	"strings"

	"google.golang.org/grpc/metadata"
)

// TraceID names a trace; zero is none.
type TraceID [16]byte

// SpanID names a span within its trace; zero is none.
type SpanID [8]byte

// String returns 32 lower-case hexadecimal digits.
func (id TraceID) String() string { return hex.EncodeToString(id[:]) }

// String returns 16 lower-case hexadecimal digits.
func (id SpanID) String() string { return hex.EncodeToString(id[:]) }

// Names of the headers that trace context travels in, in HTTP and in gRPC.
const (
	ParentHeader = "traceparent"
	StateHeader  = "tracestate"
)

// Parent is what a call has to know to be part of a trace: W3C trace context.
type Parent struct {
	Trace TraceID
	Span  SpanID
	// Flags are W3C's; the lowest bit says that the trace is recorded.
	Flags byte
	// State is the tracestate, which is nobody's to read but its writers'.
	State string
}

const flagSampled = 1

// Valid tells whether there is a trace at all.
func (p Parent) Valid() bool { return p.Trace != TraceID{} && p.Span != SpanID{} }

// Sampled tells whether the trace is recorded.
func (p Parent) Sampled() bool { return p.Flags&flagSampled != 0 }

// String returns the traceparent.
func (p Parent) String() string {
	b := make([]byte, 0, lengthOfParent)
	b = append(b, "00-"...)
	b = hex.AppendEncode(b, p.Trace[:])
	b = append(b, '-')
	b = hex.AppendEncode(b, p.Span[:])
	b = append(b, '-')
	return string(hex.AppendEncode(b, []byte{p.Flags}))
}

// lengthOfParent is that of version 00: 00-trace-span-flags.
const lengthOfParent = 2 + 1 + 32 + 1 + 16 + 1 + 2

// longestState is what W3C wants to be passed on at least.
const longestState = 512

// Parse reads the two headers. What is no trace context, as W3C defines it, is
// a Parent that is not Valid; a state that is none is left out.
func Parse(parent, state string) Parent {
	var p Parent
	var version, flags [1]byte
	switch {
	case len(parent) < lengthOfParent || parent[2] != '-' || parent[35] != '-' || parent[52] != '-':
		return Parent{}
	case !digits(version[:], parent[:2]) || !digits(p.Trace[:], parent[3:35]) ||
		!digits(p.Span[:], parent[36:52]) || !digits(flags[:], parent[53:55]):
		return Parent{}
	case version[0] == 0xff, version[0] == 0 && len(parent) != lengthOfParent:
		return Parent{}
	case len(parent) > lengthOfParent && parent[lengthOfParent] != '-': // of a version to come
		return Parent{}
	case !p.Valid():
		return Parent{}
	}
	p.Flags = flags[0]
	if len(state) <= longestState && !strings.ContainsFunc(state, func(c rune) bool { return c < ' ' || c > '~' }) {
		p.State = state
	}
	return p
}

// digits decodes lower-case hexadecimal.
func digits(into []byte, text string) bool {
	_, err := hex.Decode(into, []byte(text))
	return err == nil && strings.ToLower(text) == text
}

// From returns the trace that work under ctx is part of: that of the span
// under way, or the one that the gRPC call which ctx belongs to brought along.
// A call made with ctx passes it on.
func From(ctx context.Context) Parent {
	if s, ok := ctx.Value(scopeKey{}).(*scope); ok && s.parent.Valid() {
		return s.parent
	}
	parents := metadata.ValueFromIncomingContext(ctx, ParentHeader)
	if len(parents) != 1 {
		return Parent{}
	}
	return Parse(parents[0], strings.Join(metadata.ValueFromIncomingContext(ctx, StateHeader), ","))
}

// WithParent returns ctx as part of a trace that has begun elsewhere. A Parent
// that is not Valid changes nothing.
func WithParent(ctx context.Context, p Parent) context.Context {
	if !p.Valid() {
		return ctx
	}
	s := scopeOf(ctx)
	s.parent = p
	return context.WithValue(ctx, scopeKey{}, &s)
}
