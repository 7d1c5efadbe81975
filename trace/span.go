package trace

import (
	"context"
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// Tracer records the spans of a process. Its methods may be used from many
// goroutines, and only Run waits.
type Tracer interface {
	// Sample decides whether to record a trace that begins here. Of one that
	// came from elsewhere it has been decided.
	Sample(TraceID) bool
	// Take gets a span that has ended, and may keep it.
	Take(Record)
	// Run sends the spans to where they are kept, until ctx ends and, in short
	// time, what is left is sent too. It is called once.
	Run(ctx context.Context) error
}

// Service is what spans are said to be of.
type Service struct{ Name, Version string }

// Kind says which part in a call a span times. The numbers are OTLP's.
type Kind int

const (
	Internal Kind = 1 // none: some work of the process itself
	Server   Kind = 2 // answering it
	Client   Kind = 3 // making it
)

// Record is a span that has ended.
type Record struct {
	Service Service
	Name    string
	Kind    Kind
	// Parent names the span itself, as those that it is the parent of see it.
	Parent
	// Caller is the span that this one is part of; zero for the first of a
	// trace.
	Caller     SpanID
	Start, End time.Time
	Attrs      []slog.Attr
	// Failed: what the span timed has failed; Error may say why.
	Failed bool
	Error  string
}

// scope is what a context says to the spans under it.
type scope struct {
	tracer  Tracer
	service Service
	parent  Parent
}

type scopeKey struct{}

func scopeOf(ctx context.Context) scope {
	if s, ok := ctx.Value(scopeKey{}).(*scope); ok {
		return *s
	}
	return scope{}
}

// With returns ctx with spans under it going to tracer.
func With(ctx context.Context, tracer Tracer, service Service) context.Context {
	return context.WithValue(ctx, scopeKey{}, &scope{tracer: tracer, service: service, parent: From(ctx)})
}

// Span times some work. A nil Span is one that nobody records; it has the same
// methods, which do nothing. They may be used from many goroutines.
type Span struct {
	tracer Tracer
	mu     sync.Mutex
	ended  bool
	record Record
}

// Start begins a span of the author's own, under the one that ctx belongs to.
// Calls that are made with the context it returns are part of it. It ends with
// End.
func Start(ctx context.Context, name string) (context.Context, *Span) {
	return StartKind(ctx, Internal, name)
}

// StartKind is Start for the two ends of a call.
func StartKind(ctx context.Context, kind Kind, name string) (context.Context, *Span) {
	around, ok := ctx.Value(scopeKey{}).(*scope)
	if !ok || around.tracer == nil {
		return ctx, nil
	}
	under := *around
	if !under.parent.Valid() {
		under.parent = begin(under.tracer)
	} else {
		under.parent.Span = newSpanID()
	}
	ctx = context.WithValue(ctx, scopeKey{}, &under)
	if !under.parent.Sampled() {
		return ctx, nil
	}
	return ctx, &Span{tracer: under.tracer, record: Record{
		Service: under.service, Name: name, Kind: kind, Parent: under.parent, Caller: around.parent.Span, Start: time.Now(),
	}}
}

// begin makes up a trace. One that is not recorded has an id too, so that
// nobody further down decides otherwise.
func begin(tracer Tracer) Parent {
	p := Parent{Span: newSpanID()}
	for p.Trace == (TraceID{}) {
		binary.BigEndian.PutUint64(p.Trace[:8], rand.Uint64())
		binary.BigEndian.PutUint64(p.Trace[8:], rand.Uint64())
	}
	if tracer.Sample(p.Trace) {
		p.Flags = flagSampled
	}
	return p
}

func newSpanID() (id SpanID) {
	for id == (SpanID{}) {
		binary.BigEndian.PutUint64(id[:], rand.Uint64())
	}
	return id
}

// Set adds an attribute. Nothing secret belongs into one.
func (s *Span) Set(attr slog.Attr) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.record.Attrs = append(s.record.Attrs, attr)
	}
}

// Fail says that what the span times has failed. A nil error says nothing.
func (s *Span) Fail(err error) {
	if s == nil || err == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.record.Failed, s.record.Error = true, err.Error()
	}
}

// End ends the span. Only the first call counts.
func (s *Span) End() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	s.record.End = time.Now()
	s.tracer.Take(s.record)
}
