package trace_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/metadata"

	"github.com/plugboard/plugboard/trace"
)

const (
	someTrace = "0af7651916cd43dd8448eb211c80319c"
	someSpan  = "b7ad6b7169203331"
	some      = "00-" + someTrace + "-" + someSpan + "-01"
)

func TestParse(t *testing.T) {
	for _, test := range []struct{ parent, state, want, wantState string }{
		{some, "a=1,b=2", some, "a=1,b=2"},
		{strings.TrimSuffix(some, "1") + "0", "", strings.TrimSuffix(some, "1") + "0", ""},
		{"01" + some[2:] + "-and more", "", some, ""}, // a version to come
		{some, "a=\n", some, ""},
		{some, strings.Repeat("a", 513), some, ""},
	} {
		if p := trace.Parse(test.parent, test.state); !p.Valid() || p.String() != test.want || p.State != test.wantState {
			t.Errorf("%q, %q: got %v with state %q", test.parent, test.state, p, p.State)
		}
	}
	for _, bad := range []string{
		"", "00", some + "-more", some[:54], "ff" + some[2:], "01" + some[2:] + "more", strings.ToUpper(some), strings.Replace(some, "-", "_", 1),
		"00-" + strings.Repeat("0", 32) + "-" + someSpan + "-01", "00-" + someTrace + "-" + strings.Repeat("0", 16) + "-01", "0g" + some[2:],
	} {
		if p := trace.Parse(bad, "a=1"); p != (trace.Parent{}) {
			t.Errorf("%q: got %v", bad, p)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(some, "a=1")
	f.Add("cc-"+someTrace+"-"+someSpan+"-01-what the future will be like", "")
	f.Fuzz(func(t *testing.T, parent, state string) {
		p := trace.Parse(parent, state)
		if !p.Valid() {
			if p != (trace.Parent{}) {
				t.Errorf("not valid, and not empty: %v", p)
			}
			return
		}
		if again := trace.Parse(p.String(), p.State); again != p {
			t.Errorf("%v with %q is read again as %v with %q", p, p.State, again, again.State)
		}
	})
}

// kept is a Tracer that keeps what it gets.
type kept struct {
	sample bool
	mu     sync.Mutex
	spans  []trace.Record
}

func (k *kept) Sample(trace.TraceID) bool { return k.sample }

func (k *kept) Take(r trace.Record) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.spans = append(k.spans, r)
}

func (k *kept) Run(ctx context.Context) error { <-ctx.Done(); return nil }

func TestSpansOfATraceFromElsewhere(t *testing.T) {
	to := &kept{}
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("traceparent", some, "tracestate", "a=1", "tracestate", "b=2"))
	if p := trace.From(ctx); p.String() != some || p.State != "a=1,b=2" {
		t.Fatalf("without a tracer: %v, %q", p, p.State)
	}
	ctx = trace.With(ctx, to, trace.Service{Name: "me"})
	ctx, outer := trace.StartKind(ctx, trace.Server, "outer")
	inner, span := trace.Start(ctx, "inner")
	span.Set(slog.Int("rows", 7))
	span.Fail(errors.New("no"))
	span.Fail(nil)
	span.End()
	span.End()
	span.Set(slog.Int("late", 1))
	outer.End()
	if len(to.spans) != 2 {
		t.Fatalf("%d spans", len(to.spans))
	}
	first, second := to.spans[1], to.spans[0]
	if first.Trace.String() != someTrace || first.Caller.String() != someSpan || first.Kind != trace.Server || first.Failed || first.State != "a=1,b=2" {
		t.Errorf("outer: %+v", first)
	}
	if second.Trace != first.Trace || second.Caller != first.Span || second.Span == first.Span || second.Kind != trace.Internal ||
		!second.Failed || second.Error != "no" || len(second.Attrs) != 1 || second.Service.Name != "me" || second.End.Before(second.Start) {
		t.Errorf("inner: %+v", second)
	}
	if p := trace.From(inner); p != second.Parent {
		t.Errorf("a call under inner passes on %v", p)
	}
}

func TestSampling(t *testing.T) {
	to := &kept{}
	ctx, span := trace.Start(trace.With(t.Context(), to, trace.Service{}), "not recorded")
	span.End()
	deeper, span := trace.Start(ctx, "neither")
	span.End()
	p := trace.From(deeper)
	if len(to.spans) != 0 || !p.Valid() || p.Sampled() || p.Trace != trace.From(ctx).Trace {
		t.Errorf("%d spans, passes on %v", len(to.spans), p)
	}
	to.sample = true
	_, span = trace.Start(trace.With(t.Context(), to, trace.Service{}), "recorded")
	span.End()
	if len(to.spans) != 1 || !to.spans[0].Sampled() || to.spans[0].Caller != (trace.SpanID{}) {
		t.Errorf("got %+v", to.spans)
	}
	unsampled := trace.Parse(strings.TrimSuffix(some, "1")+"0", "")
	_, span = trace.Start(trace.WithParent(trace.With(t.Context(), to, trace.Service{}), unsampled), "decided elsewhere")
	span.End()
	if len(to.spans) != 1 {
		t.Error("a trace is recorded that somebody else decided not to")
	}
}

// TestNothingWithoutATracer holds us to it that a plugin which is not traced
// does not pay.
func TestNothingWithoutATracer(t *testing.T) {
	ctx := trace.WithParent(t.Context(), trace.Parent{})
	work := func() {
		inner, span := trace.Start(ctx, "work")
		span.Set(slog.String("name", "value"))
		span.Set(slog.Int("rows", 1))
		span.Fail(errNo)
		span.End()
		if inner != ctx || span != nil {
			t.Error("a span nobody wanted")
		}
	}
	if n := testing.AllocsPerRun(100, work); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

var errNo = errors.New("no")

func BenchmarkSpan(b *testing.B) {
	for name, ctx := range map[string]context.Context{
		"off": b.Context(), "on": trace.With(b.Context(), discard{}, trace.Service{}),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, span := trace.Start(ctx, "work")
				span.Set(slog.Int("rows", 1))
				span.End()
			}
		})
	}
}

type discard struct{}

func (discard) Sample(trace.TraceID) bool { return true }
func (discard) Take(trace.Record)         {}
func (discard) Run(context.Context) error { return nil }

func Example() {
	to := &kept{sample: true} // in a plugin: plugin.DataSource(open).Trace(otlp.FromEnv)
	ctx := trace.With(context.Background(), to, trace.Service{Name: "weather"})

	func(ctx context.Context) {
		ctx, span := trace.Start(ctx, "read the gauges")
		defer span.End()
		span.Set(slog.Int("gauges", 3))
		fmt.Println(trace.From(ctx).Sampled())
	}(ctx)

	fmt.Println(to.spans[0].Name, to.spans[0].Attrs)
	// Output:
	// true
	// read the gauges [gauges=3]
}
